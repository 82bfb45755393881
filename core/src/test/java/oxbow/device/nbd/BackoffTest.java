package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * Aim: delays double up to a limit, with jitter, and begin anew. Method: a scripted random source.
 */
class BackoffTest {
  /** A source that always says the highest value, the lowest, or one in the middle. */
  private static RandomGenerator always(double fraction) {
    return new RandomGenerator() {
      @Override
      public long nextLong() {
        throw new AssertionError("bounds are always given");
      }

      @Override
      public long nextLong(long bound) {
        return (long) (fraction * (bound - 1));
      }
    };
  }

  private static List<Long> delays(Backoff backoff, int count) {
    List<Long> delays = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      delays.add(backoff.nextDelayNanos());
    }
    return delays;
  }

  @Test
  void delaysDoubleUpToTheLongest() {
    assertThat(delays(new Backoff(100, 1000, always(1)), 6))
        .containsExactly(100L, 200L, 400L, 800L, 1000L, 1000L);
  }

  @Test
  void jitterTakesAwayAtMostHalf() {
    assertThat(delays(new Backoff(100, 1000, always(0)), 6))
        .containsExactly(50L, 100L, 200L, 400L, 500L, 500L);
  }

  @Test
  void resetBeginsWithTheFirstDelayAgain() {
    Backoff backoff = new Backoff(100, 1000, always(1));
    delays(backoff, 4);
    backoff.reset();
    assertThat(delays(backoff, 2)).containsExactly(100L, 200L);
  }

  @Test
  void theLongestDelayMayBeAsLongAsNumbersReach() {
    assertThat(delays(new Backoff(Long.MAX_VALUE / 2, Long.MAX_VALUE, always(1)), 3))
        .allMatch(delay -> delay > 0);
  }
}
