package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Aim: O9, back-off of failing regions. Method: the class alone, time by hand. */
class FailingRegionsTest {
  private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);

  private final FailingRegions failing = new FailingRegions();

  @Test
  @DisplayName("O9: the delay begins at 250 ms, doubles, has up to a quarter of jitter, and an end")
  void theDelayDoublesUpToAMinute() {
    long now = 0;
    long expected = 250 * MILLISECOND;
    for (int i = 0; i < 12; i++) {
      failing.failed(5, now);
      long retry = failing.nextRetryNanos(now);
      assertThat(retry - now).isBetween(expected, expected + expected / 4);
      assertThat(failing.mustWait(5, retry - 1)).isTrue();
      assertThat(failing.mustWait(5, retry)).isFalse();
      now = retry;
      expected = Math.min(2 * expected, TimeUnit.SECONDS.toNanos(60));
    }
    assertThat(failing.failureCount()).isEqualTo(12);
  }

  @Test
  @DisplayName("O9: retries of neighbours spread out")
  void retriesOfNeighboursSpreadOut() {
    Set<Long> retries = new HashSet<>();
    for (int region = 0; region < 100; region++) {
      FailingRegions one = new FailingRegions();
      one.failed(region, 0);
      retries.add(one.nextRetryNanos(0) / MILLISECOND);
    }
    assertThat(retries).hasSizeGreaterThan(20);
  }

  @Test
  void aSuccessForgetsItsRegionsAndTheRowOfFailures() {
    failing.failed(5, 0);
    failing.failed(9, 0);
    assertThat(failing.failuresInARow()).isEqualTo(2);
    failing.succeeded(4, 3);
    assertThat(failing.contains(5)).isFalse();
    assertThat(failing.contains(9)).isTrue();
    assertThat(failing.failuresInARow()).isZero();
    assertThat(failing.failureCount()).isEqualTo(2);
    failing.succeeded(9, 1);
    assertThat(failing.isEmpty()).isTrue();
    assertThat(failing.nextRetryNanos(0)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void theNextRetryIsTheEarliestThatLiesAhead() {
    failing.failed(1, 0);
    failing.failed(2, 1000 * MILLISECOND);
    long first = failing.nextRetryNanos(0);
    assertThat(first).isLessThan(400 * MILLISECOND);
    assertThat(failing.nextRetryNanos(first)).isGreaterThan(1000 * MILLISECOND);
  }

  @Test
  @DisplayName("O9: enabling makes everything due at once, but the statistics stay")
  void forgettingMakesEverythingDue() {
    failing.failed(1, 0);
    failing.forget();
    assertThat(failing.mustWait(1, 0)).isFalse();
    assertThat(failing.failuresInARow()).isZero();
    assertThat(failing.failureCount()).isEqualTo(1);
  }

  @Test
  void itIsFullAfterAFewThousandRegions() {
    int regions = 0;
    while (!failing.isFull()) {
      failing.failed(regions++, 0);
    }
    assertThat(regions).isEqualTo(4096);
  }
}
