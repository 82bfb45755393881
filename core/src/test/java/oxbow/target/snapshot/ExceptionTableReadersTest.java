package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * Aim: readers without a lock find what was put before they began, while the table grows, pages
 * become runs, and runs are taken apart. Method: readers beside the one writer, who first puts all
 * in a random order, then removes every chunk of some places.
 */
class ExceptionTableReadersTest {
  private static final int CHUNKS = 5 * ExceptionGroup.CHUNKS + 1000;

  /** Spread over the device: each has a group of its own, so that the hash of groups grows too. */
  private static final int STRIDE = 3500;

  /** After so many chunks one of the store is left out; divides the stride. */
  private static final int LEAP = 700;

  private final ExceptionTable table = new ExceptionTable(1);

  /** Chunks in the order in which they are put; plain memory that {@code putCount} publishes. */
  private final int[] order = new int[CHUNKS];

  private volatile int putCount;
  private volatile boolean isOver;

  /** Plain memory: only the table makes it visible. */
  private final int[] contents = new int[CHUNKS];

  @Test
  void readersFindWhatWasPutBeforeTheyBegan() throws Exception {
    Random random = new Random(5);
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<Integer>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(threads.submit(reader(i)));
      }
      try {
        putAll(random);
        removeSome(random);
      } finally {
        isOver = true;
      }
      for (Future<Integer> reader : readers) {
        assertThat(result(reader)).isPositive();
      }
    }
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      assertThat(table.get(oldChunk(chunk)))
          .isEqualTo(isRemoved(chunk) ? ExceptionTable.NONE : newChunk(chunk));
    }
  }

  private void putAll(Random random) {
    List<int[]> parts = new ArrayList<>();
    for (int first = 0; first < CHUNKS; ) {
      int length = 1 + random.nextInt(random.nextInt(10) == 0 ? 1000 : 30);
      int ascending = LEAP - first % STRIDE % LEAP; // Also ends at the stride's end.
      length = Math.min(length, Math.min(ascending, CHUNKS - first));
      parts.add(new int[] {first, length});
      first += length;
    }
    Collections.shuffle(parts, random);
    int done = 0;
    for (int[] part : parts) {
      for (int i = 0; i < part[1]; i++) {
        order[done++] = part[0] + i;
        contents[part[0] + i] = part[0] + i + 1;
      }
      table.put(oldChunk(part[0]), newChunk(part[0]), part[1]);
      putCount = done;
    }
  }

  private void removeSome(Random random) {
    List<Integer> chunks = new ArrayList<>();
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      if (isRemoved(chunk)) {
        chunks.add(chunk);
      }
    }
    Collections.shuffle(chunks, random);
    for (int chunk : chunks) {
      table.remove(oldChunk(chunk), 1);
    }
  }

  private Callable<Integer> reader(int seed) {
    return () -> {
      Random random = new Random(seed);
      int looks = 0;
      for (; !isOver || looks == 0; looks++) {
        int known = putCount;
        int chunk = random.nextInt(CHUNKS);
        lookAt(chunk, false);
        if (known > 0) {
          int put = order[random.nextInt(known)];
          lookAt(put, !isRemoved(put));
        }
      }
      return looks;
    };
  }

  private void lookAt(int chunk, boolean mustBeThere) {
    long oldChunk = oldChunk(chunk);
    long found = table.get(oldChunk);
    if (found != ExceptionTable.NONE || mustBeThere) {
      assertThat(found).isEqualTo(newChunk(chunk));
      assertThat(contents[chunk]).isEqualTo(chunk + 1);
    }
    long run = table.runLength(oldChunk, STRIDE);
    assertThat(run).isBetween(mustBeThere ? 1L : 0L, (long) STRIDE - chunk % STRIDE);
    if (run > 0) {
      int last = chunk + (int) run - 1;
      assertThat(contents[last]).isEqualTo(last + 1);
    }
    if (mustBeThere) {
      assertThat(table.gapLength(oldChunk, STRIDE)).isZero();
      int before = chunk % STRIDE;
      assertThat(table.gapLength(oldChunk - before, STRIDE)).isBetween(0L, (long) before);
    }
  }

  private static long oldChunk(int chunk) {
    return (long) (chunk / STRIDE) * ExceptionGroup.CHUNKS * 3 + chunk % STRIDE + 12_000;
  }

  /** Ascends within a stride, with leaps, and needs 33 bits from a half on. */
  private static long newChunk(int chunk) {
    return (1L << 32) - CHUNKS / 2 + chunk + chunk / STRIDE + chunk % STRIDE / LEAP;
  }

  private static boolean isRemoved(int chunk) {
    return chunk % LEAP > 650;
  }

  private static int result(Future<Integer> reader) throws InterruptedException {
    try {
      return reader.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }
}
