package oxbow.target.clone;

import oxbow.target.Geometry;
import oxbow.target.Moment;

/**
 * How much background hydration may be in flight, and when the next copy may begin.
 *
 * <p>With a table line alone: at most <i>threshold</i> regions in flight from any cause, batches of
 * <i>batch size</i> regions, nothing while the user is busy (H1, H3, H4). Adaptive (O8): batches of
 * about 1 MiB; depth climbs while that brings more bytes per second and falls back when it does
 * not; while the user is busy copies start at the minimum share of the rate they would have alone.
 * Both keep to the byte rate if one is set (H9).
 */
final class HydrationPace {
  static final long BATCH_BYTES = 1 << 20;

  /** Depth at which adaptation begins, and the most it tries (32 MiB of buffers). */
  private static final int FIRST_DEPTH = 4;

  private static final int MAX_DEPTH = 32;
  private static final long WINDOW_NANOS = 150_000_000;
  private static final long HOLD_NANOS = 3_000_000_000L;
  private static final long LONGEST_GAP_NANOS = 1_000_000_000;
  private static final double WORTHWHILE = 1.04;

  private final CloneOptions options;
  private final Geometry geometry;
  private long threshold;
  private long batchSize;
  private long rateBytesPerSecond;

  private int depth = FIRST_DEPTH;
  private int depthBefore = FIRST_DEPTH;
  private double bestBytesPerNano;
  private long windowStartNanos = Long.MIN_VALUE;
  private long windowBytes;
  private long holdUntilNanos = Long.MIN_VALUE;

  private long earliestNanos = Long.MIN_VALUE;

  /** How long a copy takes, averaged over the last ones; 0 before the first has ended. */
  private long copyNanos;

  private long nextUnderLoadNanos = Long.MIN_VALUE;

  HydrationPace(CloneArgs args, CloneOptions options, Geometry geometry) {
    this.options = options;
    this.geometry = geometry;
    this.threshold = args.hydrationThreshold();
    this.batchSize = args.hydrationBatchSize();
    this.rateBytesPerSecond = options.rateBytesPerSecond();
  }

  long threshold() {
    return threshold;
  }

  void setThreshold(long regions) {
    threshold = regions;
  }

  long batchSize() {
    return batchSize;
  }

  void setBatchSize(long regions) {
    batchSize = regions;
  }

  /** Longest batch, in regions; at least 1 (H4). */
  long batchRegions() {
    return options.isAdaptive()
        ? Math.max(1, BATCH_BYTES / geometry.partBytes())
        : Math.max(1, batchSize);
  }

  /**
   * How many regions may be started now; 0 for none.
   *
   * @param regionsInFlight from any cause
   * @param copiesInFlight batches of background hydration
   */
  long allowance(long regionsInFlight, int copiesInFlight, Moment now) {
    if (now.nanos() < startNanos(now)) {
      return 0;
    }
    if (!options.isAdaptive()) {
      return now.isUserBusy() ? 0 : Math.max(0, threshold - regionsInFlight);
    }
    boolean isUnmeasured = now.isUserBusy() && copyNanos == 0;
    return copiesInFlight < (isUnmeasured ? 1 : depth) ? Long.MAX_VALUE : 0;
  }

  /** A threshold of 0 stops the background (H3). */
  boolean isStopped() {
    return !options.isAdaptive() && threshold == 0;
  }

  /**
   * Before this moment nothing starts; Long.MIN_VALUE when only the end of a copy is waited for.
   */
  long startNanos(Moment now) {
    return now.isUserBusy() ? Math.max(earliestNanos, nextUnderLoadNanos) : earliestNanos;
  }

  void started(long bytes, Moment now) {
    if (rateBytesPerSecond > 0) {
      long cost = (long) (bytes * 1e9 / rateBytesPerSecond);
      earliestNanos = Math.max(earliestNanos, now.nanos()) + cost;
    }
    // By Little's law the depth in flight without a pause would start one every copyNanos / depth.
    long gap = copyNanos * 100 / ((long) options.minimumSharePercent() * depth);
    nextUnderLoadNanos = now.nanos() + Math.min(gap, LONGEST_GAP_NANOS);
    if (windowStartNanos == Long.MIN_VALUE) {
      windowStartNanos = now.nanos();
    }
  }

  void ended(long bytes, long startNanos, Moment now) {
    if (!options.isAdaptive()) {
      return;
    }
    long took = now.nanos() - startNanos;
    copyNanos = copyNanos == 0 ? took : copyNanos + (took - copyNanos) / 8;
    if (now.isUserBusy()) {
      windowStartNanos = Long.MIN_VALUE;
      windowBytes = 0;
      return;
    }
    windowBytes += bytes;
    long elapsed = now.nanos() - windowStartNanos;
    if (windowStartNanos != Long.MIN_VALUE && elapsed >= WINDOW_NANOS) {
      adapt((double) windowBytes / elapsed, now);
      windowStartNanos = now.nanos();
      windowBytes = 0;
    }
  }

  /** Climbs while it pays; when it does not, goes back and holds before it tries again. */
  private void adapt(double bytesPerNano, Moment now) {
    if (now.nanos() < holdUntilNanos) {
      return;
    }
    if (bytesPerNano > bestBytesPerNano * WORTHWHILE) {
      bestBytesPerNano = bytesPerNano;
      depthBefore = depth;
      depth = Math.min(MAX_DEPTH, depth * 2);
    } else {
      depth = depthBefore;
      bestBytesPerNano = 0;
      holdUntilNanos = now.nanos() + HOLD_NANOS;
    }
  }

  int depth() {
    return depth;
  }
}
