package oxbow.format.pdata;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * A piece of an on-disk array: up to 509 words of 64 bits. Of the bitset of dm-clone, one block
 * holds {@link #BITS} bits.
 *
 * @see "docs/format/clone.md, Array blocks; struct array_block of Linux 6.1"
 */
public final class ArrayBlock {
  public static final int SIZE_BYTES = BlockKind.SIZE_BYTES;

  public static final int MAX_ENTRIES_OFFSET = 4;
  public static final int ENTRY_COUNT_OFFSET = 8;
  public static final int VALUE_SIZE_OFFSET = 12;
  public static final int BLOCK_NR_OFFSET = 16;
  public static final int WORDS_OFFSET = 24;

  /** Words in a full block. */
  public static final int WORDS = (SIZE_BYTES - WORDS_OFFSET) / Long.BYTES;

  /** Bits in a full block. */
  public static final int BITS = WORDS * Long.SIZE;

  private final byte[] bytes;
  private final int at;

  private ArrayBlock(byte[] bytes, int at) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A window on the 4096 bytes at an offset; nothing is checked. */
  public static ArrayBlock decode(byte[] bytes, int at) {
    return new ArrayBlock(bytes, at);
  }

  /** Zero words, over an array of its own. */
  public static ArrayBlock create(int wordCount) {
    ArrayBlock block = new ArrayBlock(new byte[SIZE_BYTES], 0);
    Le.putU32(block.bytes, MAX_ENTRIES_OFFSET, WORDS);
    Le.putU32(block.bytes, ENTRY_COUNT_OFFSET, wordCount);
    Le.putU32(block.bytes, VALUE_SIZE_OFFSET, Long.BYTES);
    return block;
  }

  /** Copies the 4096 bytes out. */
  public void encode(byte[] into, int intoAt) {
    System.arraycopy(bytes, at, into, intoAt, SIZE_BYTES);
  }

  /**
   * The kernel's checks, then one of ours: that the block has the words that its place in the array
   * asks for.
   *
   * @param blockNr where the block was read from
   * @param wordCount 1 to 509
   */
  public void check(long blockNr, int wordCount) throws FormatException {
    BlockKind.ARRAY_BLOCK.check(bytes, at, blockNr);
    if (maxEntries() != WORDS || entryCount() != wordCount || valueSizeBytes() != Long.BYTES) {
      throw BlockKind.ARRAY_BLOCK.failure(
          Fault.ARRAY,
          blockNr,
          "%d of %d entries of %d bytes, expected %d of %d entries of %d bytes"
              .formatted(
                  entryCount(), maxEntries(), valueSizeBytes(), wordCount, WORDS, Long.BYTES));
    }
  }

  /** Fills in number and checksum, for the place where the block will be written. */
  public void seal(long blockNr) {
    BlockKind.ARRAY_BLOCK.seal(bytes, at, blockNr);
  }

  public long maxEntries() {
    return Le.getU32(bytes, at + MAX_ENTRIES_OFFSET);
  }

  public long entryCount() {
    return Le.getU32(bytes, at + ENTRY_COUNT_OFFSET);
  }

  public long valueSizeBytes() {
    return Le.getU32(bytes, at + VALUE_SIZE_OFFSET);
  }

  public long blockNr() {
    return Le.getU64(bytes, at + BLOCK_NR_OFFSET);
  }

  /** A word by its index, 0 to 508, whether it is in use or not. */
  public long word(int index) {
    return Le.getU64(bytes, at + WORDS_OFFSET + index * Long.BYTES);
  }

  public void setWord(int index, long word) {
    Le.putU64(bytes, at + WORDS_OFFSET + index * Long.BYTES, word);
  }
}
