package oxbow.format.bow;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * The head of a log block in the format of the first patch, which we read and roll back, and never
 * begin. Its blocks are pages of {@link BowFormat#RFC_BLOCK_BYTES}.
 *
 * @param magic u32, one of {@link BowMagic}
 * @param count u32, entries in use, at least 1
 * @param sequence u32, number of this log, from 0
 * @see "docs/format/bow.md, Header of the RFC"
 */
public record RfcLogHeader(long magic, long count, long sequence) {
  public static final int SIZE_BYTES = 12;

  public static final int MAGIC_OFFSET = 0;
  public static final int COUNT_OFFSET = 4;
  public static final int SEQUENCE_OFFSET = 8;

  /** Reads the 12 bytes at an offset; nothing is checked. */
  public static RfcLogHeader decode(byte[] bytes, int at) {
    return new RfcLogHeader(
        Le.getU32(bytes, at + MAGIC_OFFSET),
        Le.getU32(bytes, at + COUNT_OFFSET),
        Le.getU32(bytes, at + SEQUENCE_OFFSET));
  }

  /** Stores the 12 bytes at an offset. */
  public void encode(byte[] into, int at) {
    Le.putU32(into, at + MAGIC_OFFSET, magic);
    Le.putU32(into, at + COUNT_OFFSET, count);
    Le.putU32(into, at + SEQUENCE_OFFSET, sequence);
  }

  /** The same log with another magic and count. */
  public RfcLogHeader with(BowMagic newMagic, long newCount) {
    return new RfcLogHeader(newMagic.value(), newCount, sequence);
  }

  /** Magic and count must be possible. */
  public void check() throws FormatException {
    BowMagic.check(magic);
    int capacity = BowFormat.RFC.capacity(BowFormat.RFC_BLOCK_BYTES);
    if (count < 1 || count > capacity) {
      throw new FormatException(
          Fault.GEOMETRY,
          0,
          "log %d: %d entries: 1 to %d are possible".formatted(sequence, count, capacity));
    }
  }
}
