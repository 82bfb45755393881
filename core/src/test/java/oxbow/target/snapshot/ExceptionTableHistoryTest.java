package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import oxbow.sim.Histories;

/**
 * Aim: the table answers as a plain map of chunks would. Method: seeded puts and removals beside a
 * {@link TreeMap}, around the edges of pages and groups, and all answers after each.
 */
class ExceptionTableHistoryTest {
  private static final int STEPS = 60;

  @Test
  void answersAsAPlainMapDoes() {
    new Histories("ExceptionTableHistoryTest", seed -> new History(seed).run()).run(200);
  }

  /** One history; all happens in a window of chunks that a few groups share. */
  private static final class History {
    private final Random random;
    private final long windowFirst;
    private final int windowChunks;
    private final ExceptionTable table;
    private final TreeMap<Long, Long> model = new TreeMap<>();
    private long nextNewChunk;

    History(long seed) {
      this.random = new Random(seed);
      this.windowChunks = 1 + random.nextInt(random.nextBoolean() ? 1500 : 6000);
      long edge = ExceptionGroup.CHUNKS * (1 + random.nextLong(1L << (1 + random.nextInt(40))));
      this.windowFirst = random.nextInt(4) == 0 ? 0 : edge - random.nextInt(windowChunks + 1);
      this.nextNewChunk =
          switch (random.nextInt(4)) {
            case 0 -> (1L << 32) - random.nextInt(2000);
            case 1 -> random.nextLong(1L << 55);
            default -> random.nextInt(3);
          };
      this.table = new ExceptionTable(windowFirst + windowChunks);
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        switch (random.nextInt(8)) {
          case 0, 1 -> remove(pick(windowChunks));
          case 2 -> remove(pick(40));
          case 3, 4 -> put(1 + random.nextInt(windowChunks), 1);
          case 5 -> put(1 + random.nextInt(windowChunks), windowChunks);
          default -> put(1 + random.nextInt(40), 1 + random.nextInt(40));
        }
        assertAgrees();
      }
      List<String> runs = ExceptionTableTest.runs(table);
      assertThat(runs).isEqualTo(modelRuns());
    }

    private int pick(int bound) {
      return 1 + random.nextInt(Math.min(bound, windowChunks));
    }

    /** Puts runs of some length where nothing is, from one chunk on; skips what has exceptions. */
    private void put(int count, int partLimit) {
      long end = Math.min(windowFirst + windowChunks, anyChunk() + count);
      for (long at = Math.max(windowFirst, end - count); at < end; ) {
        int part = 1 + random.nextInt(partLimit);
        int free = 0;
        while (free < part && at + free < end && !model.containsKey(at + free)) {
          free++;
        }
        table.put(at, nextNewChunk, free);
        for (int i = 0; i < free; i++) {
          model.put(at + i, nextNewChunk + i);
        }
        nextNewChunk += free + (random.nextInt(100) == 0 ? 1 + random.nextInt(2) : 0);
        at += Math.max(1, free);
      }
    }

    /** Removes what there is in a range, from the end to the beginning or run by run. */
    private void remove(int count) {
      long first = anyChunk();
      boolean isSingle = random.nextBoolean();
      for (long at = Math.min(first + count, windowFirst + windowChunks); at > first; ) {
        long length = 0;
        while (at - length > first && model.containsKey(at - length - 1)) {
          length++;
          model.remove(at - length);
          if (isSingle) {
            break;
          }
        }
        table.remove(at - length, length);
        at -= Math.max(1, length);
      }
    }

    private void assertAgrees() {
      assertThat(table.count()).isEqualTo(model.size());
      for (int look = 0; look < 40; look++) {
        long chunk = anyChunk();
        long limit = 1L + random.nextInt(random.nextBoolean() ? 300 : 2 * windowChunks);
        assertThat(table.get(chunk)).isEqualTo(model.getOrDefault(chunk, ExceptionTable.NONE));
        assertThat(table.runLength(chunk, limit)).isEqualTo(modelRunLength(chunk, limit));
        Long next = model.ceilingKey(chunk);
        assertThat(table.gapLength(chunk, limit))
            .isEqualTo(next == null ? limit : Math.min(limit, next - chunk));
      }
    }

    private long anyChunk() {
      return windowFirst + random.nextInt(windowChunks);
    }

    private long modelRunLength(long chunk, long limit) {
      Long newChunk = model.get(chunk);
      long length = 0;
      while (newChunk != null && length < limit) {
        Long found = model.get(chunk + length);
        if (found == null || found != newChunk + length) {
          break;
        }
        length++;
      }
      return length;
    }

    private List<String> modelRuns() {
      List<String> runs = new ArrayList<>();
      for (Map.Entry<Long, Long> first = model.firstEntry(); first != null; ) {
        long length = modelRunLength(first.getKey(), Long.MAX_VALUE);
        runs.add(first.getKey() + " " + first.getValue() + " " + length);
        first = model.ceilingEntry(first.getKey() + length);
      }
      return runs;
    }
  }
}
