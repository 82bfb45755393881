package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.block.Errno;
import oxbow.golden.SnapshotFixture;
import oxbow.golden.SnapshotFixture.ExceptionPair;
import oxbow.sim.SimDisk;

/**
 * Aim: a merge takes a store's exceptions off it as a kernel does, from the newest on, run by run.
 * Method: a kernel's stores merged to their end; tables longer than what is kept in memory.
 */
class StoreMergeTest {
  private static final ExceptionSink IGNORED = (oldChunk, newChunk, count) -> {};

  private static Run lastRun(PersistentStore store, long most, SimDisk disk) {
    TailRead tail = store.tailToRead(most);
    if (tail != null) {
      assertThat(tail.run(disk)).isEqualTo(Errno.OK);
      store.read(tail);
    }
    return store.lastRun(most);
  }

  private static void remove(PersistentStore store, Run run, SimDisk disk) throws IOException {
    Commit removal = store.beginRemoval(run);
    StoreOpenerTest.carryOut(removal, disk);
    store.ended(removal);
  }

  @ParameterizedTest
  @MethodSource("oxbow.golden.SnapshotFixture#all")
  @DisplayName("M1 M7: each run is what precedes in the table; in the end the store is empty")
  void kernelStoresAreMergedToTheirEnd(SnapshotFixture fixture) throws IOException {
    SimDisk disk = fixture.disk();
    PersistentStore store = StoreOpener.load(disk, fixture.originSectors() * 512, IGNORED);
    int left = store.isValid() ? fixture.exceptions().size() : 0;
    while (!store.isEmpty()) {
      Run run = lastRun(store, Long.MAX_VALUE, disk);
      left -= (int) run.count();
      for (int i = 0; i < run.count(); i++) {
        assertThat(fixture.exceptions().get(left + i))
            .isEqualTo(new ExceptionPair(run.oldChunk() + i, run.newChunk() + i));
      }
      remove(store, run, disk);
    }
    assertThat(left).isZero();
    long two = 2 * store.chunkSectors();
    if (store.isValid() && !fixture.exceptions().isEmpty()) {
      assertThat(store.figures()).isEqualTo(two + "/" + fixture.storeBytes() / 512 + " " + two);
    }
    List<ExceptionPair> loaded = new ArrayList<>();
    StoreOpener.load(disk, fixture.originSectors() * 512, StoreOpenerTest.into(loaded));
    assertThat(loaded).isEmpty();
  }

  @Test
  @DisplayName("Section 9, step 8: what a kernel shows of a store with 265 exceptions left")
  void figuresOfAMergeAreTheKernels() throws IOException {
    SimDisk disk = new SimDisk(32768 * 512);
    PersistentStore store = StoreOpener.open(disk, 8, 1L << 40, IGNORED);
    for (int i = 0; i < 300; i++) {
      store.append(7L * i, store.allocate(1), 1);
    }
    commit(store, disk);
    for (int i = 300; i > 265; i--) {
      remove(store, lastRun(store, Long.MAX_VALUE, disk), disk);
    }
    assertThat(store.figures()).isEqualTo("2144/32768 24");
    PersistentStore loaded = StoreOpener.load(disk, 1L << 40, IGNORED);
    assertThat(loaded.figures()).isEqualTo("2144/32768 24");
    for (int i = 265; i > 256; i--) {
      remove(loaded, lastRun(loaded, Long.MAX_VALUE, disk), disk);
    }
    assertThat(loaded.figures()).isEqualTo("2072/32768 24");
    remove(loaded, lastRun(loaded, Long.MAX_VALUE, disk), disk);
    assertThat(loaded.figures()).isEqualTo("2056/32768 16");
    assertThat(loaded.allocate(1)).as("never twice before it is loaded anew").isEqualTo(268);
  }

  private static void commit(PersistentStore store, SimDisk disk) throws IOException {
    Commit commit = Objects.requireNonNull(store.beginCommit());
    StoreOpenerTest.carryOut(commit, disk);
    store.ended(commit);
  }

  @Test
  void runsEndAtAreasAndAtWhatIsAskedFor() throws IOException {
    SimDisk disk = new SimDisk(600 * 4096);
    PersistentStore store = StoreOpener.open(disk, 8, 1L << 40, IGNORED);
    for (long next = 1000; next < 1300; ) {
      long first = store.allocate(1300 - next);
      store.append(next, first, store.allocatedCount());
      next += store.allocatedCount();
    }
    assertThatThrownBy(() -> store.tailToRead(1)).isInstanceOf(IllegalStateException.class);
    commit(store, disk);
    Run newest = lastRun(store, 5, disk);
    assertThat(newest).isEqualTo(new Run(1295, 298, 5));
    remove(store, newest, disk);
    Run ofArea = lastRun(store, Long.MAX_VALUE, disk);
    assertThat(ofArea).isEqualTo(new Run(1256, 259, 39));
    Commit failed = store.beginRemoval(ofArea);
    assertThatThrownBy(() -> store.beginRemoval(ofArea)).isInstanceOf(IllegalStateException.class);
    store.failed(failed);
    remove(store, ofArea, disk);
    assertThat(lastRun(store, Long.MAX_VALUE, disk)).isEqualTo(new Run(1000, 2, 256));
    assertThatThrownBy(() -> store.beginRemoval(ofArea)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @DisplayName("O21: an area of 2 MiB is written, loaded and merged in pieces of at most 1 MiB")
  void largeAreasAreHandledInPieces() throws IOException {
    int count = 100_000;
    SimDisk disk = new SimDisk((count + 3L) << 21);
    PersistentStore store = StoreOpener.open(disk, 4096, 1L << 50, IGNORED);
    store.append(5, store.allocate(count), count);
    Commit commit = Objects.requireNonNull(store.beginCommit());
    assertThat(commit.writes())
        .extracting(write -> write.bytes().length)
        .containsExactly(1 << 20, 551424);
    StoreOpenerTest.carryOut(commit, disk);
    store.ended(commit);

    List<Run> runs = new ArrayList<>();
    PersistentStore loaded =
        StoreOpener.load(
            disk, 1L << 50, (old, chunk, length) -> runs.add(new Run(old, chunk, length)));
    assertThat(runs).containsExactly(new Run(5, 2, count));
    disk.clearWrites();
    long merged = 0;
    while (!loaded.isEmpty()) {
      Run run = lastRun(loaded, 20_000, disk);
      assertThat(run.count()).isBetween(1L, 20_000L);
      assertThat(run.oldChunk() + run.count()).isEqualTo(5 + count - merged);
      merged += run.count();
      remove(loaded, run, disk);
    }
    assertThat(merged).isEqualTo(count);
    assertThat(disk.writes()).hasSizeLessThan(8);
    runs.clear();
    StoreOpener.load(disk, 1L << 50, (old, chunk, length) -> runs.add(new Run(old, chunk, length)));
    assertThat(runs).isEmpty();
  }

  @Test
  void theEndOfATableThatIsNotThereAnyMoreIsAnError() throws IOException {
    SimDisk disk = new SimDisk(600 * 4096);
    PersistentStore store = StoreOpener.open(disk, 8, 1L << 40, IGNORED);
    for (int i = 0; i < 64; i++) {
      store.append(i, store.allocate(1), 1);
    }
    commit(store, disk);
    TailRead tail = Objects.requireNonNull(store.tailToRead(Long.MAX_VALUE));
    for (int bit = 0; bit < 8; bit++) {
      if ((disk.bytes(4096 + 8, 1)[0] >> bit & 1) != 0) {
        disk.flipBit(4096 + 8, bit);
      }
    }
    assertThat(tail.run(disk)).isEqualTo(Errno.EIO);
    disk.failOperation(disk.operationCount());
    assertThat(tail.run(disk)).isEqualTo(Errno.EIO);
  }
}
