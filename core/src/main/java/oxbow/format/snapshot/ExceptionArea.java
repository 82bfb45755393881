package oxbow.format.snapshot;

import oxbow.format.Le;

/**
 * A window on exceptions of a metadata area, or on some sectors of one: pairs of a chunk of the
 * origin and the chunk of the store that holds its old contents. The first pair whose new chunk is
 * 0 ends the table; what follows it means nothing.
 *
 * @see "docs/format/snapshot.md, Metadata area; struct disk_exception of Linux 6.1"
 */
public final class ExceptionArea {
  public static final int ENTRY_BYTES = 16;
  public static final int OLD_CHUNK_OFFSET = 0;
  public static final int NEW_CHUNK_OFFSET = 8;

  private final byte[] bytes;
  private final int entryCount;

  private ExceptionArea(byte[] bytes, int entryCount) {
    this.bytes = bytes;
    this.entryCount = entryCount;
  }

  /** A window on the beginning of an array, which stays shared; nothing is checked. */
  public static ExceptionArea over(byte[] bytes, int lengthBytes) {
    return new ExceptionArea(bytes, lengthBytes / ENTRY_BYTES);
  }

  public int entryCount() {
    return entryCount;
  }

  public long oldChunk(int index) {
    return Le.getU64(bytes, index * ENTRY_BYTES + OLD_CHUNK_OFFSET);
  }

  public long newChunk(int index) {
    return Le.getU64(bytes, index * ENTRY_BYTES + NEW_CHUNK_OFFSET);
  }

  public void set(int index, long oldChunk, long newChunk) {
    Le.putU64(bytes, index * ENTRY_BYTES + OLD_CHUNK_OFFSET, oldChunk);
    Le.putU64(bytes, index * ENTRY_BYTES + NEW_CHUNK_OFFSET, newChunk);
  }

  /** The first entry from an index on that ends the table; the entry count if none does. */
  public int terminator(int fromIndex) {
    int index = fromIndex;
    while (index < entryCount && newChunk(index) != 0) {
      index++;
    }
    return index;
  }

  /** How many entries from an index on are not zeros. */
  public int countNonZero(int fromIndex) {
    int count = 0;
    for (int index = fromIndex; index < entryCount; index++) {
      if (oldChunk(index) != 0 || newChunk(index) != 0) {
        count++;
      }
    }
    return count;
  }
}
