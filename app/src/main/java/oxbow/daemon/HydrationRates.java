package oxbow.daemon;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * How fast clones are hydrated: the mean of the last half minute or so. Fed every few seconds; any
 * thread may ask.
 */
final class HydrationRates {
  private static final double MEMORY_SECONDS = 30;

  /** What is known of one clone. */
  private record Sample(long nanos, long hydratedBytes, double bytesPerSecond) {}

  private final Map<String, Sample> samples = new HashMap<>();

  /**
   * Looks at all clones there are.
   *
   * @param hydratedBytes by a name for each clone
   */
  synchronized void sample(Map<String, Long> hydratedBytes, long nowNanos) {
    Set<String> gone = new HashSet<>(samples.keySet());
    gone.removeAll(hydratedBytes.keySet());
    samples.keySet().removeAll(gone);
    hydratedBytes.forEach(
        (clone, bytes) -> samples.merge(clone, new Sample(nowNanos, bytes, 0), this::next));
  }

  private Sample next(Sample last, Sample now) {
    double seconds = (double) (now.nanos() - last.nanos()) / TimeUnit.SECONDS.toNanos(1);
    if (seconds <= 0) {
      return last;
    }
    double rate = Math.max(0, now.hydratedBytes() - last.hydratedBytes()) / seconds;
    double weight = Math.min(1, seconds / MEMORY_SECONDS);
    boolean isFirst = last.bytesPerSecond() == 0;
    double mean = isFirst ? rate : last.bytesPerSecond() * (1 - weight) + rate * weight;
    return new Sample(now.nanos(), now.hydratedBytes(), mean);
  }

  /** 0 while nothing is known. */
  synchronized double bytesPerSecond(String clone) {
    Sample sample = samples.get(clone);
    return sample == null ? 0 : sample.bytesPerSecond();
  }
}
