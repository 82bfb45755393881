package oxbow.format.pdata;

import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * A bitmap block of a space map: 16320 counts of two bits. Of the two the upper bit weighs 1 and
 * the lower one 2, so that a word of 32 counts of one reads {@code 0xAAAA_AAAA_AAAA_AAAA}.
 *
 * @see "docs/format/clone.md, Space map; struct disk_bitmap_header of Linux 6.1"
 */
public final class SpaceMapBitmap {
  public static final int SIZE_BYTES = BlockKind.SIZE_BYTES;

  public static final int UNUSED_OFFSET = 4;
  public static final int BLOCK_NR_OFFSET = 8;
  public static final int WORDS_OFFSET = 16;

  public static final int WORDS = (SIZE_BYTES - WORDS_OFFSET) / Long.BYTES;
  public static final int ENTRIES_PER_WORD = 32;

  /** Counts in a block. */
  public static final int ENTRIES = WORDS * ENTRIES_PER_WORD;

  /** The count that means "this many or more: see the reference count tree". */
  public static final int MANY = 3;

  private static final long LOWER_BITS = 0x5555_5555_5555_5555L;

  private final byte[] bytes;
  private final int at;

  private SpaceMapBitmap(byte[] bytes, int at) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A window on the 4096 bytes at an offset; nothing is checked. */
  public static SpaceMapBitmap decode(byte[] bytes, int at) {
    return new SpaceMapBitmap(bytes, at);
  }

  /** A bitmap with all entries free, over an array of its own. */
  public static SpaceMapBitmap create() {
    return new SpaceMapBitmap(new byte[SIZE_BYTES], 0);
  }

  /** Copies the 4096 bytes out. */
  public void encode(byte[] into, int intoAt) {
    System.arraycopy(bytes, at, into, intoAt, SIZE_BYTES);
  }

  /**
   * The kernel's checks.
   *
   * @param blockNr where the block was read from
   */
  public void check(long blockNr) throws FormatException {
    BlockKind.SPACE_MAP_BITMAP.check(bytes, at, blockNr);
  }

  /** Fills in number and checksum, for the place where the block will be written. */
  public void seal(long blockNr) {
    BlockKind.SPACE_MAP_BITMAP.seal(bytes, at, blockNr);
  }

  /** Written 0 by the kernel, not looked at. */
  public long unused() {
    return Le.getU32(bytes, at + UNUSED_OFFSET);
  }

  public long blockNr() {
    return Le.getU64(bytes, at + BLOCK_NR_OFFSET);
  }

  /** Thirty-two counts at once, as stored; see {@link #usedBits}. */
  public long word(int index) {
    return Le.getU64(bytes, at + WORDS_OFFSET + index * Long.BYTES);
  }

  /** The count of an entry: 0, 1, 2, or {@link #MANY}. */
  public int count(int entry) {
    int shift = entry % ENTRIES_PER_WORD * 2;
    int bits = (int) (word(entry / ENTRIES_PER_WORD) >>> shift) & 3;
    return ((bits & 1) << 1) | (bits >> 1);
  }

  /** Stores a count of 0 to {@link #MANY}. */
  public void setCount(int entry, int count) {
    int shift = entry % ENTRIES_PER_WORD * 2;
    int wordAt = at + WORDS_OFFSET + entry / ENTRIES_PER_WORD * Long.BYTES;
    long bits = ((count & 1L) << 1) | (count >> 1);
    Le.putU64(bytes, wordAt, (Le.getU64(bytes, wordAt) & ~(3L << shift)) | (bits << shift));
  }

  /** Which of the 32 entries of a stored word are used: bit 2k is set when entry k is not 0. */
  public static long usedBits(long word) {
    return (word | (word >>> 1)) & LOWER_BITS;
  }

  /** Which of the 32 entries of a stored word are {@link #MANY}, in the same way. */
  public static long manyBits(long word) {
    return word & (word >>> 1) & LOWER_BITS;
  }

  /** How many of all entries are free. */
  public int freeCount() {
    int used = 0;
    for (int i = 0; i < WORDS; i++) {
      used += Long.bitCount(usedBits(word(i)));
    }
    return ENTRIES - used;
  }

  /** The first free entry at or after one; {@link #ENTRIES} when there is none. */
  public int nextFree(int fromEntry) {
    if (fromEntry >= ENTRIES) {
      return ENTRIES;
    }
    int index = fromEntry / ENTRIES_PER_WORD;
    long free = ~usedBits(word(index)) & LOWER_BITS;
    free &= -1L << (fromEntry % ENTRIES_PER_WORD * 2);
    while (free == 0) {
      if (++index == WORDS) {
        return ENTRIES;
      }
      free = ~usedBits(word(index)) & LOWER_BITS;
    }
    return index * ENTRIES_PER_WORD + Long.numberOfTrailingZeros(free) / 2;
  }
}
