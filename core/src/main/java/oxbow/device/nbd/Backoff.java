package oxbow.device.nbd;

import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt to connect: doubling from the first delay to the
 * longest, each time a random value between half of it and the whole, so that many clients of one
 * restarted server do not come back in step. No clock and no timer in here.
 */
public final class Backoff {
  private final long firstDelayNanos;
  private final long longestDelayNanos;
  private final RandomGenerator random;
  private long ceilingNanos;

  /**
   * @param firstDelayNanos at least 2
   * @param longestDelayNanos at least the first
   */
  public Backoff(long firstDelayNanos, long longestDelayNanos, RandomGenerator random) {
    if (firstDelayNanos < 2 || longestDelayNanos < firstDelayNanos) {
      throw new IllegalArgumentException(
          "delays from " + firstDelayNanos + " to " + longestDelayNanos + " ns");
    }
    this.firstDelayNanos = firstDelayNanos;
    this.longestDelayNanos = longestDelayNanos;
    this.random = random;
    this.ceilingNanos = firstDelayNanos;
  }

  /** The delay before the next attempt; the one after it will be longer. */
  public long nextDelayNanos() {
    long halfNanos = ceilingNanos / 2;
    long delayNanos = halfNanos + random.nextLong(ceilingNanos - halfNanos + 1);
    ceilingNanos = ceilingNanos > longestDelayNanos / 2 ? longestDelayNanos : ceilingNanos * 2;
    return delayNanos;
  }

  /** Begins again with the first delay: a connection has proved itself by answering. */
  public void reset() {
    ceilingNanos = firstDelayNanos;
  }
}
