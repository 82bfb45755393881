package oxbow.format.logwrites;

import oxbow.format.Le;

/**
 * The head of an entry. It fills one sector of the log, the rest of which is zeros but for the text
 * of a mark; the sectors that a write has written follow it.
 *
 * @param sector u64, where on the device
 * @param sectorCount u64, how much
 * @param flags u64, bits of the constants
 * @param textBytes u64, length of a mark's text
 * @see "docs/format/log-writes.md, Entry; struct log_write_entry of Linux 6.1 dm-log-writes.c"
 */
public record LogEntry(long sector, long sectorCount, long flags, long textBytes) {
  /** All that was completed on the device before is durable; a write may come with it. */
  public static final long FLUSH = 1;

  /** The write is durable by itself. */
  public static final long FUA = 1 << 1;

  /** The range was discarded; no data follows. */
  public static final long DISCARD = 1 << 2;

  /** A note of the user; {@link #textBytes} of text follow in the same sector. */
  public static final long MARK = 1 << 3;

  /** The writer called it metadata; written by kernels only. */
  public static final long METADATA = 1 << 4;

  public static final int SIZE_BYTES = 32;

  private static final int SECTOR_COUNT_OFFSET = 8;
  private static final int FLAGS_OFFSET = 16;
  private static final int TEXT_BYTES_OFFSET = 24;

  /** Reads it; nothing is checked. */
  public static LogEntry decode(byte[] bytes, int at) {
    return new LogEntry(
        Le.getU64(bytes, at),
        Le.getU64(bytes, at + SECTOR_COUNT_OFFSET),
        Le.getU64(bytes, at + FLAGS_OFFSET),
        Le.getU64(bytes, at + TEXT_BYTES_OFFSET));
  }

  public void encode(byte[] into, int at) {
    Le.putU64(into, at, sector);
    Le.putU64(into, at + SECTOR_COUNT_OFFSET, sectorCount);
    Le.putU64(into, at + FLAGS_OFFSET, flags);
    Le.putU64(into, at + TEXT_BYTES_OFFSET, textBytes);
  }

  public boolean isFlush() {
    return (flags & FLUSH) != 0;
  }

  public boolean isFua() {
    return (flags & FUA) != 0;
  }

  public boolean isDiscard() {
    return (flags & DISCARD) != 0;
  }

  public boolean isMark() {
    return (flags & MARK) != 0;
  }

  /** How many sectors of data follow the head. */
  public long dataSectors() {
    return isDiscard() || isMark() ? 0 : sectorCount;
  }
}
