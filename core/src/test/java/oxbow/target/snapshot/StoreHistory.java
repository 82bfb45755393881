package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.golden.SnapshotFixture.ExceptionPair;
import oxbow.inspect.SnapshotStoreCheck;
import oxbow.inspect.SnapshotStoreReport;
import oxbow.inspect.SnapshotStoreReport.Table;
import oxbow.sim.SimDisk;

/**
 * A random life of a persistent store: exceptions, commits, merges, power cuts, killed processes.
 * Wherever power may fail, images of what it may leave are loaded and compared with a model, the
 * list of exceptions in their order: none that is durable may be missing, and there may be none but
 * the first so many of those that were about to be.
 */
public final class StoreHistory {
  /** What is done wrong on purpose, to see that it would be found. */
  enum Defect {
    NONE,
    /** Zeroes come last. */
    ZEROES_AFTER_WRITES,
    /** What a crash left behind the end stays there (O23). */
    STALE_ENTRIES_STAY,
    /** The next area is not zeroed before this one is full. */
    NEXT_AREA_IS_NOT_ZEROED,
    /** Zeroes may be durable later than entries. */
    NO_FLUSH_BEFORE_WRITES,
    /** A commit has ended although not all of its pieces were written. */
    LAST_WRITE_IS_LEFT_OUT
  }

  private static final int ORIGIN_CHUNKS = 5000;

  /** I/O of a commit. */
  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private final Random random;
  private final Defect defect;
  private final long chunkBytes;
  private final List<Long> unusedOldChunks = new ArrayList<>();
  private SimDisk disk;
  private PersistentStore store;

  /** Exceptions that are durable, in their order; behind them those that were appended. */
  private List<ExceptionPair> table = new ArrayList<>();

  private int durableCount;
  private boolean isInvalid;

  /** A history of correct code. */
  public StoreHistory(long seed) throws IOException {
    this(seed, Defect.NONE);
  }

  StoreHistory(long seed, Defect defect) throws IOException {
    this.random = new Random(seed);
    this.defect = defect;
    long chunkSectors = 1L << random.nextInt(4);
    this.chunkBytes = chunkSectors * 512;
    int areas = 1 + random.nextInt(4);
    long chunks = 2 + areas * (chunkSectors * 32 + 1) - random.nextInt(3);
    byte[] before = new byte[(int) (chunks * chunkBytes)];
    if (random.nextBoolean()) {
      random.nextBytes(before);
    }
    disk = SimDisk.of(before, before.length);
    StoreOpener.format(disk, chunkSectors);
    for (long i = 0; i < ORIGIN_CHUNKS; i++) {
      unusedOldChunks.add(i);
    }
    Collections.shuffle(unusedOldChunks, random);
    store = load(disk, table);
  }

  private PersistentStore load(SimDisk from, List<ExceptionPair> into) throws IOException {
    return StoreOpener.load(
        from,
        ORIGIN_CHUNKS * chunkBytes,
        (oldChunk, newChunk, count) -> {
          for (long i = 0; i < count; i++) {
            into.add(new ExceptionPair(oldChunk + i, newChunk + i));
          }
        });
  }

  /** Lives it to its end; the store that is left is clean, and nothing in memory is newer. */
  public StoreHistory run() throws IOException {
    for (int i = 0; i < 30 && !isInvalid; i++) {
      switch (random.nextInt(8)) {
        case 0 -> reload(random.nextBoolean());
        case 1 -> merge();
        case 2 -> commit();
        default -> {
          append();
          commit();
        }
      }
    }
    if (!isInvalid) {
      reload(false);
    }
    return this;
  }

  /** The disk as reads see it. */
  public SimDisk disk() {
    return disk;
  }

  /** The exceptions on it. */
  public List<ExceptionPair> exceptions() {
    return List.copyOf(table);
  }

  /** Whether it was filled up to where the next area would lie past its end (section 8). */
  public boolean isInvalid() {
    return isInvalid;
  }

  /** What the status shows. */
  public String figures() {
    return store.figures();
  }

  private void append() {
    int runs = 1 + random.nextInt(random.nextInt(3) == 0 ? 40 : 4);
    for (int i = 0; i < runs; i++) {
      int wanted = 1 + random.nextInt(random.nextInt(3) == 0 ? 40 : 2);
      long first = store.allocate(wanted);
      if (first == ExceptionStore.NONE) {
        return;
      }
      // Neighbours in the store come from anywhere: what is stale differs from what is new.
      for (long j = 0; j < store.allocatedCount(); j++) {
        long oldChunk = unusedOldChunks.removeLast();
        if (random.nextInt(5) > 0 && unusedOldChunks.remove(Long.valueOf(lastOldChunk() + 1))) {
          unusedOldChunks.add(random.nextInt(unusedOldChunks.size()), oldChunk);
          oldChunk = lastOldChunk() + 1;
        }
        store.append(oldChunk, first + j, 1);
        table.add(new ExceptionPair(oldChunk, first + j));
      }
    }
  }

  private long lastOldChunk() {
    return table.isEmpty() ? ORIGIN_CHUNKS : table.getLast().oldChunk();
  }

  private void commit() throws IOException {
    Commit commit = store.beginCommit();
    if (commit == null) {
      assertThat(durableCount).isEqualTo(table.size());
      return;
    }
    assertThat(commit.entryCount()).isEqualTo(table.size());
    assertThat(commit.endChunk()).isEqualTo(table.getLast().newChunk() + 1);
    if (commit.isPastEnd()) {
      invalidate(commit);
    } else if (carryOut(commit, durableCount)) {
      store.ended(commit);
      durableCount = table.size();
      SnapshotStoreReport report = checked(disk);
      assertThat(store.figures()).isEqualTo(table(report).statusFigures());
    }
  }

  private void invalidate(Commit commit) throws IOException {
    store.failed(commit);
    Write header = store.invalidation();
    disk.write(header.offsetBytes(), ByteBuffer.wrap(header.bytes()));
    disk.flush();
    List<ExceptionPair> none = new ArrayList<>();
    assertThat(load(disk, none).isValid()).isFalse();
    assertThat(none).isEmpty();
    isInvalid = true;
  }

  private void merge() throws IOException {
    commit();
    long most = random.nextBoolean() ? Long.MAX_VALUE : 1 + random.nextInt(4);
    for (int left = 1 + random.nextInt(40); left > 0 && !isInvalid && !store.isEmpty(); left--) {
      TailRead tail = store.tailToRead(most);
      if (tail != null) {
        assertThat(tail.run(disk)).isEqualTo(Errno.OK);
        store.read(tail);
      }
      Run run = store.lastRun(most);
      assertIsLastRun(run, most);
      Commit removal = store.beginRemoval(run);
      if (!carryOut(removal, table.size() - (int) run.count())) {
        return;
      }
      store.ended(removal);
      table
          .subList(table.size() - (int) run.count(), table.size())
          .forEach(pair -> unusedOldChunks.add(0, pair.oldChunk()));
      table = new ArrayList<>(table.subList(0, table.size() - (int) run.count()));
      durableCount = table.size();
      checked(disk);
    }
  }

  private void assertIsLastRun(Run run, long most) {
    int first = table.size() - (int) run.count();
    for (int i = 0; i < run.count(); i++) {
      assertThat(table.get(first + i))
          .isEqualTo(new ExceptionPair(run.oldChunk() + i, run.newChunk() + i));
    }
    long perArea = chunkBytes / 16;
    boolean canGoOn = first % perArea != 0 && run.count() < most;
    assertThat(
            canGoOn
                && table
                    .get(first - 1)
                    .equals(new ExceptionPair(run.oldChunk() - 1, run.newChunk() - 1)))
        .as("a longer run than " + run)
        .isFalse();
  }

  /** Whether the commit came to its end before power failed. */
  private boolean carryOut(Commit commit, int certainCount) throws IOException {
    int crashAt = random.nextInt(3) == 0 ? random.nextInt(4) : -1;
    for (Step step : steps(commit)) {
      step.run();
      for (int i = 0; i < 2; i++) {
        assertIsLawful(disk.crashImage(random), certainCount);
      }
      if (crashAt-- == 0) {
        boolean isPowerCut = random.nextBoolean();
        reload(isPowerCut, certainCount);
        return false;
      }
    }
    return true;
  }

  private List<Step> steps(Commit commit) {
    List<Step> zeroes = new ArrayList<>();
    for (Commit.Zeroes range : commit.zeroes()) {
      boolean isArea = range.lengthBytes() == chunkBytes;
      boolean isSkipped =
          defect == (isArea ? Defect.NEXT_AREA_IS_NOT_ZEROED : Defect.STALE_ENTRIES_STAY);
      if (!isSkipped) {
        ByteBuffer zeros = ByteBuffer.allocate((int) range.lengthBytes());
        zeroes.add(() -> disk.write(range.offsetBytes(), zeros));
      }
    }
    List<Step> writes = new ArrayList<>();
    for (Write write : commit.writes()) {
      writes.add(() -> disk.write(write.offsetBytes(), ByteBuffer.wrap(write.bytes())));
    }
    if (defect == Defect.LAST_WRITE_IS_LEFT_OUT && writes.size() > 1) {
      writes.removeLast();
    }
    Collections.shuffle(writes, random);
    List<Step> steps = new ArrayList<>();
    steps.addAll(defect == Defect.ZEROES_AFTER_WRITES ? writes : zeroes);
    if (defect != Defect.NO_FLUSH_BEFORE_WRITES) {
      steps.add(disk::flush);
    }
    steps.addAll(defect == Defect.ZEROES_AFTER_WRITES ? zeroes : writes);
    steps.add(disk::flush);
    return steps;
  }

  private void reload(boolean isPowerCut) throws IOException {
    reload(isPowerCut, durableCount);
  }

  /** Power fails, or only the process: then what the disk's cache holds is still there. */
  private void reload(boolean isPowerCut, int certainCount) throws IOException {
    if (isPowerCut) {
      disk = disk.crashImage(random);
    }
    List<ExceptionPair> loaded = assertIsLawful(disk, certainCount);
    table
        .subList(loaded.size(), table.size())
        .forEach(pair -> unusedOldChunks.add(0, pair.oldChunk()));
    table = new ArrayList<>();
    store = load(disk, table);
    durableCount = table.size();
    Table checked = table(checked(disk));
    assertThat(store.figures()).isEqualTo(checked.statusFigures());
    assertThat(store.nextFree()).isEqualTo(checked.nextFreeChunk());
    assertThat(assertIsLawful(disk.crashImage(random), durableCount))
        .as("all that was loaded is durable")
        .isEqualTo(table);
  }

  /** An image has all exceptions that are certain, and no others but those that follow. */
  private List<ExceptionPair> assertIsLawful(SimDisk image, int certainCount) throws IOException {
    checked(image);
    List<ExceptionPair> loaded = new ArrayList<>();
    load(image, loaded);
    assertThat(loaded.size()).isBetween(certainCount, table.size());
    assertThat(loaded).isEqualTo(table.subList(0, loaded.size()));
    return loaded;
  }

  private static SnapshotStoreReport checked(SimDisk image) throws IOException {
    SnapshotStoreReport report = SnapshotStoreCheck.run(image, 10, 10);
    assertThat(report.problems()).isEmpty();
    return report;
  }

  private static Table table(SnapshotStoreReport report) {
    @Nullable Table table = report.table();
    if (table == null) {
      throw new AssertionError("no table: " + report);
    }
    return table;
  }
}
