package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import oxbow.sim.Histories;

/**
 * Aim: runs of sectors behave as single sectors would. Method: random steps, compared with an array
 * and a bit set.
 */
class SectorMapTest {
  private static final int SECTORS = 100;

  @Test
  void aMapOfRunsIsAMapOfSectors() {
    new Histories("SectorMapTest#aMapOfRunsIsAMapOfSectors", SectorMapTest::mapSteps).run(200);
  }

  private static void mapSteps(long seed) {
    Random random = new Random(seed);
    SectorMap map = new SectorMap();
    long[] model = new long[SECTORS];
    BitSet mapped = new BitSet();
    for (int i = 0; i < SECTORS; i++) {
      model[i] = i;
    }
    for (int step = 0; step < 50; step++) {
      int count = 1 + random.nextInt(20);
      int from = random.nextInt(SECTORS - count + 1);
      int to = random.nextInt(SECTORS - count + 1);
      map.put(to, map.places(from, count));
      System.arraycopy(model.clone(), from, model, to, count);
      mapped.set(to, to + count);
      assertThat(singles(map.places(0, SECTORS))).containsExactly(model);
      assertThat(map.mappedSectors()).isEqualTo(mapped.cardinality());
    }
  }

  private static long[] singles(List<SectorMap.Extent> places) {
    List<Long> all = new ArrayList<>();
    for (SectorMap.Extent extent : places) {
      for (long i = 0; i < extent.count(); i++) {
        all.add(extent.place() + i);
      }
    }
    return all.stream().mapToLong(Long::longValue).toArray();
  }

  @Test
  void aSetOfRangesIsASetOfSectors() {
    new Histories("SectorMapTest#aSetOfRangesIsASetOfSectors", SectorMapTest::setSteps).run(200);
  }

  private static void setSteps(long seed) {
    Random random = new Random(seed);
    SectorSet set = new SectorSet();
    BitSet model = new BitSet();
    for (int step = 0; step < 30; step++) {
      int first = random.nextInt(SECTORS);
      int count = 1 + random.nextInt(8);
      set.add(first, count);
      model.set(first, first + count);
      for (int at = 0; at < SECTORS; at++) {
        assertThat(set.overlaps(at, 1)).isEqualTo(model.get(at));
        assertThat(set.overlaps(at, 5)).isEqualTo(!model.get(at, at + 5).isEmpty());
      }
    }
    set.clear();
    assertThat(set.overlaps(0, SECTORS)).isFalse();
  }
}
