package oxbow.format.clone;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;
import oxbow.format.RawBytes;
import oxbow.format.pdata.BlockKind;
import oxbow.format.pdata.SpaceMapIndex;
import oxbow.format.pdata.SpaceMapRoot;

/**
 * Block 0 of dm-clone metadata, the only block that is ever written in place. All that varies lies
 * in the first 512 bytes, so that the write is atomic on any medium whose sectors are.
 *
 * @param checksum u32, as stored
 * @param flags u32; written 0, not looked at
 * @param blockNr u64, 0
 * @param uuid 16 bytes; written 0, not looked at
 * @param magic u64, {@link #MAGIC}
 * @param version u32, {@link #VERSION}
 * @param regionSizeSectors power of two, 8 to 2097152
 * @param targetSectors length of the device
 * @param bitsetRoot root of the B-tree of the bitset's array blocks
 * @param reserved the rest of the block, written 0
 * @see "docs/format/clone.md, Superblock; struct superblock_disk of Linux 6.1 dm-clone-metadata.c"
 */
public record CloneSuperblock(
    long checksum,
    long flags,
    long blockNr,
    RawBytes uuid,
    long magic,
    long version,
    SpaceMapRoot spaceMapRoot,
    long regionSizeSectors,
    long targetSectors,
    long bitsetRoot,
    RawBytes reserved) {
  public static final int SIZE_BYTES = BlockKind.SIZE_BYTES;

  public static final int CHECKSUM_OFFSET = 0;
  public static final int FLAGS_OFFSET = 4;
  public static final int BLOCK_NR_OFFSET = 8;
  public static final int UUID_OFFSET = 16;
  public static final int MAGIC_OFFSET = 32;
  public static final int VERSION_OFFSET = 40;
  public static final int SPACE_MAP_ROOT_OFFSET = 44;
  public static final int REGION_SIZE_OFFSET = 172;
  public static final int TARGET_SIZE_OFFSET = 180;
  public static final int BITSET_ROOT_OFFSET = 188;
  public static final int RESERVED_OFFSET = 196;

  /** Where the superblock lies. */
  public static final long BLOCK_NR = 0;

  public static final long MAGIC = 0x8AF2_7F64L;
  public static final long VERSION = 1;

  public static final long MIN_REGION_SECTORS = 8;
  public static final long MAX_REGION_SECTORS = 2097152;
  public static final long MAX_REGIONS = 1L << 31;

  private static final int UUID_SIZE_BYTES = MAGIC_OFFSET - UUID_OFFSET;
  private static final int CHECKSUM_XOR = 257649492;

  /** A superblock as we write it; its checksum is right. */
  public static CloneSuperblock create(
      SpaceMapRoot spaceMapRoot, long regionSizeSectors, long targetSectors, long bitsetRoot) {
    CloneSuperblock unsealed =
        new CloneSuperblock(
            0,
            0,
            BLOCK_NR,
            RawBytes.zeros(UUID_SIZE_BYTES),
            MAGIC,
            VERSION,
            spaceMapRoot,
            regionSizeSectors,
            targetSectors,
            bitsetRoot,
            RawBytes.zeros(SIZE_BYTES - RESERVED_OFFSET));
    byte[] bytes = new byte[SIZE_BYTES];
    unsealed.encode(bytes, 0);
    Le.putU32(bytes, CHECKSUM_OFFSET, BlockKind.checksum(bytes, 0, CHECKSUM_XOR));
    return decode(bytes, 0);
  }

  /** Reads the 4096 bytes at an offset; nothing is checked. */
  public static CloneSuperblock decode(byte[] bytes, int at) {
    return new CloneSuperblock(
        Le.getU32(bytes, at + CHECKSUM_OFFSET),
        Le.getU32(bytes, at + FLAGS_OFFSET),
        Le.getU64(bytes, at + BLOCK_NR_OFFSET),
        RawBytes.copyOf(bytes, at + UUID_OFFSET, UUID_SIZE_BYTES),
        Le.getU64(bytes, at + MAGIC_OFFSET),
        Le.getU32(bytes, at + VERSION_OFFSET),
        SpaceMapRoot.decode(bytes, at + SPACE_MAP_ROOT_OFFSET),
        Le.getU64(bytes, at + REGION_SIZE_OFFSET),
        Le.getU64(bytes, at + TARGET_SIZE_OFFSET),
        Le.getU64(bytes, at + BITSET_ROOT_OFFSET),
        RawBytes.copyOf(bytes, at + RESERVED_OFFSET, SIZE_BYTES - RESERVED_OFFSET));
  }

  /** Stores the 4096 bytes at an offset, the checksum as it is. */
  public void encode(byte[] into, int at) {
    Le.putU32(into, at + CHECKSUM_OFFSET, checksum);
    Le.putU32(into, at + FLAGS_OFFSET, flags);
    Le.putU64(into, at + BLOCK_NR_OFFSET, blockNr);
    uuid.copyTo(into, at + UUID_OFFSET);
    Le.putU64(into, at + MAGIC_OFFSET, magic);
    Le.putU32(into, at + VERSION_OFFSET, version);
    spaceMapRoot.encode(into, at + SPACE_MAP_ROOT_OFFSET);
    Le.putU64(into, at + REGION_SIZE_OFFSET, regionSizeSectors);
    Le.putU64(into, at + TARGET_SIZE_OFFSET, targetSectors);
    Le.putU64(into, at + BITSET_ROOT_OFFSET, bitsetRoot);
    reserved.copyTo(into, at + RESERVED_OFFSET);
  }

  /**
   * The kernel's checks, in its order and words: block number, magic, checksum, version. Then those
   * sizes without which nothing else can be read.
   */
  public void check() throws FormatException {
    checkBlockNr();
    checkMagic();
    checkChecksum();
    checkVersion();
    checkGeometry();
  }

  public void checkBlockNr() throws FormatException {
    if (blockNr != BLOCK_NR) {
      throw failure(Fault.BLOCK_NUMBER, "blocknr", blockNr, BLOCK_NR);
    }
  }

  public void checkMagic() throws FormatException {
    if (magic != MAGIC) {
      throw failure(Fault.MAGIC, "magic", magic, MAGIC);
    }
  }

  /**
   * Fails with the computed checksum first and the stored one as expected, as the kernel has it.
   */
  public void checkChecksum() throws FormatException {
    long computed = computedChecksum();
    if (computed != checksum) {
      throw failure(Fault.CHECKSUM, "checksum", computed, checksum);
    }
  }

  public void checkVersion() throws FormatException {
    if (version != VERSION) {
      throw new FormatException(
          Fault.VERSION,
          BLOCK_NR,
          "Clone metadata version %d found, but only versions between %d and %d supported"
              .formatted(version, VERSION, VERSION));
    }
  }

  /** Region size, number of regions and size of the space map must be possible. */
  public void checkGeometry() throws FormatException {
    if (regionSizeSectors < MIN_REGION_SECTORS
        || regionSizeSectors > MAX_REGION_SECTORS
        || Long.bitCount(regionSizeSectors) != 1) {
      throw geometryFailure(
          "region size %s sectors is not a power of 2 from %d to %d"
              .formatted(
                  Long.toUnsignedString(regionSizeSectors),
                  MIN_REGION_SECTORS,
                  MAX_REGION_SECTORS));
    }
    if (targetSectors <= 0 || regionCount() > MAX_REGIONS) {
      throw geometryFailure(
          "target of %s sectors of which %d make a region: 1 to %d regions are possible"
              .formatted(Long.toUnsignedString(targetSectors), regionSizeSectors, MAX_REGIONS));
    }
    long blockCount = spaceMapRoot.blockCount();
    if (blockCount <= 0 || blockCount > SpaceMapIndex.MAX_BLOCKS) {
      throw geometryFailure(
          "space map covers %s blocks, 1 to %d are possible"
              .formatted(Long.toUnsignedString(blockCount), SpaceMapIndex.MAX_BLOCKS));
    }
  }

  /** The checksum that the other fields ask for. */
  public long computedChecksum() {
    byte[] bytes = new byte[SIZE_BYTES];
    encode(bytes, 0);
    return BlockKind.checksum(bytes, 0, CHECKSUM_XOR);
  }

  /** Regions of the device; the last may be short. Meaningful once {@link #check} has passed. */
  public long regionCount() {
    return regionCount(targetSectors, regionSizeSectors);
  }

  /** Regions of a device of so many sectors, the last possibly short; without overflow. */
  public static long regionCount(long targetSectors, long regionSizeSectors) {
    return (targetSectors - 1) / regionSizeSectors + 1;
  }

  private static FormatException failure(Fault fault, String field, long found, long expected) {
    return new FormatException(
        fault,
        BLOCK_NR,
        "Superblock check failed: %s %s, expected %d"
            .formatted(field, Long.toUnsignedString(found), expected));
  }

  private static FormatException geometryFailure(String what) {
    return new FormatException(Fault.GEOMETRY, BLOCK_NR, "Superblock check failed: " + what);
  }
}
