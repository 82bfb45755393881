package oxbow.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

/** Aim: each byte is accepted once and completeness is exact. Method: against a set of bits. */
class CoverageTest {
  private final Coverage coverage = new Coverage();

  @Test
  void rangesInAnyOrderMakeAWhole() {
    assertThat(coverage.add(10, 20)).isTrue();
    assertThat(coverage.add(30, 40)).isTrue();
    assertThat(coverage.add(0, 10)).isTrue();
    assertThat(coverage.isComplete(40)).isFalse();
    assertThat(coverage.add(20, 30)).isTrue();
    assertThat(coverage.isComplete(40)).isTrue();
  }

  @Test
  void nothingIsCompleteOnlyOfNothing() {
    assertThat(coverage.isComplete(1)).isFalse();
  }

  @Test
  void aServerThatScattersTooMuchIsCutOff() {
    for (int i = 0; i < Coverage.MAX_RANGES; i++) {
      assertThat(coverage.add(2L * i, 2L * i + 1)).isTrue();
    }
    assertThat(coverage.add(1L << 30, (1L << 30) + 1)).isFalse();
    assertThat(coverage.add(1, 2)).as("joining two is still possible").isTrue();
  }

  @Test
  void randomRangesAgreeWithASetOfBits() {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int round = 0; round < 2000; round++) {
      coverage.clear();
      BitSet model = new BitSet();
      int size = 1 + random.nextInt(40);
      for (int i = 0; i < 60; i++) {
        int start = random.nextInt(size);
        int end = start + 1 + random.nextInt(Math.min(8, size - start));
        boolean isNew = model.get(start, end).isEmpty();
        String reproduce = "reproduce with: -Dtest=CoverageTest -Doxbow.seed=" + seed;
        assertThat(coverage.add(start, end)).as(reproduce).isEqualTo(isNew);
        if (isNew) {
          model.set(start, end);
        }
        assertThat(coverage.isComplete(size)).as(reproduce).isEqualTo(model.cardinality() == size);
      }
    }
  }
}
