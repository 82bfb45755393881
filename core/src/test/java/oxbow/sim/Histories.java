package oxbow.sim;

import java.util.function.LongConsumer;

/**
 * Runs seeded histories, one after the other. The first failure ends the run, with a line that
 * reproduces it: the system property {@code oxbow.seed} has {@link #run} try that seed alone. The
 * property {@code oxbow.soak} has it go on for so many minutes with other seeds.
 */
public final class Histories {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final long NANOS_PER_MINUTE = 60_000_000_000L;

  private final String test;
  private final LongConsumer history;
  private final long beginNanos = System.nanoTime();
  private long count;

  /**
   * Histories of a test.
   *
   * @param test which one runs a single seed, as Maven's {@code -Dtest} takes it
   * @param history one of them, by its seed
   */
  public Histories(String test, LongConsumer history) {
    this.test = test;
    this.history = history;
  }

  /** Runs the seeds from 0 on, then soaks if that is asked for; or runs the one seed named. */
  public Histories run(int usualCount) {
    Long only = Long.getLong("oxbow.seed");
    if (only != null) {
      run(only);
      return this;
    }
    for (long seed = 0; seed < usualCount; seed++) {
      run(seed);
    }
    soak(Long.getLong("oxbow.soak", 0));
    return this;
  }

  /** Seeds that were hardly ever tried before. */
  private void soak(long minutes) {
    long first = System.currentTimeMillis() << 20;
    while (elapsedNanos() < minutes * NANOS_PER_MINUTE) {
      run(first + count);
    }
  }

  private void run(long seed) {
    try {
      history.accept(seed);
      count++;
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(
          "reproduce with: ./mvnw test -pl core -Dtest=%s -Doxbow.seed=%d%n%s"
              .formatted(test, seed, e.getMessage()),
          e);
    }
  }

  private long elapsedNanos() {
    return System.nanoTime() - beginNanos;
  }

  @Override
  public String toString() {
    return "%d histories, %.1f s".formatted(count, elapsedNanos() / NANOS_PER_SECOND);
  }
}
