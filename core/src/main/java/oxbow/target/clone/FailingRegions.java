package oxbow.target.clone;

import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Regions whose background copy failed: each is tried again alone, later and later (O9). Bounded by
 * the number of failures in a row after which hydration pauses, and by {@link #isFull}.
 */
final class FailingRegions {
  private static final long FIRST_DELAY_NANOS = 250_000_000;
  private static final long LONGEST_DELAY_NANOS = 60_000_000_000L;
  private static final int MAX_REGIONS = 4096;

  private record Failure(long retryNanos, long delayNanos) {}

  private final NavigableMap<Long, Failure> byRegion = new TreeMap<>();
  private long failureCount;
  private int failuresInARow;

  /** A copy of one region failed; it may be tried again after a delay that doubles each time. */
  void failed(long region, long nowNanos) {
    Failure last = byRegion.get(region);
    long delay =
        last == null ? FIRST_DELAY_NANOS : Math.min(2 * last.delayNanos, LONGEST_DELAY_NANOS);
    byRegion.put(region, new Failure(nowNanos + delay + jitter(region, delay), delay));
    failureCount++;
    failuresInARow++;
  }

  /** Up to a quarter of the delay, from the region's number: retries of neighbours spread out. */
  private static long jitter(long region, long delayNanos) {
    return Long.remainderUnsigned(region * 0x9E3779B97F4A7C15L, delayNanos / 4);
  }

  void succeeded(long first, long count) {
    failuresInARow = 0;
    if (!byRegion.isEmpty()) {
      byRegion.subMap(first, first + count).clear();
    }
  }

  /** A fresh start: everything may be tried at once. */
  void forget() {
    byRegion.clear();
    failuresInARow = 0;
  }

  boolean isEmpty() {
    return byRegion.isEmpty();
  }

  boolean contains(long region) {
    return byRegion.containsKey(region);
  }

  /** The first of them from a region on; Long.MAX_VALUE if there is none. */
  long firstFrom(long region) {
    Long found = byRegion.isEmpty() ? null : byRegion.ceilingKey(region);
    return found == null ? Long.MAX_VALUE : found;
  }

  boolean mustWait(long region, long nowNanos) {
    Failure failure = byRegion.get(region);
    return failure != null && nowNanos < failure.retryNanos;
  }

  /**
   * The next time after now at which one of them may be tried again, or Long.MAX_VALUE. Those that
   * are due already wait for something else, such as a user's write to them.
   */
  long nextRetryNanos(long nowNanos) {
    return byRegion.values().stream()
        .mapToLong(Failure::retryNanos)
        .filter(retry -> retry > nowNanos)
        .min()
        .orElse(Long.MAX_VALUE);
  }

  boolean isFull() {
    return byRegion.size() >= MAX_REGIONS;
  }

  int failuresInARow() {
    return failuresInARow;
  }

  long failureCount() {
    return failureCount;
  }
}
