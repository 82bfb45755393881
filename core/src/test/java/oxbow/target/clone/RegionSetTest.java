package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Aim: the set hands over exactly what was added, page by page. Method: compare with a BitSet. */
class RegionSetTest {
  private static final int PAGE = RegionSet.REGIONS_PER_PAGE;

  @Test
  void singleRegionsMakeOnePageEach() throws IOException {
    RegionSet set = new RegionSet(4L * PAGE);
    assertThat(set.isEmpty()).isTrue();
    set.add(3L * PAGE, 1);
    set.add(PAGE - 1, 1);
    set.add(PAGE - 2, 1);
    assertThat(set.isEmpty()).isFalse();
    assertThat(pages(set)).containsExactly(0, 3);
    assertThat(regions(set)).isEqualTo(bits(PAGE - 2, PAGE - 1, 3 * PAGE));
  }

  @Test
  void emptyRangeAddsNothing() {
    RegionSet set = new RegionSet(10);
    set.add(10, 0);
    assertThat(set.isEmpty()).isTrue();
  }

  @Test
  void clearedSetIsEmptyAndItsReusedPagesToo() throws IOException {
    RegionSet set = new RegionSet(3L * PAGE);
    set.add(0, 3L * PAGE);
    set.add(5, 7);
    set.clear();
    assertThat(set.isEmpty()).isTrue();
    assertThat(set.contains(5)).isFalse();
    set.add(PAGE + 1, 1);
    set.clear();
    set.add(2L * PAGE, 1);
    assertThat(regions(set)).isEqualTo(bits(2 * PAGE));
  }

  @Test
  void regionsOutsideAreRefused() {
    RegionSet set = new RegionSet(PAGE + 1L);
    assertThatThrownBy(() -> set.add(PAGE, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> set.contains(PAGE + 1L)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void wholeDeviceOfTheLargestSizeTakesNoMemoryForItsPages() throws IOException {
    RegionSet set = new RegionSet(1L << 31);
    set.add(0, 1L << 31);
    long[] total = {0};
    set.forEachPage(
        (index, words) -> {
          for (long word : words) {
            total[0] += Long.bitCount(word);
          }
        });
    assertThat(total[0]).isEqualTo(1L << 31);
    assertThat(set.pageCount()).isEqualTo(65923);
  }

  @Test
  void handsOverWhatWasAddedAsAPlainSetDoes() throws IOException {
    long seed = Long.getLong("oxbow.seed", 11L);
    Random random = new Random(seed);
    int regions = 5 * PAGE + 77;
    RegionSet set = new RegionSet(regions);
    for (int round = 0; round < 100; round++) {
      BitSet model = new BitSet();
      for (int step = random.nextInt(8); step >= 0; step--) {
        int first = random.nextInt(regions);
        int count =
            1
                + random.nextInt(
                    random.nextBoolean() ? Math.min(70, regions - first) : regions - first);
        set.add(first, count);
        model.set(first, first + count);
      }
      assertThat(regions(set))
          .as("reproduce with: mvn test -Dtest=RegionSetTest -Doxbow.seed=" + seed)
          .isEqualTo(model);
      set.clear();
    }
  }

  private static BitSet bits(int... regions) {
    BitSet bits = new BitSet();
    for (int region : regions) {
      bits.set(region);
    }
    return bits;
  }

  private static List<Integer> pages(RegionSet set) throws IOException {
    List<Integer> pages = new ArrayList<>();
    set.forEachPage((index, words) -> pages.add(index));
    return pages;
  }

  private static BitSet regions(RegionSet set) throws IOException {
    BitSet regions = new BitSet();
    set.forEachPage(
        (index, words) ->
            BitSet.valueOf(words).stream().forEach(bit -> regions.set(index * PAGE + bit)));
    return regions;
  }
}
