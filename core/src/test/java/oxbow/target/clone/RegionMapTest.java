package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Aim: the map says what was set, to any thread. Method: against a BitSet; readers beside a writer. */
class RegionMapTest {
  @Test
  void anyRangesLookAsInABitSet() {
    Random random = new Random(11);
    for (int size : new int[] {1, 63, 64, 65, 127, 128, 129, 1000}) {
      RegionMap map = new RegionMap(size);
      BitSet plain = new BitSet();
      for (int step = 0; step < 60; step++) {
        int first = random.nextInt(size);
        int count = random.nextInt(size - first + 1);
        if (random.nextInt(3) > 0) {
          count = Math.min(count, 3);
        }
        int before = plain.cardinality();
        plain.set(first, first + count);
        assertThat(map.set(first, count)).isEqualTo(plain.cardinality() - before);
        check(map, plain, size);
      }
    }
  }

  private static void check(RegionMap map, BitSet plain, int size) {
    assertThat(map.hydratedCount()).isEqualTo(plain.cardinality());
    assertThat(map.isComplete()).isEqualTo(plain.cardinality() == size);
    for (int from = 0; from < size; from++) {
      assertThat(map.isHydrated(from)).isEqualTo(plain.get(from));
      int limit = from + (size - from) / 2;
      int clear = plain.nextClearBit(from);
      int set = plain.nextSetBit(from);
      assertThat(map.nextUnhydrated(from)).isEqualTo(Math.min(clear, size));
      assertThat(map.nextUnhydrated(from, limit)).isEqualTo(Math.min(clear, limit));
      assertThat(map.nextHydrated(from, limit)).isEqualTo(set < 0 ? limit : Math.min(set, limit));
      assertThat(map.areAllHydrated(from, limit - from)).isEqualTo(clear >= limit);
    }
    assertThat(map.nextUnhydrated(size)).isEqualTo(size);
  }

  @Test
  void storedBitsPastTheLastRegionAreNotLookedAt() {
    RegionMap map = new RegionMap(70);
    map.setWord(1, -1L);
    assertThat(map.hydratedCount()).isEqualTo(6);
    assertThat(map.nextHydrated(0, 70)).isEqualTo(64);
  }

  @Test
  void rangesOutsideAreRefused() {
    RegionMap map = new RegionMap(70);
    assertThatThrownBy(() -> map.isHydrated(70)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> map.set(69, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> map.set(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new RegionMap(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new RegionMap((1L << 31) + 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  @DisplayName("C1: who sees a region hydrated sees what was done to it before; bits never go back")
  void whoSeesARegionHydratedSeesWhatWasDoneToItBefore() throws Exception {
    int regions = 1 << 16;
    RegionMap map = new RegionMap(regions);
    // Plain memory: only the map's own release and acquire make it visible.
    int[] contents = new int[regions];
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<Integer>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(threads.submit(reader(map, contents, i)));
      }
      Random random = new Random(13);
      for (int first = 0; first < regions; ) {
        int count = Math.min(regions - first, 1 + random.nextInt(100));
        for (int region = first; region < first + count; region++) {
          contents[region] = region + 1;
        }
        map.set(first, count);
        first += count;
      }
      for (Future<Integer> reader : readers) {
        assertThat(result(reader)).isPositive();
      }
    }
    assertThat(map.isComplete()).isTrue();
  }

  /** Looks until all is hydrated; returns how often it has looked. */
  private static Callable<Integer> reader(RegionMap map, int[] contents, int seed) {
    return () -> {
      Random random = new Random(seed);
      long lastCount = 0;
      int looks = 0;
      for (boolean isLast = false; !isLast; looks++) {
        isLast = map.isComplete();
        long count = map.hydratedCount();
        assertThat(count).isGreaterThanOrEqualTo(lastCount);
        lastCount = count;
        int region = random.nextInt(contents.length);
        if (map.isHydrated(region)) {
          assertThat(contents[region]).isEqualTo(region + 1);
          assertThat(map.nextHydrated(region, contents.length)).isEqualTo(region);
        }
        // Whatever the count claims can be seen: it is raised after the bits.
        assertThat(map.nextUnhydrated(0)).isGreaterThanOrEqualTo(lastCount);
      }
      return looks;
    };
  }

  private static int result(Future<Integer> reader) throws InterruptedException {
    try {
      return reader.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }
}
