package oxbow.format.bow;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * One entry of a log: what lay at {@code source} was copied to {@code dest} before it was
 * overwritten. The first entry of a log has source 0; no other covers block 0.
 *
 * @param source u64, first sector whose old contents were saved
 * @param dest u64, first sector of the copy
 * @param sizeBytes u32, whole blocks, at least one
 * @param checksum u32, {@link BowChecksum} of the copy; 0 is "not recorded"
 * @see "docs/format/bow.md, Entry"
 */
public record BowEntry(long source, long dest, long sizeBytes, long checksum) {
  public static final int SIZE_BYTES = 24;

  public static final int SOURCE_OFFSET = 0;
  public static final int DEST_OFFSET = 8;
  public static final int SIZE_OFFSET = 16;
  public static final int CHECKSUM_OFFSET = 20;

  /** The largest size of one entry: what fits into a u32 and is whole blocks of any block size. */
  public static final long MAX_BYTES = (1L << 32) - BowLogHeader.MAX_BLOCK_BYTES;

  /** Reads the 24 bytes at an offset; nothing is checked. */
  public static BowEntry decode(byte[] bytes, int at) {
    return new BowEntry(
        Le.getU64(bytes, at + SOURCE_OFFSET),
        Le.getU64(bytes, at + DEST_OFFSET),
        Le.getU32(bytes, at + SIZE_OFFSET),
        Le.getU32(bytes, at + CHECKSUM_OFFSET));
  }

  /** Stores the 24 bytes at an offset. */
  public void encode(byte[] into, int at) {
    Le.putU64(into, at + SOURCE_OFFSET, source);
    Le.putU64(into, at + DEST_OFFSET, dest);
    Le.putU32(into, at + SIZE_OFFSET, sizeBytes);
    Le.putU32(into, at + CHECKSUM_OFFSET, checksum);
  }

  public long sizeSectors() {
    return sizeBytes / BowLogHeader.SECTOR_BYTES;
  }

  /** Whether the copy's checksum was recorded. */
  public boolean hasChecksum() {
    return checksum != 0;
  }

  /** The number from which the checksum starts. */
  public long sourceBlock(int blockSizeBytes) {
    return source / (blockSizeBytes / BowLogHeader.SECTOR_BYTES);
  }

  /**
   * Whether the entry can be undone on a device: whole blocks inside of it, source and copy apart,
   * and block 0 where it belongs, which is the source of the first entry only and never a copy.
   *
   * @param index of the entry in its log
   * @param logNr the sequence of its log, for the message
   * @param deviceSectors size of the device
   */
  public void check(int index, long logNr, int blockSizeBytes, long deviceSectors)
      throws FormatException {
    long blockSectors = blockSizeBytes / BowLogHeader.SECTOR_BYTES;
    if (sizeBytes < blockSizeBytes || sizeBytes % blockSizeBytes != 0) {
      throw failure(index, logNr, "whole blocks of " + blockSizeBytes + " bytes are expected");
    }
    if (!isWithin(source, blockSectors, deviceSectors)
        || !isWithin(dest, blockSectors, deviceSectors)) {
      throw failure(index, logNr, "not blocks of a device of " + deviceSectors + " sectors");
    }
    if (source < dest + sizeSectors() && dest < source + sizeSectors()) {
      throw failure(index, logNr, "source and copy overlap");
    }
    if (dest == 0) {
      throw failure(index, logNr, "the copy would lie in block 0, where the log is");
    }
    if (index == 0 && (source != 0 || sizeBytes != blockSizeBytes)) {
      throw failure(index, logNr, "the first entry must save block 0");
    }
    if (index > 0 && source == 0) {
      throw failure(index, logNr, "only the first entry may save block 0");
    }
  }

  /** Compares without overflow: u64 values of 2^63 and more are negative here. */
  private boolean isWithin(long sector, long blockSectors, long deviceSectors) {
    return sector >= 0
        && sector % blockSectors == 0
        && sizeSectors() <= deviceSectors
        && sector <= deviceSectors - sizeSectors();
  }

  private FormatException failure(int index, long logNr, String why) {
    return new FormatException(
        Fault.RANGE,
        0,
        "log %d entry %d: source %s, copy %s, %d bytes: %s"
            .formatted(
                logNr,
                index,
                Long.toUnsignedString(source),
                Long.toUnsignedString(dest),
                sizeBytes,
                why));
  }
}
