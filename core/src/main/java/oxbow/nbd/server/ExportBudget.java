package oxbow.nbd.server;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What the clients of an export together have at its device, and the line of those that wait for
 * their turn. Used by all loops, under its own lock for moments; without limits nothing is counted
 * and nothing locked.
 *
 * <p>Nobody starves: whoever does not get in at once stands in line, nobody passes the line, and
 * its first is woken as soon as its request fits; at the latest when nothing is in flight any more.
 * A peer cannot hold the line up (N1): only requests that have come in full ask to get in, and a
 * connection that cannot go on, because its client does not listen, leaves the line.
 */
final class ExportBudget {
  /** A connection as the line knows it. Belongs to one loop. */
  static final class Place {
    private final Runnable wake;

    /** Whether it stands in line; written under the lock by its own loop only. */
    private boolean isWaiting;

    /** For what it waits; guarded by the lock. */
    private long wantedBytes;

    /**
     * @param wake runs on any thread, outside the lock; leads to another {@link #take} or {@link
     *     #leave}
     */
    Place(Runnable wake) {
      this.wake = wake;
    }
  }

  private final ExportLimits limits;
  private final boolean isLimited;
  private final ArrayDeque<Place> line = new ArrayDeque<>();
  private int requests;
  private long bytes;

  ExportBudget(ExportLimits limits) {
    this.limits = limits;
    this.isLimited = limits.isInFlightLimited();
  }

  /**
   * Lets a request in, to be given back. Otherwise the connection stands in line, and is woken when
   * it may try again.
   *
   * @param payloadBytes 0 or more
   */
  boolean take(Place place, long payloadBytes) {
    if (!isLimited) {
      return true;
    }
    Place next;
    synchronized (this) {
      boolean isFirst = place.isWaiting ? line.peekFirst() == place : line.isEmpty();
      if (!isFirst || !fits(payloadBytes)) {
        place.wantedBytes = payloadBytes;
        if (!place.isWaiting) {
          place.isWaiting = true;
          line.addLast(place);
        }
        return false;
      }
      if (place.isWaiting) {
        place.isWaiting = false;
        line.removeFirst();
      }
      requests++;
      bytes += payloadBytes;
      next = firstThatFits();
    }
    wake(next);
    return true;
  }

  /** The device has completed a request that was let in. */
  void give(long payloadBytes) {
    if (!isLimited) {
      return;
    }
    Place next;
    synchronized (this) {
      requests--;
      bytes -= payloadBytes;
      next = firstThatFits();
    }
    wake(next);
  }

  /** The connection does not wait any more, if it did; its place goes to the next. */
  void leave(Place place) {
    if (!place.isWaiting) {
      return;
    }
    Place next;
    synchronized (this) {
      place.isWaiting = false;
      line.remove(place);
      next = firstThatFits();
    }
    wake(next);
  }

  private boolean fits(long payloadBytes) {
    return requests == 0
        || (requests < limits.maxRequestsInFlight()
            && payloadBytes <= limits.maxBytesInFlight() - bytes);
  }

  private @Nullable Place firstThatFits() {
    Place first = line.peekFirst();
    return first != null && fits(first.wantedBytes) ? first : null;
  }

  private static void wake(@Nullable Place place) {
    if (place != null) {
      place.wake.run();
    }
  }
}
