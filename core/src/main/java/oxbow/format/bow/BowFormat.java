package oxbow.format.bow;

import oxbow.format.Le;

/** The two layouts of a log block. Entries are the same in both. */
public enum BowFormat {
  /** Version 1, of kernels from 2019 on; the one we write. */
  V1("v1", BowLogHeader.SIZE_BYTES),
  /** The patch of 2018. It records neither its block size nor where block 0 lives. */
  RFC("rfc", RfcLogHeader.SIZE_BYTES);

  /** The block size of an RFC log: a page. */
  public static final int RFC_BLOCK_BYTES = 4096;

  /** An RFC log's count, of which v1 has a version number, 256, in this place. */
  private static final int MAX_RFC_COUNT = 170;

  private static final int LOW_OFFSET = 4;
  private static final int HIGH_OFFSET = 6;

  private final String word;
  private final int headerBytes;

  BowFormat(String word, int headerBytes) {
    this.word = word;
    this.headerBytes = headerBytes;
  }

  /** The word in reports. */
  public String word() {
    return word;
  }

  /** The size of the header as known writers have it. */
  public int headerBytes() {
    return headerBytes;
  }

  /** How many entries a log block takes: 20, 41, 84 or 169 in v1, 170 in RFC. */
  public int capacity(int blockSizeBytes) {
    return (blockSizeBytes - headerBytes) / BowEntry.SIZE_BYTES;
  }

  /** Tells them apart by the bytes after the magic of a log. */
  public static BowFormat of(byte[] bytes, int at) {
    boolean isRfc =
        Le.getU16(bytes, at + HIGH_OFFSET) == 0
            && Le.getU16(bytes, at + LOW_OFFSET) <= MAX_RFC_COUNT;
    return isRfc ? RFC : V1;
  }
}
