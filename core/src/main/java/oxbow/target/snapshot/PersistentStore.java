package oxbow.target.snapshot;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.Sectors;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.format.snapshot.StoreHeader;
import oxbow.format.snapshot.StoreLayout;
import oxbow.target.snapshot.Commit.Zeroes;

/**
 * A store whose exceptions are written down on it, as a Linux kernel does: either side can take
 * over from the other. Of the table only the end is in memory: what is not durable yet, and the
 * beginning of its first sector (O21); an area can be as large as a chunk, 1 GiB.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>P1. On disk the table has, whatever a crash leaves, all entries that are durable, and of
 *       the others the first so many, or none.
 *   <li>P2. What follows the table's end, to the end of its area, reads as zeros before a commit's
 *       entries are written ({@link Commit}); so does the next area before this one becomes full.
 *       What a crash left there is remembered from loading until it has been cleared (O23).
 *   <li>P3. Entries are in the order of allocation: new chunks ascend.
 *   <li>P4. One commit or removal is under way at a time.
 * </ul>
 */
final class PersistentStore extends ExceptionStore {
  /** A write is no larger than the frame takes, 1 MiB. */
  private static final int PIECE_ENTRIES = (1 << 20) / ExceptionArea.ENTRY_BYTES;

  /** A window of so many entries need not be longer for a run to be told from it. */
  private static final int ENOUGH_ENTRIES = PIECE_ENTRIES / 2;

  private final StoreLayout layout;
  private final boolean isValid;
  private EntryWindow window;

  /** What is behind the end of the table and must go (O23); null if there is nothing. */
  private @Nullable Zeroes stale;

  /** Entries that are durable; behind them in the window are those that are not. */
  private long durableCount;

  /** All chunks of entries that were appended lie below. */
  private long appendedEnd;

  /** What a merge has the status show as next free chunk (section 9, step 8); or NONE. */
  private long mergedNextFree = NONE;

  private @Nullable Commit underWay;

  /**
   * What was loaded; all of it is durable.
   *
   * @param isValid as the header says; of an invalid store nothing else is known
   * @param nextFree a data chunk above all that are in use
   * @param window ends with the last entry, begins at latest with that one's sector
   * @param stale what is not zeros behind that sector, in its area
   */
  PersistentStore(
      StoreLayout layout,
      long storeBytes,
      boolean isValid,
      long nextFree,
      EntryWindow window,
      @Nullable Zeroes stale) {
    super(layout.chunkSizeSectors(), storeBytes, nextFree);
    this.layout = layout;
    this.isValid = isValid;
    this.window = window;
    this.stale = stale;
    this.durableCount = window.end();
    this.appendedEnd = nextFree;
  }

  /** Whether the header says that the store can be used. */
  boolean isValid() {
    return isValid;
  }

  @Override
  long allocate(long wanted) {
    mergedNextFree = NONE;
    return super.allocate(wanted);
  }

  @Override
  long neighbours(long chunk) {
    return layout.dataChunksFrom(chunk);
  }

  @Override
  long dataChunkFrom(long chunk) {
    return layout.isMetadata(chunk) ? chunk + 1 : chunk;
  }

  @Override
  long shownFree() {
    return mergedNextFree == NONE ? nextFree() : mergedNextFree;
  }

  @Override
  long metadataChunks() {
    return areaOf(window.end()) + 2;
  }

  private long areaOf(long entry) {
    return entry / layout.exceptionsPerArea();
  }

  // ---- Exceptions are added ----

  /**
   * Adds exceptions of neighbours whose chunks of the store hold their data by now. In the order in
   * which the chunks were handed out (P3).
   */
  void append(long oldChunk, long newChunk, long count) {
    if (newChunk < appendedEnd || newChunk + count > nextFree()) {
      throw new IllegalStateException(
          "chunks from %d, %d of them, after %d and before %d"
              .formatted(newChunk, count, appendedEnd, nextFree()));
    }
    for (long i = 0; i < count; i++) {
      window.append(oldChunk + i, newChunk + i);
    }
    appendedEnd = newChunk + count;
  }

  /**
   * Freezes what has been appended; null if all of it is durable. What comes later is not in it.
   */
  @Nullable Commit beginCommit() {
    checkIdle();
    long end = window.end();
    if (end == durableCount) {
      return null;
    }
    List<Zeroes> zeroes = new ArrayList<>();
    boolean isPastEnd = false;
    if (stale != null) {
      zeroes.add(stale);
    }
    for (long area = areaOf(durableCount) + 1; area <= areaOf(end); area++) {
      long chunk = layout.areaChunk(area);
      isPastEnd |= chunk >= chunkCount();
      zeroes.add(new Zeroes(offsetBytes(chunk), chunkBytes()));
    }
    Commit commit =
        new Commit(
            List.copyOf(zeroes), writes(durableCount, end, end), isPastEnd, appendedEnd, end);
    underWay = commit;
    return commit;
  }

  /** The sectors that hold these entries, with zeros from an entry on, cut at areas. */
  private List<Write> writes(long from, long to, long liveEnd) {
    List<Write> writes = new ArrayList<>();
    for (long at = EntryWindow.sectorStart(from); at < to; ) {
      long areaEnd = (areaOf(at) + 1) * layout.exceptionsPerArea();
      long end = Math.min(Math.min(to, areaEnd), at + PIECE_ENTRIES);
      writes.add(new Write(layout.entryOffsetBytes(at), window.sectors(at, end, liveEnd)));
      at = end;
    }
    return List.copyOf(writes);
  }

  /** A commit or a removal was carried out, and is durable. */
  void ended(Commit commit) {
    finish(commit);
    stale = null;
    if (commit.entryCount() < durableCount) {
      window.endAt(commit.entryCount());
      long area = areaOf(commit.entryCount());
      long inArea = commit.entryCount() % layout.exceptionsPerArea();
      mergedNextFree = layout.areaChunk(area) + inArea + 1;
    } else {
      window.forgetBefore(commit.entryCount());
    }
    durableCount = commit.entryCount();
  }

  /** Something of it failed: nothing counts as done, and the next one has all of it again. */
  void failed(Commit commit) {
    finish(commit);
  }

  private void finish(Commit commit) {
    if (!commit.equals(underWay)) {
      throw new IllegalStateException("not under way: " + commit);
    }
    underWay = null;
  }

  private void checkIdle() {
    if (underWay != null) {
      throw new IllegalStateException("one commit at a time");
    }
  }

  /** The header as it is once the snapshot is invalid; there is no way back. */
  Write invalidation() {
    byte[] sector = new byte[StoreHeader.SIZE_BYTES];
    StoreHeader.create(false, chunkSectors()).encode(sector, 0);
    return new Write(0, sector);
  }

  // ---- Exceptions are merged into the origin ----

  /** Whether no exception is left: a merge is finished. */
  boolean isEmpty() {
    return window.end() == 0;
  }

  /**
   * What must be read before {@link #lastRun} can answer; null if nothing. To be run where it may
   * block, then given to {@link #read}.
   *
   * @param mostChunks as for {@link #lastRun}
   */
  @Nullable TailRead tailToRead(long mostChunks) {
    checkAllDurable();
    long end = window.end();
    if (end == 0
        || window.first() <= startOfLastArea()
        || window.count() >= Math.min(mostChunks, ENOUGH_ENTRIES)) {
      return null;
    }
    long pieceStart = EntryWindow.sectorStart(end - 1) + EntryWindow.SECTOR_ENTRIES - PIECE_ENTRIES;
    long first = Math.max(startOfLastArea(), pieceStart);
    int count = (int) (end - first);
    int sectors = Math.ceilDiv(count, EntryWindow.SECTOR_ENTRIES);
    return new TailRead(first, count, layout.entryOffsetBytes(first), sectors * Sectors.SIZE_BYTES);
  }

  /** The end of the table was read without an error, and the table has not changed meanwhile. */
  void read(TailRead tail) {
    EntryWindow longer = tail.window();
    if (longer.end() != window.end()) {
      throw new IllegalStateException(
          "read up to entry %d, not %d".formatted(longer.end(), window.end()));
    }
    window = longer;
  }

  /**
   * The newest exceptions that are neighbours in the table, in the origin and in the store (section
   * 9, step 2). They lie in one area. In an area of more than 1 MiB a run may be cut short, though
   * not below 32768 chunks.
   *
   * @param mostChunks at least 1; a longer run is cut to its newest so many
   * @throws IllegalStateException if there is none, or {@link #tailToRead} has something to read
   */
  Run lastRun(long mostChunks) {
    if (isEmpty() || tailToRead(mostChunks) != null) {
      throw new IllegalStateException("the end of the table is empty or unread: " + window.end());
    }
    long last = window.end() - 1;
    long start = Math.max(startOfLastArea(), window.first());
    long first = last;
    while (first > start && last - first + 1 < mostChunks && continues(first)) {
      first--;
    }
    return new Run(window.oldChunk(first), window.newChunk(first), last - first + 1);
  }

  private long startOfLastArea() {
    return areaOf(Math.max(0, window.end() - 1)) * layout.exceptionsPerArea();
  }

  /** Whether an entry goes on where the one before it ends. */
  private boolean continues(long entry) {
    return window.oldChunk(entry - 1) + 1 == window.oldChunk(entry)
        && window.newChunk(entry - 1) + 1 == window.newChunk(entry);
  }

  /**
   * Shortens the table by its last run (section 9, step 7): its entries become zeros. The run must
   * be durable in the origin before any of this is written.
   *
   * @param run as {@link #lastRun} answered it
   */
  Commit beginRemoval(Run run) {
    checkIdle();
    checkAllDurable();
    long end = window.end();
    long left = end - run.count();
    if (left < window.first() || window.newChunk(left) != run.newChunk()) {
      throw new IllegalStateException("not the last run: " + run);
    }
    List<Zeroes> zeroes = stale == null ? List.of() : List.of(stale);
    Commit commit = new Commit(zeroes, writes(left, end, left), false, appendedEnd, left);
    underWay = commit;
    return commit;
  }

  private void checkAllDurable() {
    if (window.end() != durableCount) {
      throw new IllegalStateException("exceptions that are not durable cannot be merged");
    }
  }
}
