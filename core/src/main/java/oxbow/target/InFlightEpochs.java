package oxbow.target;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts I/O in flight in two alternating epochs, so that a core can wait for all that entered
 * before a moment, while more keeps coming. Entering and leaving is any thread's, without a lock;
 * waiting is the core's.
 *
 * <p>A wait sees the epoch that is not current empty, exchanges the two, and sees the other one
 * empty. So both have been empty since the wait began, and whoever had entered before is gone,
 * whichever epoch it was in. New ones enter the current epoch, which is why the former one comes to
 * an end. A thread that has read which epoch is current may enter it when it is not so any more:
 * that delays a wait, once, but nobody is missed.
 *
 * <p>Nobody sleeps for ever: who leaves subtracts, then looks whether the core waits; the core says
 * that it waits, then reads the counts. All four are volatile, so one of the two sees the other.
 */
public final class InFlightEpochs {
  /** Tickets are 0 and 1: a target that has several of these can tell them apart. */
  public static final int TICKETS = 2;

  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(long[].class);

  /** Apart from each other, each in a cache line of its own. */
  private static final int STRIDE = 16;

  private final long[] counts = new long[STRIDE * TICKETS + STRIDE];
  private volatile int current;

  /** Whether the core waits for an epoch to become empty. */
  private volatile boolean isAwaited;

  /** Waits that were begun, and those that are over; the core's. */
  private long begun;

  private long over;

  /** Begun before the last exchange: over when the former epoch is empty. */
  private long exchangedFor;

  /** I/O is about to begin; the ticket goes back with {@link #leave}. */
  public int enter() {
    int ticket = current;
    COUNT.getAndAdd(counts, at(ticket), 1L);
    return ticket;
  }

  /** I/O has ended, or will not begin; whether the core waits and should look. */
  public boolean leave(int ticket) {
    long before = (long) COUNT.getAndAdd(counts, at(ticket), -1L);
    return before == 1 && isAwaited;
  }

  /** The core waits for all that has entered by now. */
  public long await() {
    begun++;
    isAwaited = true;
    advance();
    return begun;
  }

  /** Whether a wait is over. */
  public boolean isOver(long wait) {
    if (over < wait) {
      advance();
    }
    return over >= wait;
  }

  private void advance() {
    while (over < begun) {
      int former = 1 - current;
      if (isEmpty(former)) {
        over = exchangedFor;
        if (over < begun) {
          exchangedFor = begun;
          current = former;
        }
      } else {
        return;
      }
    }
    isAwaited = false;
  }

  /** Nothing is in flight at this moment. */
  public boolean isEmpty() {
    return isEmpty(0) && isEmpty(1);
  }

  private boolean isEmpty(int ticket) {
    return (long) COUNT.getVolatile(counts, at(ticket)) == 0;
  }

  private static int at(int ticket) {
    return STRIDE * (ticket + 1);
  }
}
