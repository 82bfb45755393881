package oxbow.target.snapshot;

import java.util.Arrays;
import oxbow.block.Sectors;
import oxbow.format.snapshot.ExceptionArea;

/**
 * The end of a store's table of exceptions, as much of it as is needed: entries numbered through
 * all areas, from the first of some sector on. An area has whole sectors of them, so a sector never
 * holds entries of two areas.
 */
final class EntryWindow {
  /** Entries in a sector. */
  static final int SECTOR_ENTRIES = Sectors.SIZE_BYTES / ExceptionArea.ENTRY_BYTES;

  private byte[] bytes;
  private ExceptionArea entries;
  private long first;
  private int count;

  /**
   * A window on entries that were read.
   *
   * @param first number of the first entry, a multiple of {@link #SECTOR_ENTRIES}
   * @param bytes theirs from now on
   * @param count of the entries in there
   */
  EntryWindow(long first, byte[] bytes, int count) {
    if (first % SECTOR_ENTRIES != 0) {
      throw new IllegalArgumentException("entry " + first + " does not begin a sector");
    }
    this.bytes = bytes;
    this.entries = ExceptionArea.over(bytes, bytes.length);
    this.first = first;
    this.count = count;
  }

  /** The number of the first entry of the sector that holds an entry. */
  static long sectorStart(long entry) {
    return entry / SECTOR_ENTRIES * SECTOR_ENTRIES;
  }

  /** The first entry of the window. */
  long first() {
    return first;
  }

  /** The entry that comes next. */
  long end() {
    return first + count;
  }

  int count() {
    return count;
  }

  long oldChunk(long entry) {
    return entries.oldChunk((int) (entry - first));
  }

  long newChunk(long entry) {
    return entries.newChunk((int) (entry - first));
  }

  void append(long oldChunk, long newChunk) {
    if (count == entries.entryCount()) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, Sectors.SIZE_BYTES));
      entries = ExceptionArea.over(bytes, bytes.length);
    }
    entries.set(count++, oldChunk, newChunk);
  }

  /** Entries before the sector of this one are not needed any more. */
  void forgetBefore(long entry) {
    int gone = (int) (sectorStart(entry) - first);
    if (gone > 0) {
      int from = gone * ExceptionArea.ENTRY_BYTES;
      int to = count * ExceptionArea.ENTRY_BYTES;
      System.arraycopy(bytes, from, bytes, 0, to - from);
      first += gone;
      count -= gone;
    }
  }

  /** The table now ends before this entry. */
  void endAt(long entry) {
    count = (int) (entry - first);
  }

  /**
   * A copy of whole sectors.
   *
   * @param from first entry of a sector
   * @param to the last sector is the one before which this entry would begin, or which holds it
   * @param liveEnd entries from here on are zeros in the copy
   */
  byte[] sectors(long from, long to, long liveEnd) {
    int sectorCount = (int) Math.ceilDiv(to - from, (long) SECTOR_ENTRIES);
    byte[] copy = new byte[sectorCount * Sectors.SIZE_BYTES];
    int live = (int) Math.max(0, Math.min(to, liveEnd) - from);
    int at = (int) (from - first) * ExceptionArea.ENTRY_BYTES;
    System.arraycopy(bytes, at, copy, 0, live * ExceptionArea.ENTRY_BYTES);
    return copy;
  }
}
