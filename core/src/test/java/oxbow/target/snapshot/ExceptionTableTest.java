package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Aim: edges of the table, and what it costs. Method: by hand; the heap before and after. */
class ExceptionTableTest {
  private static final long MILLION = 1_000_000;

  private final ExceptionTable table = new ExceptionTable(1 << 20);

  @Test
  void emptyTableIsOneGap() {
    assertThat(table.get(0)).isEqualTo(ExceptionTable.NONE);
    assertThat(table.runLength(0, 10)).isZero();
    assertThat(table.gapLength(0, ExceptionTable.CHUNKS)).isEqualTo(ExceptionTable.CHUNKS);
    assertThat(table.gapLength(5, 0)).isZero();
    assertThat(table.count()).isZero();
    assertThat(runs(table)).isEmpty();
  }

  @Test
  @DisplayName("chunk 0 of the store stands for a chunk too: a transient store begins there")
  void chunkZeroIsAChunk() {
    table.put(7, 0, 1);
    assertThat(table.get(7)).isZero();
    table.put(256, 1, 256);
    assertThat(table.get(256)).isEqualTo(1);
    assertThat(table.get(0)).isEqualTo(ExceptionTable.NONE);
    ExceptionTable whole = new ExceptionTable(256);
    whole.put(0, 0, 256);
    assertThat(whole.get(0)).isZero();
    assertThat(whole.runLength(0, 1000)).isEqualTo(256);
  }

  @Test
  void runsEndWhereEitherSideDoes() {
    table.put(1000, 2, 300);
    table.put(1300, 500, 10); // Neighbours of the origin, not of the store.
    table.put(1311, 510, 5); // Neighbours of the store, not of the origin.
    assertThat(table.runLength(1000, 1000)).isEqualTo(300);
    assertThat(table.runLength(1000, 299)).isEqualTo(299);
    assertThat(table.runLength(1299, 1000)).isEqualTo(1);
    assertThat(table.runLength(1300, 1000)).isEqualTo(10);
    assertThat(table.gapLength(1310, 1000)).isEqualTo(1);
    assertThat(table.gapLength(0, 5000)).isEqualTo(1000);
    assertThat(table.gapLength(1316, 5000)).isEqualTo(5000);
    assertThat(runs(table)).containsExactly("1000 2 300", "1300 500 10", "1311 510 5");
  }

  @Test
  void runsGoOnFromPageToPageAndFromGroupToGroup() {
    long first = ExceptionGroup.CHUNKS - 1000;
    table.put(first, 77, 3000);
    assertThat(table.runLength(first, 10_000)).isEqualTo(3000);
    assertThat(table.runLength(first + 990, 1500)).isEqualTo(1500);
    assertThat(table.gapLength(0, 1 << 20)).isEqualTo(first);
    assertThat(runs(table)).containsExactly(first + " 77 3000");
    assertThat(table.count()).isEqualTo(3000);
  }

  @Test
  @DisplayName("where an area's chunk was left out a run ends, whatever it is kept in")
  void runsEndAtAnAreasChunk() {
    table.put(0, 158, 100);
    table.put(100, 259, 156); // Chunk 258 is area 1 with a chunk size of 8 sectors.
    for (int round = 0; round < 2; round++) {
      assertThat(table.get(99)).isEqualTo(257);
      assertThat(table.get(100)).isEqualTo(259);
      assertThat(table.runLength(50, 1000)).isEqualTo(50);
      assertThat(table.runLength(100, 1000)).isEqualTo(156);
      table.remove(0, 1);
      table.put(0, 158, 1);
    }
    assertThat(runs(table)).containsExactly("0 158 100", "100 259 156");
  }

  @Test
  void numbersUpToTwoToThe56AreRight() {
    long last = ExceptionTable.CHUNKS - 1;
    table.put(last, last - 5, 1);
    table.put(0, 1, 1);
    table.put(1, (1L << 32) - 1, 2); // From 32 bits on in the midst of a run.
    table.put(512, ExceptionTable.CHUNKS - 256, 256);
    assertThat(table.get(last)).isEqualTo(last - 5);
    assertThat(table.get(0)).isEqualTo(1);
    assertThat(table.get(2)).isEqualTo(1L << 32);
    assertThat(table.runLength(1, 10)).isEqualTo(2);
    assertThat(table.get(512 + 255)).isEqualTo(last);
    table.remove(600, 1);
    assertThat(table.get(512 + 255)).isEqualTo(last);
    assertThat(table.gapLength(768, ExceptionTable.CHUNKS - 768)).isEqualTo(last - 768);
    assertThatThrownBy(() -> table.put(last, 3, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> table.put(3, last, 2)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void aChunkHasOneExceptionAndOnlyWhatIsThereIsRemoved() {
    table.put(5, 9, 1);
    table.put(256, 20, 256);
    assertThatThrownBy(() -> table.put(5, 10, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("chunk 5 has an exception, 9");
    assertThatThrownBy(() -> table.put(300, 700, 1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> table.put(0, 700, 256)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> table.remove(6, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("chunk 6 has no exception");
    assertThatThrownBy(() -> table.remove(1 << 19, 1)).isInstanceOf(IllegalStateException.class);
    assertThat(table.count()).isEqualTo(257);
    assertThat(runs(table)).containsExactly("5 9 1", "256 20 256");
  }

  @Test
  @DisplayName("1 M single exceptions at random take at most 16 bytes each")
  void singleExceptionsAtRandomTakeFewBytes() {
    long originChunks = 1 << 28; // 1 TiB in chunks of 4 KiB.
    ExceptionTable[] kept = new ExceptionTable[1];
    long bytes =
        heapBytesOf(
            () -> {
              ExceptionTable scattered = new ExceptionTable(originChunks);
              Random random = new Random(1);
              for (long newChunk = 2; scattered.count() < MILLION; newChunk++) {
                long oldChunk = random.nextLong(originChunks);
                if (scattered.get(oldChunk) == ExceptionTable.NONE) {
                  scattered.put(oldChunk, newChunk, 1);
                }
              }
              kept[0] = scattered;
            });
    assertThat(kept[0].count()).isEqualTo(MILLION);
    assertThat((double) bytes / MILLION).isBetween(6.0, 16.0);
  }

  @Test
  @DisplayName("10 M exceptions in a row take at most 16 bytes for each 256")
  void exceptionsInARowTakeFewBytes() {
    long chunks = 10 * MILLION;
    ExceptionTable[] kept = new ExceptionTable[1];
    long bytes =
        heapBytesOf(
            () -> {
              ExceptionTable row = new ExceptionTable(1 << 28);
              long newChunk = 2;
              for (long oldChunk = 77; oldChunk < 77 + chunks; oldChunk++) {
                row.put(oldChunk, newChunk, 1);
                newChunk += newChunk % 257 == 0 ? 2 : 1; // Areas of 256: chunk size 8.
              }
              kept[0] = row;
            });
    assertThat(kept[0].count()).isEqualTo(chunks);
    assertThat(256.0 * bytes / chunks).isBetween(8.0, 16.0);
  }

  @Test
  void whatIsRemovedIsGivenBack() {
    ExceptionTable merged = new ExceptionTable(1 << 28);
    long bytes =
        heapBytesOf(
            () -> {
              for (long i = 0; i < MILLION; i++) {
                merged.put(i * 5, i + 2, 1);
              }
              for (long i = MILLION - 1; i >= 0; i--) {
                merged.remove(i * 5, 1);
              }
            });
    assertThat(merged.count()).isZero();
    assertThat(bytes).as("150 groups without exceptions").isLessThan(500_000);
  }

  /** How much the heap grows by what is kept of the work. */
  private static long heapBytesOf(Runnable work) {
    long before = heapBytes();
    work.run();
    return heapBytes() - before;
  }

  private static long heapBytes() {
    Runtime runtime = Runtime.getRuntime();
    System.gc();
    System.gc();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  static List<String> runs(ExceptionTable table) {
    List<String> runs = new ArrayList<>();
    table.forEachRun(
        (oldChunk, newChunk, count) -> runs.add(oldChunk + " " + newChunk + " " + count));
    return runs;
  }
}
