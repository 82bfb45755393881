package oxbow.mapped;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What was asked of one place and has not ended, by age: the requests submitted between two ticks
 * share a counter, so that the account costs two steps of an atomic number per request, no
 * allocation and no clock. What ended at once, without a request, is no part of it.
 */
final class Outstanding {
  /**
   * Those submitted between two ticks. The count begins with one for the tick itself, and whoever
   * finds 0 has come too late: so no request is counted where nobody looks any more.
   */
  static final class Interval {
    private final long beginNanos;
    private final AtomicInteger count = new AtomicInteger(1);

    private Interval(long beginNanos) {
      this.beginNanos = beginNanos;
    }

    /** One of them has ended. */
    void ended() {
      count.decrementAndGet();
    }

    private boolean tryEnter() {
      int seen;
      do {
        seen = count.get();
        if (seen == 0) {
          return false;
        }
      } while (!count.compareAndSet(seen, seen + 1));
      return true;
    }
  }

  private volatile Interval current = new Interval(System.nanoTime());

  /** Intervals with requests that have not ended, the oldest first; guarded by this. */
  private final ArrayDeque<Interval> earlier = new ArrayDeque<>();

  /** A request is about to be submitted; {@link Interval#ended} is called when it has ended. */
  Interval enter() {
    Interval interval = current;
    while (!interval.tryEnter()) {
      interval = current;
    }
    return interval;
  }

  /**
   * Begins a new interval. The last one is kept until it is found at 0, however empty it seems:
   * somebody may be about to enter it.
   */
  synchronized void tick(long nowNanos) {
    Interval last = current;
    earlier.addLast(last);
    current = new Interval(nowNanos);
    last.ended();
    earlier.removeIf(interval -> interval.count.get() == 0);
  }

  /** How many have not ended. */
  synchronized long count() {
    return earlierCount() + current.count.get() - 1;
  }

  /** How many of them were submitted before the last tick. */
  synchronized long earlierCount() {
    long sum = 0;
    for (Interval interval : earlier) {
      sum += interval.count.get();
    }
    return sum;
  }

  /** How long the oldest has waited, to within the time between two ticks; 0 if none has. */
  synchronized long oldestNanos(long nowNanos) {
    for (Interval interval : earlier) {
      if (interval.count.get() > 0) {
        return Math.max(0, nowNanos - interval.beginNanos);
      }
    }
    return 0;
  }
}
