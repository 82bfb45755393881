package oxbow.format.pdata;

import oxbow.format.Le;
import oxbow.format.RawBytes;

/**
 * The root of a space map, 128 bytes within a superblock.
 *
 * @param blockCount blocks the space map covers; fixed when it is formatted
 * @param allocatedCount blocks with a count other than 0
 * @param bitmapRoot the index block
 * @param refCountRoot root of the B-tree that holds counts of 3 and more
 * @param reserved 96 bytes, written 0
 * @see "docs/format/clone.md, Space map; struct disk_sm_root of Linux 6.1"
 */
public record SpaceMapRoot(
    long blockCount, long allocatedCount, long bitmapRoot, long refCountRoot, RawBytes reserved) {
  public static final int SIZE_BYTES = 128;

  public static final int BLOCK_COUNT_OFFSET = 0;
  public static final int ALLOCATED_COUNT_OFFSET = 8;
  public static final int BITMAP_ROOT_OFFSET = 16;
  public static final int REF_COUNT_ROOT_OFFSET = 24;
  public static final int RESERVED_OFFSET = 32;

  /** A root as we write it. */
  public SpaceMapRoot(long blockCount, long allocatedCount, long bitmapRoot, long refCountRoot) {
    this(
        blockCount,
        allocatedCount,
        bitmapRoot,
        refCountRoot,
        RawBytes.zeros(SIZE_BYTES - RESERVED_OFFSET));
  }

  /** Reads the 128 bytes at an offset; nothing is checked. */
  public static SpaceMapRoot decode(byte[] bytes, int at) {
    return new SpaceMapRoot(
        Le.getU64(bytes, at + BLOCK_COUNT_OFFSET),
        Le.getU64(bytes, at + ALLOCATED_COUNT_OFFSET),
        Le.getU64(bytes, at + BITMAP_ROOT_OFFSET),
        Le.getU64(bytes, at + REF_COUNT_ROOT_OFFSET),
        RawBytes.copyOf(bytes, at + RESERVED_OFFSET, SIZE_BYTES - RESERVED_OFFSET));
  }

  /** Stores the 128 bytes at an offset. */
  public void encode(byte[] into, int at) {
    Le.putU64(into, at + BLOCK_COUNT_OFFSET, blockCount);
    Le.putU64(into, at + ALLOCATED_COUNT_OFFSET, allocatedCount);
    Le.putU64(into, at + BITMAP_ROOT_OFFSET, bitmapRoot);
    Le.putU64(into, at + REF_COUNT_ROOT_OFFSET, refCountRoot);
    reserved.copyTo(into, at + RESERVED_OFFSET);
  }
}
