package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Aim: the map answers as a plain set of regions would. Method: edges by hand, the rest seeded. */
class RegionMapTest {
  @Test
  void newMapHasNoHydratedRegion() {
    RegionMap map = new RegionMap(100);
    assertThat(map.hydratedCount()).isZero();
    assertThat(map.nextHydrated(0, 100)).isEqualTo(100);
    assertThat(map.nextUnhydrated(0)).isZero();
    assertThat(map.isComplete()).isFalse();
  }

  @Test
  void rangesMayBeginAndEndAtWordEdges() {
    RegionMap map = new RegionMap(256);
    assertThat(map.set(64, 64)).isEqualTo(64);
    assertThat(map.isHydrated(63)).isFalse();
    assertThat(map.areAllHydrated(64, 64)).isTrue();
    assertThat(map.isHydrated(128)).isFalse();
    assertThat(map.nextHydrated(0, 256)).isEqualTo(64);
    assertThat(map.nextUnhydrated(64)).isEqualTo(128);
  }

  @Test
  void settingAgainCountsNothing() {
    RegionMap map = new RegionMap(10);
    assertThat(map.set(2, 3)).isEqualTo(3);
    assertThat(map.set(0, 10)).isEqualTo(7);
    assertThat(map.set(0, 10)).isZero();
    assertThat(map.hydratedCount()).isEqualTo(10);
    assertThat(map.isComplete()).isTrue();
    assertThat(map.nextUnhydrated(0)).isEqualTo(10);
  }

  @Test
  void emptyRangesAreAllHydratedAndSetNothing() {
    RegionMap map = new RegionMap(64);
    assertThat(map.areAllHydrated(64, 0)).isTrue();
    assertThat(map.set(64, 0)).isZero();
    assertThat(map.nextUnhydrated(64)).isEqualTo(64);
  }

  @Test
  @DisplayName("bits past the last region are never looked at (clone.md, Array blocks)")
  void storedBitsPastTheLastRegionAreIgnored() {
    RegionMap map = new RegionMap(65);
    map.setWord(1, -1L);
    assertThat(map.hydratedCount()).isEqualTo(1);
    assertThat(map.nextHydrated(0, 65)).isEqualTo(64);
  }

  @Test
  void regionsOutsideAreRefused() {
    RegionMap map = new RegionMap(65);
    assertThatThrownBy(() -> map.isHydrated(65)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> map.isHydrated(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> map.set(60, 6)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new RegionMap(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new RegionMap((1L << 31) + 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  @DisplayName("M7: once released it answers as a map of hydrated regions, from no memory")
  void aReleasedMapAnswersAsACompleteOne() {
    RegionMap map = new RegionMap(300);
    map.set(0, 299);
    assertThatThrownBy(map::release).isInstanceOf(IllegalStateException.class);
    map.set(299, 1);
    BitSet all = new BitSet();
    all.set(0, 300);
    map.release();
    Random random = new Random(1);
    for (int i = 0; i < 100; i++) {
      assertAgrees(map, all, 300, random, 1);
    }
    assertThat(map.nextUnhydrated(0)).isEqualTo(300);
    assertThat(map.isComplete()).isTrue();
    assertThat(map.set(5, 100)).isZero();
    assertThatThrownBy(() -> map.isHydrated(300)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void answersAsAPlainSetDoes() {
    long seed = Long.getLong("oxbow.seed", 7L);
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      int regions = 1 + random.nextInt(300);
      RegionMap map = new RegionMap(regions);
      BitSet model = new BitSet();
      for (int step = 0; step < 20; step++) {
        int first = random.nextInt(regions);
        int count = random.nextInt(regions - first + 1);
        int before = model.cardinality();
        model.set(first, first + count);
        assertThat(map.set(first, count)).isEqualTo(model.cardinality() - before);
        assertAgrees(map, model, regions, random, seed);
      }
    }
  }

  private static void assertAgrees(
      RegionMap map, BitSet model, int regions, Random random, long seed) {
    String seedNote = "reproduce with: mvn test -Dtest=RegionMapTest -Doxbow.seed=" + seed;
    assertThat(map.hydratedCount()).as(seedNote).isEqualTo(model.cardinality());
    int from = random.nextInt(regions);
    int limit = from + random.nextInt(regions - from + 1);
    int clear = Math.min(limit, model.nextClearBit(from));
    int set = model.nextSetBit(from);
    assertThat(map.nextUnhydrated(from, limit)).as(seedNote).isEqualTo(clear);
    assertThat(map.nextHydrated(from, limit))
        .as(seedNote)
        .isEqualTo(set < 0 ? limit : Math.min(limit, set));
    assertThat(map.areAllHydrated(from, limit - from)).as(seedNote).isEqualTo(clear == limit);
    assertThat(map.isHydrated(from)).as(seedNote).isEqualTo(model.get(from));
  }
}
