package oxbow.target.bow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.sim.Histories;
import oxbow.target.bow.BowRanges.Range;

/**
 * Aim: ranges are what a type for each block would be. Method: random changes, against an array.
 */
class BowRangesTest {
  private static final int BLOCKS = 200;
  private static final List<RangeType> TYPES = List.of(RangeType.values());

  @Test
  void rangesAreWhatATypeForEachBlockWouldBe() {
    new Histories("BowRangesTest#ranges*", BowRangesTest::compare).run(200);
  }

  private static void compare(long seed) {
    Random random = new Random(seed);
    RangeType[] plain = new RangeType[BLOCKS];
    Arrays.fill(plain, RangeType.UNCHANGED);
    BowRanges ranges = new BowRanges(BLOCKS);
    BlockBits bits = new BlockBits(BLOCKS);
    for (int i = 0; i < 60; i++) {
      int first = random.nextInt(BLOCKS);
      int end = first + random.nextInt(BLOCKS - first + 1);
      RangeType type = TYPES.get(random.nextInt(TYPES.size()));
      if (ranges.freeBlocks() > 0 && random.nextInt(3) == 0) {
        Range taken = ranges.take(1 + random.nextInt(9), type);
        assertThat(Arrays.copyOfRange(plain, (int) taken.first(), (int) taken.end()))
            .containsOnly(RangeType.FREE);
        first = (int) taken.first();
        end = (int) taken.end();
      } else {
        ranges.set(first, end, type);
      }
      Arrays.fill(plain, first, end, type);
      bits.put(type == RangeType.FREE, first, end);
      assertSame(ranges, plain, bits);
      assertSame(new BowRanges(ranges), plain, bits);
    }
  }

  private static void assertSame(BowRanges ranges, RangeType[] plain, BlockBits bits) {
    Range before = null;
    long free = 0;
    for (int block = 0; block < BLOCKS; block++) {
      Range range = ranges.at(block);
      assertThat(range.type()).isEqualTo(plain[block]);
      assertThat(bits.isSet(block)).isEqualTo(plain[block] == RangeType.FREE);
      if (before != null && !before.equals(range)) {
        assertThat(before.end()).isEqualTo(range.first());
        assertThat(before.type()).as("merged").isNotEqualTo(range.type());
      }
      boolean isFree = plain[block] == RangeType.FREE;
      free += isFree ? 1 : 0;
      assertThat(bits.next(!isFree, block, BLOCKS))
          .isEqualTo(isFree ? nextOther(plain, block) : nextFree(plain, block));
      before = range;
    }
    assertThat(ranges.freeBlocks()).isEqualTo(free);
    assertThat(ranges.count(0, BLOCKS, RangeType.FREE)).isEqualTo(free);
  }

  private static long nextOther(RangeType[] plain, int from) {
    int at = from;
    while (at < BLOCKS && plain[at] == RangeType.FREE) {
      at++;
    }
    return at;
  }

  private static long nextFree(RangeType[] plain, int from) {
    int at = from;
    while (at < BLOCKS && plain[at] != RangeType.FREE) {
      at++;
    }
    return at;
  }

  @Test
  @DisplayName("Section 8, 6: the shortest free range that suffices is taken, else the longest")
  void whatIsTaken() {
    BowRanges ranges = new BowRanges(BLOCKS);
    ranges.set(10, 11, RangeType.FREE);
    ranges.set(20, 25, RangeType.FREE);
    ranges.set(40, 43, RangeType.FREE);
    assertThat(ranges.take(3, RangeType.BACKUP)).isEqualTo(new Range(40, 43, RangeType.BACKUP));
    assertThat(ranges.take(9, RangeType.BACKUP)).isEqualTo(new Range(20, 25, RangeType.BACKUP));
    assertThat(ranges.take(1, RangeType.BACKUP)).isEqualTo(new Range(10, 11, RangeType.BACKUP));
    assertThat(ranges.freeBlocks()).isZero();
  }
}
