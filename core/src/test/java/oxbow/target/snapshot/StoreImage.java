package oxbow.target.snapshot;

import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.format.snapshot.StoreLayout;
import oxbow.inspect.SnapshotStoreCheck;
import oxbow.inspect.SnapshotStoreReport;
import oxbow.sim.SimDisk;

/**
 * What is in the store of a persistent snapshot, read from its disk alone, past all code that is
 * tested: sound, with its entries in the order of their chunks (E1).
 */
final class StoreImage {
  private static final int SECTOR = SimDisk.SECTOR_BYTES;
  private static final int MOST_PROBLEMS = 4;

  private final SnapshotPlan.Store plan;
  private final boolean isValid;

  /** By the origin's chunk; 0 where there is none. */
  private final long[] newChunks;

  private int exceptionCount;
  private int staleCount;

  private StoreImage(SnapshotPlan.Store plan, boolean isValid, int chunkCount) {
    this.plan = plan;
    this.isValid = isValid;
    this.newChunks = new long[chunkCount];
  }

  /**
   * Reads a disk.
   *
   * @param originSectors exceptions may be of any chunk of the origin
   * @throws AssertionError if the store is not sound
   */
  static StoreImage read(SnapshotPlan.Store plan, int originSectors, SimDisk disk) {
    int chunkCount = Math.ceilDiv(originSectors, plan.chunkSectors());
    try {
      SnapshotStoreReport report = SnapshotStoreCheck.run(disk, MOST_PROBLEMS, 0);
      if (!report.header().isInitialised()) {
        return new StoreImage(plan, true, chunkCount);
      }
      if (!report.header().isValid()) {
        return new StoreImage(plan, false, chunkCount);
      }
      require(report.isClean(), "is not sound: " + report.problems());
      require(
          report.header().chunkSizeSectors() == plan.chunkSectors(),
          "has chunks of " + report.header().chunkSizeSectors() + " sectors");
      StoreImage image = new StoreImage(plan, true, chunkCount);
      image.readAreas(disk);
      return image;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void readAreas(SimDisk disk) {
    StoreLayout layout = plan.layout();
    long last = 0;
    for (long area = 0; ; area++) {
      byte[] bytes =
          disk.bytes(layout.offsetBytes(layout.areaChunk(area)), (int) layout.chunkBytes());
      ExceptionArea entries = ExceptionArea.over(bytes, bytes.length);
      int used = entries.terminator(0);
      for (int i = 0; i < used; i++) {
        long oldChunk = entries.oldChunk(i);
        require(oldChunk < newChunks.length, "has an exception of chunk " + oldChunk);
        require(entries.newChunk(i) > last, "has exceptions out of order");
        last = entries.newChunk(i);
        newChunks[(int) oldChunk] = last;
        exceptionCount++;
      }
      if (used < layout.exceptionsPerArea()) {
        staleCount = entries.countNonZero(used);
        return;
      }
    }
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError("a crash leaves a store that " + what);
    }
  }

  boolean isValid() {
    return isValid;
  }

  int exceptionCount() {
    return exceptionCount;
  }

  /** Entries behind the table's end. */
  int staleCount() {
    return staleCount;
  }

  /** The origin's chunks that have exceptions. */
  BitSet chunks() {
    BitSet chunks = new BitSet();
    for (int chunk = 0; chunk < newChunks.length; chunk++) {
      chunks.set(chunk, newChunks[chunk] != 0);
    }
    return chunks;
  }

  /** What a sector shows. */
  int look(int sector, SimDisk store, SimDisk origin) {
    long newChunk = newChunks[sector / plan.chunkSectors()];
    if (newChunk == 0) {
      return origin.intAt((long) sector * SECTOR);
    }
    long inStore = newChunk * plan.chunkSectors() + sector % plan.chunkSectors();
    return store.intAt(inStore * SECTOR);
  }

  @Override
  public String toString() {
    return (isValid ? "exceptions " : "invalid ") + Arrays.toString(newChunks);
  }
}
