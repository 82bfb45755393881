package oxbow.format.pdata;

import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * The index block of a space map: for each bitmap where it lies, how many of its entries are free,
 * and from which entry on to look for one.
 *
 * @see "docs/format/clone.md, Space map; struct disk_metadata_index of Linux 6.1"
 */
public final class SpaceMapIndex {
  public static final int SIZE_BYTES = BlockKind.SIZE_BYTES;

  public static final int PADDING_OFFSET = 4;
  public static final int BLOCK_NR_OFFSET = 8;
  public static final int ENTRIES_OFFSET = 16;

  public static final int ENTRY_SIZE_BYTES = 16;
  public static final int ENTRY_BITMAP_OFFSET = 0;
  public static final int ENTRY_FREE_COUNT_OFFSET = 8;
  public static final int ENTRY_NONE_FREE_BEFORE_OFFSET = 12;

  /** Entries in the block, used or not. */
  public static final int ENTRIES = (SIZE_BYTES - ENTRIES_OFFSET) / ENTRY_SIZE_BYTES;

  /** The most blocks a space map can cover; what a device has beyond stays unused. */
  public static final long MAX_BLOCKS = (long) ENTRIES * SpaceMapBitmap.ENTRIES;

  private final byte[] bytes;
  private final int at;

  private SpaceMapIndex(byte[] bytes, int at) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A window on the 4096 bytes at an offset; nothing is checked. */
  public static SpaceMapIndex decode(byte[] bytes, int at) {
    return new SpaceMapIndex(bytes, at);
  }

  /** An index without bitmaps, over an array of its own. */
  public static SpaceMapIndex create() {
    return new SpaceMapIndex(new byte[SIZE_BYTES], 0);
  }

  /** How many bitmaps describe so many blocks. */
  public static int bitmapCount(long blockCount) {
    return Math.toIntExact((blockCount + SpaceMapBitmap.ENTRIES - 1) / SpaceMapBitmap.ENTRIES);
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
    BlockKind.SPACE_MAP_INDEX.check(bytes, at, blockNr);
  }

  /** Fills in number and checksum, for the place where the block will be written. */
  public void seal(long blockNr) {
    BlockKind.SPACE_MAP_INDEX.seal(bytes, at, blockNr);
  }

  /** Written 0 by the kernel, not looked at. */
  public long padding() {
    return Le.getU32(bytes, at + PADDING_OFFSET);
  }

  public long blockNr() {
    return Le.getU64(bytes, at + BLOCK_NR_OFFSET);
  }

  /** The block that holds a bitmap. */
  public long bitmapBlockNr(int bitmap) {
    return Le.getU64(bytes, entryAt(bitmap) + ENTRY_BITMAP_OFFSET);
  }

  /** Free entries among all 16320 of a bitmap, those past the end of the device included. */
  public long freeCount(int bitmap) {
    return Le.getU32(bytes, entryAt(bitmap) + ENTRY_FREE_COUNT_OFFSET);
  }

  /** A hint: no entry of the bitmap below this one is free. */
  public long noneFreeBefore(int bitmap) {
    return Le.getU32(bytes, entryAt(bitmap) + ENTRY_NONE_FREE_BEFORE_OFFSET);
  }

  public void setEntry(int bitmap, long bitmapBlockNr, int freeCount, int noneFreeBefore) {
    int entryAt = entryAt(bitmap);
    Le.putU64(bytes, entryAt + ENTRY_BITMAP_OFFSET, bitmapBlockNr);
    Le.putU32(bytes, entryAt + ENTRY_FREE_COUNT_OFFSET, freeCount);
    Le.putU32(bytes, entryAt + ENTRY_NONE_FREE_BEFORE_OFFSET, noneFreeBefore);
  }

  private int entryAt(int bitmap) {
    return at + ENTRIES_OFFSET + bitmap * ENTRY_SIZE_BYTES;
  }
}
