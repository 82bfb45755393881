package oxbow.format.bow;

import java.util.OptionalLong;
import oxbow.format.Fault;
import oxbow.format.FormatException;

/**
 * A log block of either format: header, entries, and whatever lies after the last entry. Keeps
 * every byte. A value; what changes a log gives a new one.
 *
 * @see "docs/format/bow.md, Log block"
 */
public final class BowLog {
  /** So much of a device's beginning is needed for a log of any block size. */
  public static final int MAX_BYTES = BowLogHeader.MAX_BLOCK_BYTES;

  private final byte[] block;
  private final BowFormat format;
  private final BowLogHeader header;

  private BowLog(byte[] block) {
    this.block = block;
    this.format = BowFormat.of(block, 0);
    this.header = format == BowFormat.V1 ? BowLogHeader.decode(block, 0) : asV1(block);
  }

  /** What an RFC header says in the words of v1, except for sector0, of which it knows nothing. */
  private static BowLogHeader asV1(byte[] block) {
    RfcLogHeader rfc = RfcLogHeader.decode(block, 0);
    return new BowLogHeader(
        rfc.magic(),
        0,
        RfcLogHeader.SIZE_BYTES,
        BowFormat.RFC_BLOCK_BYTES,
        rfc.count(),
        rfc.sequence(),
        0);
  }

  /**
   * Reads a block; nothing is checked, neither that it is a log.
   *
   * @param lengthBytes at least a sector; the block size, or {@link #MAX_BYTES} where that is not
   *     known yet
   */
  public static BowLog decode(byte[] bytes, int at, int lengthBytes) {
    byte[] block = new byte[lengthBytes];
    System.arraycopy(bytes, at, block, 0, lengthBytes);
    return new BowLog(block);
  }

  /** Stores the block as it was read. */
  public void encode(byte[] into, int at) {
    System.arraycopy(block, 0, into, at, block.length);
  }

  /** As many bytes as were given to {@link #decode}. */
  public int lengthBytes() {
    return block.length;
  }

  public BowMagic magic() {
    return BowMagic.of(header.magic());
  }

  public BowFormat format() {
    return format;
  }

  /** The header; of an RFC log in the words of v1, with version and sector0 0. */
  public BowLogHeader header() {
    return header;
  }

  /** Meaningful once {@link #check} has passed, as all that follows. */
  public int blockSizeBytes() {
    return (int) header.blockSizeBytes();
  }

  public int count() {
    return (int) header.count();
  }

  public long sequence() {
    return header.sequence();
  }

  /** Where the live contents of block 0 are, as stored; RFC logs do not say. */
  public OptionalLong sector0() {
    return format == BowFormat.V1 ? OptionalLong.of(header.sector0()) : OptionalLong.empty();
  }

  /** An entry, 0 up to {@link #count}. */
  public BowEntry entry(int index) {
    return BowEntry.decode(block, header.headerBytes() + index * BowEntry.SIZE_BYTES);
  }

  /** The header's fields must be possible, and the block must be as long as they say. */
  public void check() throws FormatException {
    if (format == BowFormat.RFC) {
      RfcLogHeader.decode(block, 0).check();
    } else {
      header.check();
    }
    if (block.length < header.blockSizeBytes()) {
      throw new FormatException(
          Fault.GEOMETRY,
          0,
          "log %d: blocks of %d bytes, but there are only %d"
              .formatted(header.sequence(), header.blockSizeBytes(), block.length));
    }
  }

  /** The same log with another magic and count: only its first sector is different. */
  public BowLog with(BowMagic magic, int count) {
    byte[] changed = block.clone();
    if (format == BowFormat.RFC) {
      RfcLogHeader.decode(block, 0).with(magic, count).encode(changed, 0);
    } else {
      header.with(magic, count).encode(changed, 0);
    }
    return new BowLog(changed);
  }

  /**
   * The same log with its first entry only, at the place where writers put it, so that all of it
   * lies in the first sector: whatever happens to the others, this log can be read.
   */
  public BowLog firstEntryOnly(BowMagic magic) {
    byte[] changed = block.clone();
    if (format == BowFormat.RFC) {
      RfcLogHeader.decode(block, 0).with(magic, 1).encode(changed, 0);
    } else {
      new BowLogHeader(
              magic.value(),
              header.version(),
              BowLogHeader.SIZE_BYTES,
              header.blockSizeBytes(),
              1,
              header.sequence(),
              header.sector0())
          .encode(changed, 0);
    }
    entry(0).encode(changed, format.headerBytes());
    return new BowLog(changed);
  }
}
