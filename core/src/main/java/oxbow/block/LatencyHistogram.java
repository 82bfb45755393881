package oxbow.block;

import java.util.List;

/**
 * How long requests took.
 *
 * @param counts how many fell into each bucket and into none below; {@link #BUCKETS} numbers
 * @param sumNanos of all of them
 */
public record LatencyHistogram(List<Long> counts, long sumNanos) {
  /** Bounds are 1 µs, 2 µs, 4 µs and so on to 67 s; the last bucket has none. */
  public static final int BUCKETS = 28;

  /** Copies. */
  public LatencyHistogram {
    counts = List.copyOf(counts);
  }

  /** How many requests there were. */
  public long count() {
    return counts.stream().mapToLong(Long::longValue).sum();
  }

  /** The longest latency that falls into a bucket, in nanoseconds. */
  public static long boundNanos(int bucket) {
    return bucket == BUCKETS - 1 ? Long.MAX_VALUE : 1000L << bucket;
  }

  /** The bucket of a latency: the lowest whose bound it does not exceed. */
  public static int bucketOf(long nanos) {
    long micros = Math.ceilDiv(nanos, 1000);
    return micros <= 1
        ? 0
        : Math.min(BUCKETS - 1, Long.SIZE - Long.numberOfLeadingZeros(micros - 1));
  }
}
