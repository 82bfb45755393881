package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.format.snapshot.StoreHeader;
import oxbow.golden.SnapshotFixture;
import oxbow.golden.SnapshotFixture.ExceptionPair;
import oxbow.inspect.SnapshotStoreCheck;
import oxbow.sim.SimDisk;

/**
 * Aim: a kernel's stores are opened as a kernel opens them, only what is empty becomes a store, and
 * what cannot be is refused. Method: golden stores, damaged ones, foreign marks, and power that
 * fails while a store is made.
 */
class StoreOpenerTest {
  private static final int CHUNK_BYTES = 4096;
  private static final long ORIGIN_BYTES = 1 << 20;
  private static final ExceptionSink IGNORED = (oldChunk, newChunk, count) -> {};

  /** Takes runs apart again. */
  static ExceptionSink into(List<ExceptionPair> list) {
    return (oldChunk, newChunk, count) -> {
      for (long i = 0; i < count; i++) {
        list.add(new ExceptionPair(oldChunk + i, newChunk + i));
      }
    };
  }

  @ParameterizedTest
  @MethodSource("oxbow.golden.SnapshotFixture#all")
  @DisplayName("C9: a kernel's store has the exceptions and the figures that the kernel names")
  void kernelStoresAreLoaded(SnapshotFixture fixture) throws IOException {
    List<ExceptionPair> loaded = new ArrayList<>();
    SimDisk disk = fixture.disk();
    PersistentStore store = StoreOpener.open(disk, 32, fixture.originSectors() * 512, into(loaded));
    assertThat(disk.writes()).isEmpty();
    assertThat(store.chunkSectors()).as("the header wins").isEqualTo(fixture.chunkSectors());
    assertThat(store.isValid()).isEqualTo(fixture.isValid());
    if (fixture.isValid()) {
      assertThat(loaded).isEqualTo(fixture.exceptions());
      assertThat(fixture.statusLine()).endsWith(" snapshot " + store.figures());
    } else {
      assertThat(loaded).isEmpty();
      assertThat(fixture.statusLine()).endsWith(" Invalid");
    }
  }

  @ParameterizedTest
  @MethodSource("oxbow.golden.SnapshotFixture#all")
  void kernelStoresGoOnWithOurExceptions(SnapshotFixture fixture) throws IOException {
    SimDisk disk = fixture.disk();
    PersistentStore store = StoreOpener.load(disk, fixture.originSectors() * 512, IGNORED);
    long chunk = store.isValid() ? store.allocate(1) : ExceptionStore.NONE;
    if (chunk == ExceptionStore.NONE) {
      return;
    }
    // No fixture has an exception for the chunk after its origin.
    store.append(fixture.originSectors() / fixture.chunkSectors() + 1, chunk, 1);
    carryOut(Objects.requireNonNull(store.beginCommit()), disk);
    List<ExceptionPair> loaded = new ArrayList<>();
    StoreOpener.load(disk, fixture.originSectors() * 1024, into(loaded));
    assertThat(loaded).hasSize(fixture.exceptions().size() + 1);
    assertThat(loaded.subList(0, loaded.size() - 1)).isEqualTo(fixture.exceptions());
    assertThat(loaded.getLast().newChunk()).isEqualTo(chunk);
    assertThat(SnapshotStoreCheck.run(disk, 10, 10).isClean()).isTrue();
  }

  static void carryOut(Commit commit, SimDisk disk) throws IOException {
    assertThat(commit.isPastEnd()).isFalse();
    for (Commit.Zeroes range : commit.zeroes()) {
      disk.write(range.offsetBytes(), ByteBuffer.allocate((int) range.lengthBytes()));
    }
    disk.flush();
    for (Write write : commit.writes()) {
      disk.write(write.offsetBytes(), ByteBuffer.wrap(write.bytes()));
    }
    disk.flush();
  }

  // ---- Making stores ----

  @ParameterizedTest
  @ValueSource(strings = {"empty-8", "empty-1024"})
  void aNewStoreIsByteForByteTheKernels(String name) throws IOException {
    SnapshotFixture fixture = SnapshotFixture.named(name).getFirst();
    int size = (int) fixture.storeBytes();
    SimDisk fresh = new SimDisk(size);
    PersistentStore store = StoreOpener.open(fresh, fixture.chunkSectors(), 1 << 20, IGNORED);
    assertThat(fresh.bytes(0, size)).isEqualTo(fixture.disk().bytes(0, size));
    assertThat(fixture.statusLine()).endsWith(" snapshot " + store.figures());
    byte[] garbage = new byte[size];
    new Random(1).nextBytes(garbage);
    SimDisk reused = SimDisk.of(garbage, size);
    StoreOpener.format(reused, fixture.chunkSectors());
    int twoChunks = (int) fixture.chunkSectors() * 1024;
    assertThat(reused.bytes(0, twoChunks)).isEqualTo(fixture.disk().bytes(0, twoChunks));
  }

  @Test
  void holesOfANewStoreStayHoles() throws IOException {
    SimDisk disk = new SimDisk(5L << 30);
    PersistentStore store = StoreOpener.open(disk, 1 << 21, 8L << 30, IGNORED);
    assertThat(disk.writes()).containsExactly(new SimDisk.Range(0, 512));
    store.append(3, store.allocate(1), 1);
    Commit commit = Objects.requireNonNull(store.beginCommit());
    assertThat(commit.zeroes()).isEmpty();
    assertThat(commit.writes()).hasSize(1);
    assertThat(commit.writes().getFirst().bytes()).hasSize(512);
    assertThat(commit.writes().getFirst().offsetBytes()).isEqualTo(1L << 30);
  }

  @ParameterizedTest
  @CsvSource({
    "0, XFSB, XFS file system",
    "65600, _BHRfS_M, btrfs file system",
    "32769, CD001, ISO 9660 file system",
    "512, EFI PART, GPT partition table",
    "5000, x, data of an unknown kind at byte 5000",
    "134217784, x, data of an unknown kind at byte 134217784"
  })
  @DisplayName("O11: zeros at the start do not prove a device empty")
  void whatHoldsSomethingElseIsNotFormatted(long offset, String mark, String name)
      throws IOException {
    SimDisk disk = new SimDisk(200 << 20);
    byte[] sectors = new byte[1024];
    byte[] bytes = mark.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, sectors, (int) (offset % 512), bytes.length);
    disk.write(offset / 512 * 512, ByteBuffer.wrap(sectors));
    disk.clearWrites();
    assertThat(StoreOpener.probe(disk)).isEqualTo(new StoreProbe.Foreign(name));
    assertThatThrownBy(() -> StoreOpener.open(disk, 8, 1 << 20, IGNORED))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("Invalid or corrupt snapshot: " + name);
    assertThat(disk.writes()).isEmpty();
  }

  @Test
  void whatLiesOnADeviceIsTold() throws IOException {
    assertThat(StoreOpener.probe(new SimDisk(1 << 20)).mayBeFormatted()).isTrue();
    assertThat(StoreOpener.probe(new SimDisk(256)))
        .isEqualTo(new StoreProbe.Foreign("device of 256 bytes"));
    SimDisk store = store(20, 10, 2);
    assertThat(StoreOpener.probe(store))
        .isEqualTo(new StoreProbe.Formatted(StoreHeader.create(true, 8)));
    store.flipBit(8, 1);
    assertThat(StoreOpener.probe(store)).isInstanceOf(StoreProbe.Damaged.class);
    assertThat(StoreOpener.probe(store).mayBeFormatted()).isFalse();
  }

  @Test
  @DisplayName("Section 1: two chunks can be initialised; three are of use; some sizes are bad")
  void sizesOfNewStoresAreJudged() throws IOException {
    assertThatThrownBy(() -> StoreOpener.checkCreation(2 * CHUNK_BYTES - 1, 8))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("at least 8192 bytes, with room for an exception 12288");
    SimDisk small = new SimDisk(CHUNK_BYTES);
    assertThatThrownBy(() -> StoreOpener.open(small, 8, ORIGIN_BYTES, IGNORED))
        .isInstanceOf(FormatException.class);
    assertThat(small.writes()).isEmpty();
    assertThat(StoreOpener.checkCreation(2 * CHUNK_BYTES, 8)).contains("no room");
    assertThat(StoreOpener.checkCreation(3 * CHUNK_BYTES, 8)).isNull();
    assertThat(StoreOpener.checkCreation(257 * CHUNK_BYTES, 8)).isNull();
    assertThat(StoreOpener.checkCreation(258 * CHUNK_BYTES, 8)).contains("1060864 bytes");
    assertThat(StoreOpener.checkCreation(259 * CHUNK_BYTES, 8)).isNull();
    assertThat(StoreOpener.checkCreation(515 * CHUNK_BYTES, 8)).isNotNull();
  }

  @Test
  void aTornFormatIsNeverTakenForAStore() throws IOException {
    assertThat(tornFormats(-1)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void eachFlushOfAFormatIsNeeded(int ignored) throws IOException {
    assertThat(tornFormats(ignored)).isNotEmpty();
  }

  /** Formats a store anew with other chunks; what crashes left that is neither it nor the old. */
  private static List<String> tornFormats(int ignoredFlush) throws IOException {
    byte[] before = new byte[20 * CHUNK_BYTES];
    new Random(5).nextBytes(before);
    byte[] old = store(20, 10, 2, 12, 3).bytes(0, 2 * CHUNK_BYTES);
    System.arraycopy(old, 0, before, 0, old.length);
    List<String> wrong = new ArrayList<>();
    Random random = new Random(6);
    boolean isDone = false;
    for (int n = 0; !isDone; n++) {
      SimDisk disk = SimDisk.of(before, before.length).failPowerBefore(n);
      if (ignoredFlush >= 0) {
        disk.ignoreFlush(ignoredFlush);
      }
      try {
        StoreOpener.format(disk, 16);
        isDone = true;
      } catch (SimDisk.PowerFailure e) {
        isDone = false;
      }
      for (int i = 0; i < 50; i++) {
        judge(disk.crashImage(random), isDone, n, wrong);
      }
    }
    return wrong;
  }

  private static void judge(SimDisk image, boolean isDone, int n, List<String> wrong)
      throws IOException {
    if (!(StoreOpener.probe(image) instanceof StoreProbe.Formatted formatted)) {
      if (isDone) {
        wrong.add("no store after " + n);
      }
      return;
    }
    List<ExceptionPair> loaded = new ArrayList<>();
    try {
      StoreOpener.load(image, ORIGIN_BYTES, into(loaded));
    } catch (FormatException damaged) {
      wrong.add(damaged.getMessage() + " after " + n);
      return;
    }
    boolean isNew = formatted.header().chunkSizeSectors() == 16;
    if (loaded.size() != (isNew ? 0 : 2) || (isDone && !isNew)) {
      wrong.add(loaded + " after " + n);
    }
  }

  // ---- Damage ----

  @Test
  void exceptionsThatCannotBeAreRefused() throws IOException {
    assertRefused(store(20, 10, 2, 10, 3), Fault.DOUBLE_USE, "old chunk 10 is in two exceptions");
    assertRefused(store(20, 10, 2, 11, 2), Fault.DOUBLE_USE, "new chunk 2 is in two exceptions");
    assertRefused(
        store(20, 7, 2, 8, 3, 9, 4, 50, 6, 8, 9),
        Fault.DOUBLE_USE,
        "old chunk 8 is in two exceptions");
    assertRefused(store(20, 10, 20), Fault.RANGE, "points to chunk 20 of a store of 20");
    assertRefused(store(300, 10, 258), Fault.DOUBLE_USE, "points to 258, a metadata area");
    assertRefused(store(20, 1L << 56, 2), Fault.RANGE, "a number that no chunk can have");
    assertRefused(store(20, 10, -1), Fault.RANGE, "a number that no chunk can have");
    assertRefused(store(20, 256, 2), Fault.RANGE, "lies past the end of an origin");
    StoreOpener.load(store(20, 255, 2), ORIGIN_BYTES, IGNORED);
    assertRefused(new SimDisk(1 << 20), Fault.MAGIC, "Invalid or corrupt snapshot");
  }

  @Test
  @DisplayName("Section 3: an area that is full needs the next one")
  void aFullLastAreaIsRefused() throws IOException {
    long[] pairs = new long[512];
    for (int i = 0; i < 256; i++) {
      pairs[2 * i] = i;
      pairs[2 * i + 1] = 2L + i;
    }
    assertRefused(store(258, pairs), Fault.AREA, "metadata area 1 would lie past the end");
    PersistentStore store = StoreOpener.load(store(259, pairs), ORIGIN_BYTES, IGNORED);
    assertThat(store.figures()).isEqualTo("2072/2072 24");
    assertThat(store.allocate(1)).isEqualTo(ExceptionStore.NONE);
  }

  @Test
  void anAreaThatCannotBeReadIsAFailure() throws IOException {
    SimDisk disk = store(20, 10, 2);
    disk.failOperation(disk.operationCount() + 1);
    assertThatThrownBy(() -> StoreOpener.load(disk, ORIGIN_BYTES, IGNORED))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(FormatException.class);
  }

  @Test
  @DisplayName("What is loaded is durable: only a process may have died, and the cache still holds")
  void loadingFlushes() throws IOException {
    SimDisk disk = store(20, 10, 2);
    int flushes = disk.flushCount();
    StoreOpener.load(disk, ORIGIN_BYTES, IGNORED);
    assertThat(disk.flushCount()).isEqualTo(flushes + 1);
    assertThat(disk.pendingSectors()).isZero();
  }

  @Test
  @DisplayName("O23: what lies behind the end of the table is cleared by the first commit")
  void staleEntriesAreCleared() throws IOException {
    long[] pairs = new long[512];
    pairs[0] = 10;
    pairs[1] = 2;
    pairs[2 * 20] = 11;
    pairs[2 * 20 + 1] = 3;
    pairs[2 * 70] = 12;
    pairs[2 * 70 + 1] = 4;
    pairs[2 * 130] = 13;
    pairs[2 * 130 + 1] = 5;
    SimDisk disk = store(300, pairs);
    PersistentStore store = StoreOpener.load(disk, ORIGIN_BYTES, IGNORED);
    assertThat(store.nextFree()).isEqualTo(3);
    store.append(99, store.allocate(1), 1);
    Commit commit = Objects.requireNonNull(store.beginCommit());
    assertThat(commit.zeroes()).containsExactly(new Commit.Zeroes(CHUNK_BYTES + 1024, 1536));
    carryOut(commit, disk);
    store.ended(commit);
    assertThat(SnapshotStoreCheck.run(disk, 10, 10).warnings()).isEmpty();
    store.append(100, store.allocate(1), 1);
    assertThat(Objects.requireNonNull(store.beginCommit()).zeroes()).isEmpty();
  }

  private static void assertRefused(SimDisk disk, Fault fault, String what) {
    assertThatThrownBy(() -> StoreOpener.load(disk, ORIGIN_BYTES, IGNORED))
        .isInstanceOfSatisfying(FormatException.class, e -> assertThat(e.fault()).isEqualTo(fault))
        .hasMessageContaining(what);
  }

  /** A store of so many chunks of 4 KiB whose first area holds these pairs. */
  private static SimDisk store(long chunks, long... pairs) throws IOException {
    SimDisk disk = new SimDisk(chunks * CHUNK_BYTES);
    StoreOpener.format(disk, 8);
    byte[] bytes = new byte[CHUNK_BYTES];
    ExceptionArea area = ExceptionArea.over(bytes, CHUNK_BYTES);
    for (int i = 0; i < pairs.length / 2; i++) {
      area.set(i, pairs[2 * i], pairs[2 * i + 1]);
    }
    disk.write(CHUNK_BYTES, ByteBuffer.wrap(bytes));
    return disk;
  }
}
