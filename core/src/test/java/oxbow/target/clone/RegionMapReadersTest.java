package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Aim: any thread may ask the map without a lock. Method: readers beside the one writer. */
class RegionMapReadersTest {
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

  @Test
  @DisplayName("M7: readers beside the release have the answer of a complete map, before and after")
  void readersBesideTheReleaseFindEveryRegionHydrated() throws Exception {
    int regions = 1 << 12;
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int round = 0; round < 500; round++) {
        RegionMap map = new RegionMap(regions);
        map.set(0, regions);
        List<Future<Integer>> readers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
          readers.add(threads.submit(readerOfAll(map)));
        }
        map.release();
        for (Future<Integer> reader : readers) {
          assertThat(result(reader)).isEqualTo(200);
        }
      }
    }
  }

  private static Callable<Integer> readerOfAll(RegionMap map) {
    return () -> {
      int looks = 0;
      for (; looks < 200; looks++) {
        long region = looks * 20L;
        assertThat(map.isHydrated(region)).isTrue();
        assertThat(map.nextUnhydrated(region)).isEqualTo(map.regionCount());
        assertThat(map.nextHydrated(region, map.regionCount())).isEqualTo(region);
      }
      return looks;
    };
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
