package oxbow.format.bow;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * The head of a v1 log block, which is block 0 of the device. Header and first entry share the
 * first sector, so that a medium that writes sectors whole never separates them.
 *
 * @param magic u32, one of {@link BowMagic}
 * @param version u16, {@link #VERSION}
 * @param headerBytes u16, where the first entry lies; 28, more is accepted
 * @param blockSizeBytes u32, a power of two, 512 to 4096
 * @param count u32, entries in use, at least 1
 * @param sequence u32, number of this log, from 0
 * @param sector0 u64, the sector where the live contents of block 0 are
 * @see "docs/format/bow.md, Header of v1"
 */
public record BowLogHeader(
    long magic,
    int version,
    int headerBytes,
    long blockSizeBytes,
    long count,
    long sequence,
    long sector0) {
  public static final int SIZE_BYTES = 28;

  public static final int MAGIC_OFFSET = 0;
  public static final int VERSION_OFFSET = 4;
  public static final int HEADER_SIZE_OFFSET = 6;
  public static final int BLOCK_SIZE_OFFSET = 8;
  public static final int COUNT_OFFSET = 12;
  public static final int SEQUENCE_OFFSET = 16;
  public static final int SECTOR0_OFFSET = 20;

  public static final int VERSION = 0x0100;

  public static final int MIN_BLOCK_BYTES = 512;
  public static final int MAX_BLOCK_BYTES = 4096;

  /** The unit of positions, and what a medium writes whole. */
  public static final int SECTOR_BYTES = 512;

  /** A header as we write it. */
  public static BowLogHeader create(int blockSizeBytes, int count, long sequence, long sector0) {
    return new BowLogHeader(
        BowMagic.BOW.value(), VERSION, SIZE_BYTES, blockSizeBytes, count, sequence, sector0);
  }

  /** Reads the 28 bytes at an offset; nothing is checked. */
  public static BowLogHeader decode(byte[] bytes, int at) {
    return new BowLogHeader(
        Le.getU32(bytes, at + MAGIC_OFFSET),
        Le.getU16(bytes, at + VERSION_OFFSET),
        Le.getU16(bytes, at + HEADER_SIZE_OFFSET),
        Le.getU32(bytes, at + BLOCK_SIZE_OFFSET),
        Le.getU32(bytes, at + COUNT_OFFSET),
        Le.getU32(bytes, at + SEQUENCE_OFFSET),
        Le.getU64(bytes, at + SECTOR0_OFFSET));
  }

  /** Stores the 28 bytes at an offset. */
  public void encode(byte[] into, int at) {
    Le.putU32(into, at + MAGIC_OFFSET, magic);
    Le.putU16(into, at + VERSION_OFFSET, version);
    Le.putU16(into, at + HEADER_SIZE_OFFSET, headerBytes);
    Le.putU32(into, at + BLOCK_SIZE_OFFSET, blockSizeBytes);
    Le.putU32(into, at + COUNT_OFFSET, count);
    Le.putU32(into, at + SEQUENCE_OFFSET, sequence);
    Le.putU64(into, at + SECTOR0_OFFSET, sector0);
  }

  /** The same log with another magic and count. */
  public BowLogHeader with(BowMagic newMagic, long newCount) {
    return new BowLogHeader(
        newMagic.value(), version, headerBytes, blockSizeBytes, newCount, sequence, sector0);
  }

  /** Magic, block size, header size and count must be possible; a version we do not know may be. */
  public void check() throws FormatException {
    BowMagic.check(magic);
    if (!isBlockSize(blockSizeBytes)) {
      throw failure(
          "block size %d: a power of two from %d to %d is expected"
              .formatted(blockSizeBytes, MIN_BLOCK_BYTES, MAX_BLOCK_BYTES));
    }
    if (headerBytes < SIZE_BYTES || headerBytes > blockSizeBytes) {
      throw failure(
          "header size %d: %d to %d is expected"
              .formatted(headerBytes, SIZE_BYTES, blockSizeBytes));
    }
    long capacity = (blockSizeBytes - headerBytes) / BowEntry.SIZE_BYTES;
    if (count < 1 || count > capacity) {
      throw failure("%d entries: 1 to %d are possible".formatted(count, capacity));
    }
  }

  /**
   * Whether a device can be rolled forward by this header: sector0 is a block of it, and not block
   * 0. Says nothing about what lies there.
   */
  public boolean hasSector0(long deviceSectors) {
    if (!isBlockSize(blockSizeBytes)) {
      return false;
    }
    long blockSectors = blockSizeBytes / SECTOR_BYTES;
    return sector0 > 0
        && sector0 % blockSectors == 0
        && blockSectors <= deviceSectors
        && sector0 <= deviceSectors - blockSectors;
  }

  /** Whether a size is one that blocks can have. */
  public static boolean isBlockSize(long bytes) {
    return bytes >= MIN_BLOCK_BYTES && bytes <= MAX_BLOCK_BYTES && Long.bitCount(bytes) == 1;
  }

  private FormatException failure(String what) {
    return new FormatException(Fault.GEOMETRY, 0, "log " + sequence + ": " + what);
  }
}
