package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Aim: the rate is what a person would say it is: neither that of a moment, nor that of long ago.
 */
class HydrationRatesTest {
  private static final long MIB = 1 << 20;

  private final HydrationRates rates = new HydrationRates();
  private long seconds;
  private long bytes;

  @Test
  void nothingIsKnownOfAStranger() {
    assertThat(rates.bytesPerSecond("a")).isZero();
    hydrate(5, 10 * MIB);
    assertThat(rates.bytesPerSecond("a")).as("one look says nothing").isZero();
  }

  @Test
  void anEvenPaceIsTheRate() {
    for (int i = 0; i < 4; i++) {
      hydrate(5, 10 * MIB);
    }
    assertThat(rates.bytesPerSecond("a")).isCloseTo(2 * MIB, within(1.0));
  }

  @Test
  void aJumpCountsByItsShareOfHalfAMinute() {
    hydrate(5, 0);
    hydrate(5, 5 * MIB);
    hydrate(3, 33 * MIB);
    // 1 MiB/s, and 11 MiB/s for a tenth of the time.
    assertThat(rates.bytesPerSecond("a")).isCloseTo(2 * MIB, within(1.0));
  }

  @Test
  void whatWasLongAgoIsForgotten() {
    hydrate(5, 0);
    hydrate(5, 500 * MIB);
    hydrate(60, 60 * MIB);
    assertThat(rates.bytesPerSecond("a")).isCloseTo(MIB, within(1.0));
    hydrate(60, 0);
    assertThat(rates.bytesPerSecond("a")).isZero();
  }

  @Test
  void twoLooksAtOnceAreOne() {
    hydrate(5, 0);
    hydrate(5, 5 * MIB);
    hydrate(0, 5 * MIB);
    assertThat(rates.bytesPerSecond("a")).isCloseTo(MIB, within(1.0));
  }

  @Test
  void aCloneThatBeginsAnewHasNoNegativeRate() {
    hydrate(5, 10 * MIB);
    hydrate(60, -10 * MIB);
    assertThat(rates.bytesPerSecond("a")).isZero();
  }

  @Test
  void oneThatIsGoneIsForgotten() {
    hydrate(5, 0);
    hydrate(5, 5 * MIB);
    rates.sample(Map.of("b", MIB), nanos());
    assertThat(rates.bytesPerSecond("a")).isZero();
    hydrate(5, 5 * MIB);
    assertThat(rates.bytesPerSecond("a")).as("it is a new one").isZero();
  }

  private void hydrate(long moreSeconds, long moreBytes) {
    seconds += moreSeconds;
    bytes += moreBytes;
    rates.sample(Map.of("a", bytes), nanos());
  }

  private long nanos() {
    return TimeUnit.SECONDS.toNanos(seconds);
  }
}
