package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.sim.SimDisk;

/** Aim: chunks are handed out, and shown, as a kernel does. Method: its own figures; boundaries. */
class ExceptionStoreTest {
  private static final int CHUNK_BYTES = 4096;
  private static final long ORIGIN_BYTES = 1L << 40;

  private static PersistentStore fresh(long storeBytes) throws IOException {
    SimDisk disk = new SimDisk(storeBytes);
    return StoreOpener.open(disk, 8, ORIGIN_BYTES, (oldChunk, newChunk, count) -> {});
  }

  /** One exception for each chunk, each by itself. */
  private static void fill(PersistentStore store, int exceptions) {
    for (int i = 0; i < exceptions; i++) {
      long chunk = store.allocate(1);
      assertThat(store.allocatedCount()).isEqualTo(1);
      store.append(i, chunk, 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 16/32768 16",
    "1, 24/32768 16",
    "255, 2056/32768 16",
    "256, 2072/32768 24",
    "257, 2080/32768 24",
    "1260, 10128/32768 48"
  })
  @DisplayName("T1: the figures that a kernel shows for so many exceptions")
  void figuresAreTheKernels(int exceptions, String figures) throws IOException {
    PersistentStore store = fresh(32768 * 512);
    fill(store, exceptions);
    assertThat(store.figures()).isEqualTo(figures);
    assertThat(store.isEmpty()).isEqualTo(exceptions == 0);
  }

  @Test
  @DisplayName("T4: what is handed out counts before it is an exception")
  void figuresCountWhatIsHandedOut() throws IOException {
    PersistentStore store = fresh(32768 * 512);
    store.allocate(3);
    assertThat(store.figures()).isEqualTo("40/32768 16");
  }

  @Test
  void runsEndBeforeTheNextAreaAndAtTheEndOfTheStore() throws IOException {
    PersistentStore store = fresh(300 * CHUNK_BYTES + 100);
    assertThat(store.allocate(100)).isEqualTo(2);
    assertThat(store.allocatedCount()).isEqualTo(100);
    assertThat(store.allocate(1000)).isEqualTo(102);
    assertThat(store.allocatedCount()).isEqualTo(156);
    assertThat(store.nextFree()).as("258 is metadata").isEqualTo(259);
    assertThat(store.allocate(1000)).isEqualTo(259);
    assertThat(store.allocatedCount()).isEqualTo(41);
    assertThat(store.allocate(1)).isEqualTo(ExceptionStore.NONE);
    assertThat(store.allocatedCount()).isZero();
    assertThat(store.fullPercent()).isEqualTo(100);
    store.growTo(302 * CHUNK_BYTES);
    assertThat(store.fullPercent()).isEqualTo(99);
    assertThat(store.allocate(5)).isEqualTo(300);
    assertThat(store.allocatedCount()).isEqualTo(2);
    assertThatThrownBy(() -> store.growTo(301 * CHUNK_BYTES))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({"258, true", "259, false", "515, false", "257, false"})
  @DisplayName("Section 8: a store that ends at an area becomes invalid when it is full")
  void fillingTheLastAreaOfAStoreThatEndsThereIsPastEnd(long chunks, boolean isPastEnd)
      throws IOException {
    PersistentStore store = fresh(chunks * CHUNK_BYTES);
    int room = (int) Math.min(chunks - 2, 256);
    fill(store, room);
    Commit commit = Objects.requireNonNull(store.beginCommit());
    assertThat(commit.isPastEnd()).isEqualTo(isPastEnd);
    assertThat(store.allocate(1)).isEqualTo(chunks > 259 ? 259 : ExceptionStore.NONE);
  }

  @Test
  @DisplayName("Section 6: a transient store hands out all of itself from its first sector on")
  void aTransientStoreHasNoMetadata() {
    TransientStore store = new TransientStore(8, 20 * CHUNK_BYTES + 512);
    assertThat(store.figures()).isEqualTo("0/161 0");
    assertThat(store.allocate(15)).isZero();
    assertThat(store.figures()).isEqualTo("120/161 0");
    assertThat(store.fullPercent()).isEqualTo(75);
    assertThat(store.offsetBytes(15)).isEqualTo(15 * CHUNK_BYTES);
    assertThat(store.allocate(15)).isEqualTo(15);
    assertThat(store.allocatedCount()).isEqualTo(5);
    assertThat(store.allocate(1)).isEqualTo(ExceptionStore.NONE);
    assertThat(store.fullPercent()).isEqualTo(100);
    assertThat(store.figures()).isEqualTo("160/161 0");
  }

  @Test
  @DisplayName("P3: exceptions are added in the order in which their chunks were handed out")
  void exceptionsAreAddedInOrder() throws IOException {
    PersistentStore store = fresh(300 * CHUNK_BYTES);
    long first = store.allocate(2);
    long second = store.allocate(2);
    store.append(70, second, 2);
    assertThatThrownBy(() -> store.append(10, first, 2)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> store.append(10, second + 2, 1))
        .as("never handed out")
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  @DisplayName("O21: a commit writes the sectors that have changed, and no others")
  void aCommitWritesChangedSectors() throws IOException {
    PersistentStore store = fresh(300 * CHUNK_BYTES);
    fill(store, 40);
    Commit first = Objects.requireNonNull(store.beginCommit());
    assertThat(first.zeroes()).isEmpty();
    assertThat(first.writes()).hasSize(1);
    assertThat(first.writes().getFirst().offsetBytes()).isEqualTo(CHUNK_BYTES);
    assertThat(first.writes().getFirst().bytes()).hasSize(1024);
    assertThat(first.endChunk()).isEqualTo(42);
    store.append(40, store.allocate(1), 1);
    assertThatThrownBy(store::beginCommit).as("P4").isInstanceOf(IllegalStateException.class);
    store.ended(first);
    Commit second = Objects.requireNonNull(store.beginCommit());
    assertThat(second.writes().getFirst().offsetBytes()).isEqualTo(CHUNK_BYTES + 512);
    assertThat(second.writes().getFirst().bytes()).hasSize(512);
    assertThat(second.entryCount()).isEqualTo(41);
    store.failed(second);
    Commit again = Objects.requireNonNull(store.beginCommit());
    assertThat(again.writes().getFirst().bytes()).isEqualTo(second.writes().getFirst().bytes());
    store.ended(again);
    assertThat(store.beginCommit()).isNull();
    assertThatThrownBy(() -> store.ended(again)).isInstanceOf(IllegalStateException.class);
  }
}
