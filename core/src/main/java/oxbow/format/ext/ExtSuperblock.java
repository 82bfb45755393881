package oxbow.format.ext;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;
import oxbow.format.RawBytes;
import oxbow.format.RawCrc;

/**
 * The superblock of an ext2, ext3 or ext4 file system, as far as it tells about free blocks.
 *
 * @param blockCount blocks of the file system
 * @param freeBlockCount blocks that it says are free, in blocks even where clusters are allocated
 * @param firstDataBlock block at which group 0 begins: 1 where the superblock has block 1 to itself
 * @param logBlockSize block size as a power of two of 1 KiB
 * @param logClusterSize the same of the unit of allocation
 * @param state bits: 1 cleanly unmounted, 2 errors, 4 orphans are being recovered
 * @param descriptorSize bytes; only with 64bit
 * @param firstMetaGroup descriptor blocks from this one on lie in their groups; only with meta_bg
 * @param backupGroup1 with backupGroup2, where copies of the superblock are; only with
 *     sparse_super2
 * @param errorCount errors seen since the last check
 * @see "docs/format/ext-free.md, Superblock; struct ext4_super_block of Linux 6.1"
 */
public record ExtSuperblock(
    long inodeCount,
    long blockCount,
    long freeBlockCount,
    long firstDataBlock,
    long logBlockSize,
    long logClusterSize,
    long blocksPerGroup,
    long clustersPerGroup,
    long inodesPerGroup,
    int magic,
    int state,
    long revision,
    int inodeSize,
    ExtFeatures features,
    RawBytes uuid,
    int reservedDescriptorBlocks,
    int descriptorSize,
    long firstMetaGroup,
    int checksumType,
    long errorCount,
    long backupGroup1,
    long backupGroup2,
    long checksumSeed,
    long checksum,
    int computedChecksum) {
  /** Where on the device it lies, and how large it is. */
  public static final int OFFSET_BYTES = 1024;

  public static final int SIZE_BYTES = 1024;
  public static final int MAGIC = 0xEF53;

  private static final int STATE_CLEAN = 1;
  private static final int STATE_ERRORS = 2;
  private static final int STATE_ORPHANS = 4;
  private static final int UUID_BYTES = 16;
  private static final int CHECKSUM_OFFSET = 0x3FC;
  private static final int CRC32C_TYPE = 1;
  private static final int SMALLEST_BLOCK_BYTES = 1024;
  private static final int MAX_LOG_BLOCK_SIZE = 6;
  private static final int MAX_LOG_CLUSTER_SIZE = 19;
  private static final int OLD_INODE_BYTES = 128;
  private static final int SMALL_DESCRIPTOR_BYTES = 32;
  private static final int LARGE_DESCRIPTOR_BYTES = 64;

  /** Reads the 1024 bytes at an offset; nothing is checked. */
  public static ExtSuperblock decode(byte[] bytes, int at) {
    long revision = Le.getU32(bytes, at + 0x4C);
    boolean isDynamic = revision > 0;
    ExtFeatures features =
        isDynamic
            ? new ExtFeatures(
                Le.getU32(bytes, at + 0x5C),
                Le.getU32(bytes, at + 0x60),
                Le.getU32(bytes, at + 0x64))
            : new ExtFeatures(0, 0, 0);
    boolean is64Bit = features.hasIncompat(ExtFeatures.INCOMPAT_64BIT);
    return new ExtSuperblock(
        Le.getU32(bytes, at),
        Le.getU32(bytes, at + 0x4) | (is64Bit ? Le.getU32(bytes, at + 0x150) << 32 : 0),
        Le.getU32(bytes, at + 0xC) | (is64Bit ? Le.getU32(bytes, at + 0x158) << 32 : 0),
        Le.getU32(bytes, at + 0x14),
        Le.getU32(bytes, at + 0x18),
        Le.getU32(bytes, at + 0x1C),
        Le.getU32(bytes, at + 0x20),
        Le.getU32(bytes, at + 0x24),
        Le.getU32(bytes, at + 0x28),
        Le.getU16(bytes, at + 0x38),
        Le.getU16(bytes, at + 0x3A),
        revision,
        isDynamic ? Le.getU16(bytes, at + 0x58) : OLD_INODE_BYTES,
        features,
        RawBytes.copyOf(bytes, at + 0x68, UUID_BYTES),
        Le.getU16(bytes, at + 0xCE),
        is64Bit ? Le.getU16(bytes, at + 0xFE) : SMALL_DESCRIPTOR_BYTES,
        Le.getU32(bytes, at + 0x104),
        bytes[at + 0x175],
        Le.getU32(bytes, at + 0x194),
        Le.getU32(bytes, at + 0x24C),
        Le.getU32(bytes, at + 0x250),
        Le.getU32(bytes, at + 0x270),
        Le.getU32(bytes, at + CHECKSUM_OFFSET),
        RawCrc.crc32c().start(-1).update(bytes, at, CHECKSUM_OFFSET).register());
  }

  /**
   * Whether the file system is one whose bitmaps can be believed: known features, intact, cleanly
   * unmounted, no journal to replay, no errors.
   */
  public void check() throws FormatException {
    if (magic != MAGIC) {
      throw failure(Fault.MAGIC, "no ext2, ext3 or ext4 file system: magic %04x".formatted(magic));
    }
    if (revision > 1) {
      throw failure(Fault.VERSION, "revision " + revision + " of ext is not known");
    }
    if (features.unknownIncompat() != 0 || features.unknownReadOnly() != 0) {
      throw failure(
          Fault.VERSION,
          "features that are not known: incompat %#x, ro_compat %#x"
              .formatted(features.unknownIncompat(), features.unknownReadOnly()));
    }
    if (features.hasMetadataChecksums()
        && (checksumType != CRC32C_TYPE || (int) checksum != computedChecksum)) {
      throw failure(
          Fault.CHECKSUM,
          "superblock has checksum %08x of type %d, expected %08x of type %d"
              .formatted(checksum, checksumType, computedChecksum, CRC32C_TYPE));
    }
    checkState();
    checkGeometry();
  }

  private void checkState() throws FormatException {
    if (features.hasIncompat(ExtFeatures.INCOMPAT_RECOVER)) {
      throw failure(
          Fault.STATE,
          "the journal must be replayed: the file system is mounted, or was not"
              + " unmounted; mount and unmount it, or run e2fsck");
    }
    if ((state & STATE_ERRORS) != 0 || errorCount != 0) {
      throw failure(Fault.STATE, "the file system has errors: run e2fsck");
    }
    boolean hasOrphans =
        (state & STATE_ORPHANS) != 0 || features.hasReadOnly(ExtFeatures.READ_ONLY_ORPHAN_PRESENT);
    if ((state & STATE_CLEAN) == 0 || hasOrphans) {
      throw failure(
          Fault.STATE,
          "the file system is mounted, or was not cleanly unmounted: unmount it, or run e2fsck");
    }
  }

  private void checkGeometry() throws FormatException {
    boolean isPossible =
        logBlockSize <= MAX_LOG_BLOCK_SIZE
            && (!features.isBigalloc()
                || (logClusterSize >= logBlockSize && logClusterSize <= MAX_LOG_CLUSTER_SIZE));
    if (!isPossible) {
      throw failure(
          Fault.GEOMETRY,
          "block size 2^%d KiB, cluster size 2^%d KiB".formatted(logBlockSize, logClusterSize));
    }
    long clusters = features.isBigalloc() ? clustersPerGroup : blocksPerGroup;
    boolean hasGroups =
        clusters > 0
            && clusters % 8 == 0
            && clusters <= 8L * blockSizeBytes()
            && blocksPerGroup == clusters * clusterRatio();
    long expectedFirst = logBlockSize == 0 && !features.isBigalloc() ? 1 : 0;
    if (!hasGroups || firstDataBlock != expectedFirst) {
      throw failure(
          Fault.GEOMETRY,
          "groups of %d blocks, %d clusters, from block %d on"
              .formatted(blocksPerGroup, clustersPerGroup, firstDataBlock));
    }
    boolean hasDescriptorSize =
        !features.hasIncompat(ExtFeatures.INCOMPAT_64BIT)
            || (descriptorSize >= LARGE_DESCRIPTOR_BYTES
                && descriptorSize <= blockSizeBytes()
                && Integer.bitCount(descriptorSize) == 1);
    if (!hasDescriptorSize
        || blockCount <= firstDataBlock
        || blockCount > Long.MAX_VALUE >>> (10 + MAX_LOG_BLOCK_SIZE)
        || groupCount() > Integer.MAX_VALUE
        || inodesPerGroup == 0
        || inodeSize < OLD_INODE_BYTES
        || inodeSize > blockSizeBytes()) {
      throw failure(
          Fault.GEOMETRY,
          "%s blocks, descriptors of %d bytes, %d inodes of %d bytes a group"
              .formatted(
                  Long.toUnsignedString(blockCount), descriptorSize, inodesPerGroup, inodeSize));
    }
  }

  /** Meaningful once {@link #check} has passed, as all that follows. */
  public int blockSizeBytes() {
    return SMALLEST_BLOCK_BYTES << logBlockSize;
  }

  /** Blocks of a cluster, for which a bit of a bitmap stands; 1 without bigalloc. */
  public long clusterRatio() {
    return features.isBigalloc() ? 1L << (logClusterSize - logBlockSize) : 1;
  }

  /** Bits in use of a whole group's bitmap. */
  public int bitsPerGroup() {
    return (int) (blocksPerGroup / clusterRatio());
  }

  public long groupCount() {
    return (blockCount - firstDataBlock - 1) / blocksPerGroup + 1;
  }

  public long firstBlockOf(long group) {
    return firstDataBlock + group * blocksPerGroup;
  }

  /** Blocks of a group; the last may have fewer. */
  public long blocksOf(long group) {
    return Math.min(blocksPerGroup, blockCount - firstBlockOf(group));
  }

  public long inodeTableBlocks() {
    return (inodesPerGroup * inodeSize - 1) / blockSizeBytes() + 1;
  }

  public int descriptorsPerBlock() {
    return blockSizeBytes() / descriptorSize;
  }

  public long descriptorBlocks() {
    return (groupCount() - 1) / descriptorsPerBlock() + 1;
  }

  /** Whether a group begins with a copy of the superblock. */
  public boolean hasSuperblock(long group) {
    if (features.hasCompat(ExtFeatures.COMPAT_SPARSE_SUPER2)) {
      return group == 0 || group == backupGroup1 || group == backupGroup2;
    }
    if (group <= 1 || !features.hasReadOnly(ExtFeatures.READ_ONLY_SPARSE_SUPER)) {
      return true;
    }
    return isPowerOf(group, 3) || isPowerOf(group, 5) || isPowerOf(group, 7);
  }

  private static boolean isPowerOf(long number, int base) {
    long power = base;
    while (power < number) {
      power *= base;
    }
    return power == number;
  }

  /** The block that holds the superblock, and after which descriptors follow. */
  private long superblockBlock() {
    return OFFSET_BYTES / blockSizeBytes();
  }

  private boolean isInMetaGroup(long descriptorBlock) {
    return features.hasIncompat(ExtFeatures.INCOMPAT_META_BG) && descriptorBlock >= firstMetaGroup;
  }

  /** Where a block of group descriptors lies. */
  public long descriptorBlockPlace(long descriptorBlock) {
    if (!isInMetaGroup(descriptorBlock)) {
      return superblockBlock() + 1 + descriptorBlock;
    }
    long group = descriptorBlock * descriptorsPerBlock();
    // Where clusters are allocated, group 0 begins at block 0 even if the superblock is in block 1.
    long beforeGroup = group == 0 ? superblockBlock() - firstDataBlock : 0;
    return firstBlockOf(group) + beforeGroup + (hasSuperblock(group) ? 1 : 0);
  }

  /** How many blocks at the beginning of a group hold superblock and descriptors, or may. */
  public long headBlocksOf(long group) {
    long before = group == 0 ? superblockBlock() - firstDataBlock : 0;
    long superblock = hasSuperblock(group) ? 1 + before : 0;
    long metaGroup = group / descriptorsPerBlock();
    if (isInMetaGroup(metaGroup)) {
      long index = group % descriptorsPerBlock();
      boolean hasDescriptors = index <= 1 || index == descriptorsPerBlock() - 1;
      return superblock + (hasDescriptors ? 1 : 0);
    }
    long descriptors =
        features.hasIncompat(ExtFeatures.INCOMPAT_META_BG)
            ? Math.min(firstMetaGroup, descriptorBlocks())
            : descriptorBlocks() + reservedDescriptorBlocks;
    return hasSuperblock(group) ? superblock + descriptors : 0;
  }

  /** What checksums of metadata start with. */
  public int metadataSeed() {
    if (features.hasIncompat(ExtFeatures.INCOMPAT_CSUM_SEED)) {
      return (int) checksumSeed;
    }
    byte[] bytes = new byte[UUID_BYTES];
    uuid.copyTo(bytes, 0);
    return RawCrc.crc32c().start(-1).update(bytes, 0, UUID_BYTES).register();
  }

  private static FormatException failure(Fault fault, String what) {
    return new FormatException(fault, 0, what);
  }
}
