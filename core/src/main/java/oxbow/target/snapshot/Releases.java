package oxbow.target.snapshot;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.target.InFlightEpochs;

/**
 * From durable to released: who waits to overwrite the origin, and for which reads of the snapshot
 * (R2, O24).
 *
 * <p>A read takes a ticket, then looks into the table, and goes to the origin if it finds no
 * exception there. Whoever releases waits, after the exception has become readable, for all that
 * have taken a ticket before. So a read either finds the exception or is waited for.
 */
final class Releases {
  private final Exceptions exceptions;
  private final InFlightEpochs originReads = new InFlightEpochs();

  /** In arrival order. */
  private @Nullable OriginWaiter[] waiters = new OriginWaiter[16];

  /** For each waiter the chunk of the store below which all must be released for it. */
  private long[] bounds = new long[16];

  private int waiterCount;

  /** Reads are being waited for, on behalf of exceptions below {@link #nextReleased}. */
  private boolean isAwaitingReads;

  private long awaitedReads;
  private long nextReleased;
  private boolean isInvalidationDurable;

  /** Nobody need be kept from the origin for the sake of an invalid snapshot any more. */
  private volatile boolean isInvalidationOver;

  Releases(Exceptions exceptions) {
    this.exceptions = exceptions;
    this.isInvalidationOver = !exceptions.isValid();
  }

  InFlightEpochs originReads() {
    return originReads;
  }

  /** Whether a write to the origin that needs exceptions below a bound has to wait. */
  boolean mustWait(long bound) {
    return exceptions.isValid() ? bound > exceptions.releasedBelow() : !isInvalidationOver;
  }

  void add(OriginWaiter waiter, long bound) {
    if (waiterCount == bounds.length) {
      waiters = Arrays.copyOf(waiters, 2 * waiterCount);
      bounds = Arrays.copyOf(bounds, 2 * waiterCount);
    }
    waiters[waiterCount] = waiter;
    bounds[waiterCount++] = bound;
  }

  boolean isIdle() {
    return waiterCount == 0;
  }

  /** The store says that it is invalid, and no read is on its way that began before. Any thread. */
  boolean isInvalidationOver() {
    return isInvalidationOver;
  }

  /** After a crash the store says that it is invalid (F5); reads are waited for once more (R2). */
  void invalidationIsDurable() {
    isInvalidationDurable = true;
    awaitedReads = originReads.await();
    lookAgain();
  }

  /** More has become durable, or reads have ended: releases what can be, and tells who waits. */
  void lookAgain() {
    boolean hasMore = exceptions.isValid();
    while (hasMore) {
      hasMore = goesOn();
    }
    if (isInvalidationDurable && originReads.isOver(awaitedReads)) {
      isInvalidationOver = true;
    }
    for (int i = 0; i < waiterCount; ) {
      if (mustWait(bounds[i])) {
        i++;
      } else {
        // It may come back at once with what it needs next, behind all others.
        remove(i).released();
      }
    }
  }

  private OriginWaiter remove(int index) {
    OriginWaiter waiter = Objects.requireNonNull(waiters[index]);
    waiterCount--;
    System.arraycopy(waiters, index + 1, waiters, index, waiterCount - index);
    System.arraycopy(bounds, index + 1, bounds, index, waiterCount - index);
    waiters[waiterCount] = null;
    return waiter;
  }

  /** Takes one step towards releasing what is durable; whether there may be another. */
  private boolean goesOn() {
    if (isAwaitingReads && originReads.isOver(awaitedReads)) {
      isAwaitingReads = false;
      exceptions.setReleasedBelow(nextReleased);
      return true;
    }
    if (!isAwaitingReads && exceptions.durableBelow() > exceptions.releasedBelow()) {
      isAwaitingReads = true;
      nextReleased = exceptions.durableBelow();
      awaitedReads = originReads.await();
      return true;
    }
    return false;
  }
}
