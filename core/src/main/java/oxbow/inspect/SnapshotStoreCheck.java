package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.format.snapshot.StoreHeader;
import oxbow.format.snapshot.StoreLayout;
import oxbow.inspect.SnapshotStoreReport.Run;
import oxbow.inspect.SnapshotStoreReport.Table;

/**
 * Verifies a persistent exception store of dm-snapshot: the header, the chain of areas, and that
 * every exception points to a chunk of its own. Goes on past damage, so as to find all of it.
 * Blocks; never writes.
 *
 * @see "docs/format/snapshot.md"
 */
public final class SnapshotStoreCheck {
  /** An area may be as large as a chunk, 1 GiB: it is read in pieces, up to its terminator. */
  private static final int PIECE_BYTES = 1 << 20;

  private final BlockingIo device;
  private final int maxProblems;
  private final int maxRuns;
  private final List<Problem> problems = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private long unlistedProblemCount;

  /** All exceptions, in the order of the areas. */
  private long[] oldChunks = new long[1024];

  private long[] newChunks = new long[1024];
  private int count;

  private SnapshotStoreCheck(BlockingIo device, int maxProblems, int maxRuns) {
    this.device = device;
    this.maxProblems = maxProblems;
    this.maxRuns = maxRuns;
  }

  /**
   * Checks the store on a device.
   *
   * @param maxProblems at most so many are listed; the rest is counted
   * @param maxRuns at most so many runs of exceptions are listed
   * @throws IOException if not even the header can be read
   */
  public static SnapshotStoreReport run(BlockingIo device, int maxProblems, int maxRuns)
      throws IOException {
    return new SnapshotStoreCheck(device, maxProblems, maxRuns).run();
  }

  private SnapshotStoreReport run() throws IOException {
    byte[] bytes = new byte[StoreHeader.SIZE_BYTES];
    device.read(0, ByteBuffer.wrap(bytes));
    StoreHeader header = StoreHeader.decode(bytes, 0);
    return new SnapshotStoreReport(
        header, table(header), List.copyOf(problems), unlistedProblemCount, List.copyOf(warnings));
  }

  private @Nullable Table table(StoreHeader header) {
    try {
      header.check();
    } catch (FormatException unusable) {
      problem(unusable.fault(), 0, String.valueOf(unusable.getMessage()));
      return null;
    }
    if (header.valid() > 1) {
      warnings.add("valid is " + header.valid() + ", a kernel writes 0 or 1");
    }
    if (!header.reserved().isZero()) {
      warnings.add("reserved bytes of the header are not zero");
    }
    StoreLayout layout = new StoreLayout(header.chunkSizeSectors());
    long chunkCount = layout.chunkCount(device.sizeBytes());
    long fullAreas = 0;
    while (isFull(fullAreas, layout, chunkCount, header.isValid())) {
      fullAreas++;
    }
    checkTwice("old", oldChunks);
    checkTwice("new", newChunks);
    return summary(layout, chunkCount, fullAreas);
  }

  /** Reads an area up to its terminator; whether it has none, so that the next area goes on. */
  private boolean isFull(long area, StoreLayout layout, long chunkCount, boolean isValid) {
    long chunk = layout.areaChunk(area);
    if (chunk >= chunkCount) {
      String what = "metadata area " + area + " would lie past the end, and all before it are full";
      if (isValid) {
        problem(Fault.AREA, chunk, what);
      } else {
        warnings.add(what);
      }
      return false;
    }
    long stale = 0;
    boolean isEnded = false;
    for (long at = 0; at < layout.chunkBytes(); at += PIECE_BYTES) {
      ExceptionArea piece = read(layout.offsetBytes(chunk) + at, layout.chunkBytes() - at, chunk);
      if (piece == null) {
        return false;
      }
      int used = isEnded ? 0 : piece.terminator(0);
      for (int i = 0; i < used; i++) {
        add(piece.oldChunk(i), piece.newChunk(i), layout, chunkCount, chunk);
      }
      if (used < piece.entryCount()) {
        isEnded = true;
        stale += piece.countNonZero(used);
      }
    }
    if (stale > 0) {
      warnings.add(
          "area " + area + " has " + stale + " entries after its end, which count for nothing");
    }
    return !isEnded;
  }

  private @Nullable ExceptionArea read(long offsetBytes, long leftBytes, long chunk) {
    byte[] bytes = new byte[(int) Math.min(leftBytes, PIECE_BYTES)];
    try {
      device.read(offsetBytes, ByteBuffer.wrap(bytes));
      return ExceptionArea.over(bytes, bytes.length);
    } catch (IOException unreadable) {
      problem(Fault.IO, chunk, "area cannot be read: " + unreadable.getMessage());
      return null;
    }
  }

  private void add(long oldChunk, long newChunk, StoreLayout layout, long chunkCount, long area) {
    String pair = "exception of chunk " + Long.toUnsignedString(oldChunk) + " ";
    if (!StoreLayout.isChunkNumber(oldChunk) || !StoreLayout.isChunkNumber(newChunk)) {
      problem(Fault.RANGE, area, pair + "has a number that no chunk can have");
      return;
    }
    if (newChunk >= chunkCount) {
      problem(
          Fault.RANGE, area, pair + "points to chunk " + newChunk + " of a store of " + chunkCount);
    } else if (layout.isMetadata(newChunk)) {
      problem(Fault.DOUBLE_USE, area, pair + "points to " + newChunk + ", a metadata area");
    }
    if (count == oldChunks.length) {
      oldChunks = Arrays.copyOf(oldChunks, 2 * count);
      newChunks = Arrays.copyOf(newChunks, 2 * count);
    }
    oldChunks[count] = oldChunk;
    newChunks[count++] = newChunk;
  }

  private void checkTwice(String which, long[] chunks) {
    long[] sorted = Arrays.copyOf(chunks, count);
    Arrays.sort(sorted);
    for (int i = 1; i < count; i++) {
      if (sorted[i] == sorted[i - 1]) {
        problem(
            Fault.DOUBLE_USE, sorted[i], which + " chunk " + sorted[i] + " is in two exceptions");
      }
    }
  }

  private Table summary(StoreLayout layout, long chunkCount, long fullAreas) {
    long highest = Arrays.stream(newChunks, 0, count).max().orElse(0);
    long nextFree = Math.max(StoreLayout.FIRST_DATA_CHUNK, layout.nextDataChunk(highest));
    long areasBelow =
        (nextFree + layout.exceptionsPerArea() - 1) / (layout.exceptionsPerArea() + 1L);
    long dataChunks = nextFree - 1 - areasBelow;
    long usedChunks = Arrays.stream(newChunks, 0, count).distinct().count();
    String figures =
        "%d/%d %d"
            .formatted(
                nextFree * layout.chunkSizeSectors(),
                Sectors.fromBytes(device.sizeBytes()),
                (fullAreas + 2) * layout.chunkSizeSectors());
    List<Run> runs = runs();
    return new Table(
        chunkCount,
        fullAreas,
        count,
        nextFree,
        dataChunks - usedChunks,
        figures,
        List.copyOf(runs.subList(0, Math.min(maxRuns, runs.size()))),
        runs.size());
  }

  private List<Run> runs() {
    List<Run> single = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      single.add(new Run(oldChunks[i], newChunks[i], 1));
    }
    single.sort((a, b) -> Long.compare(a.oldChunk(), b.oldChunk()));
    List<Run> runs = new ArrayList<>();
    for (Run next : single) {
      Run last = runs.isEmpty() ? null : runs.getLast();
      if (last != null
          && last.oldChunk() + last.count() == next.oldChunk()
          && last.newChunk() + last.count() == next.newChunk()) {
        runs.set(runs.size() - 1, new Run(last.oldChunk(), last.newChunk(), last.count() + 1));
      } else {
        runs.add(next);
      }
    }
    return runs;
  }

  private void problem(Fault fault, long chunk, String what) {
    if (problems.size() < maxProblems) {
      problems.add(new Problem(fault, what, chunk, List.of()));
    } else {
      unlistedProblemCount++;
    }
  }
}
