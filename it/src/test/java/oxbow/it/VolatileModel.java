package oxbow.it;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * What a device with a volatile cache may hold, counted in granules smaller than a sector, so that
 * unaligned requests have a model too. Content goes by stamps: the number of the write it comes
 * from, {@link #SOURCE} or {@link #ZERO}.
 *
 * <ul>
 *   <li>V1 While no change of a granule is in flight, it reads as the newest change acknowledged.
 *   <li>V2 After a crash it reads as the newest change that was acknowledged before a flush began
 *       that was acknowledged itself (or that had FUA), or as any change after that one, whether
 *       acknowledged or in flight. A clone's way back to the source (W8) is contained in this: a
 *       region that was not hydrated at the last flush held the source's data then.
 * </ul>
 *
 * <p>Whoever has a request in flight holds its range, so changes of one granule have an order.
 */
final class VolatileModel {
  static final int GRANULE_BYTES = 256;

  /** The stamp of what nobody has written. */
  static final int SOURCE = 0;

  /** The stamp of zeroed and of discarded granules. */
  static final int ZERO = -1;

  private static final long IN_FLIGHT = Long.MAX_VALUE;

  /** A change of some granules, from its submission until a flush covers it. */
  private static final class Change {
    final long order;
    final int first;
    final int count;
    final int stamp;
    long acknowledged = IN_FLIGHT;

    Change(long order, int first, int count, int stamp) {
      this.order = order;
      this.first = first;
      this.count = count;
      this.stamp = stamp;
    }
  }

  private final BitSet held = new BitSet();
  private final int[] newest;
  private final int[] durable;

  /** The order of the change that {@code durable} comes from; older ones no longer count (V2). */
  private final long[] durableOrder;

  /** In the order of their submission. */
  private final List<Change> changes = new ArrayList<>();

  private long nextOrder = 1;
  private long acknowledgements;

  /** All granules are as in the source. */
  VolatileModel(int granuleCount) {
    newest = new int[granuleCount];
    durable = new int[granuleCount];
    durableOrder = new long[granuleCount];
  }

  int granuleCount() {
    return newest.length;
  }

  /** Takes a range for one request; false, and nothing is taken, if a part of it is taken. */
  synchronized boolean tryHold(int first, int count) {
    int next = held.nextSetBit(first);
    if (next >= 0 && next < first + count) {
      return false;
    }
    held.set(first, first + count);
    return true;
  }

  synchronized void release(int first, int count) {
    held.clear(first, first + count);
  }

  /** A change is about to be submitted; the range is held. */
  synchronized long begin(int first, int count, int stamp) {
    Change change = new Change(nextOrder++, first, count, stamp);
    changes.add(change);
    return change.order;
  }

  /** The change is acknowledged. */
  synchronized void acknowledged(long order, boolean isFua) {
    Change change = find(order);
    change.acknowledged = ++acknowledgements;
    Arrays.fill(newest, change.first, change.first + change.count, change.stamp);
    if (isFua) {
      makeDurable(change);
      changes.remove(change);
    }
  }

  /** The change is acknowledged, and has had no effect. */
  synchronized void hadNoEffect(long order) {
    changes.remove(find(order));
  }

  private Change find(long order) {
    for (int i = changes.size() - 1; i >= 0; i--) {
      if (changes.get(i).order == order) {
        return changes.get(i);
      }
    }
    throw new IllegalStateException("no change " + order);
  }

  /** A flush is about to be submitted; what to tell {@link #flushed}. */
  synchronized long flushBegins() {
    return acknowledgements;
  }

  /** The flush that began then is acknowledged. */
  synchronized void flushed(long begun) {
    for (Iterator<Change> all = changes.iterator(); all.hasNext(); ) {
      Change change = all.next();
      if (change.acknowledged <= begun) {
        makeDurable(change);
        all.remove();
      }
    }
  }

  private void makeDurable(Change change) {
    for (int granule = change.first; granule < change.first + change.count; granule++) {
      if (durableOrder[granule] < change.order) {
        durableOrder[granule] = change.order;
        durable[granule] = change.stamp;
      }
    }
  }

  /** What a granule reads as while its range is held and no change of it is in flight (V1). */
  synchronized int newest(int granule) {
    return newest[granule];
  }

  /** What each granule may read as after a crash now (V2). */
  synchronized List<Set<Integer>> afterCrash() {
    List<Set<Integer>> allowed = new ArrayList<>(durable.length);
    for (int stamp : durable) {
      allowed.add(new HashSet<>(Set.of(stamp)));
    }
    for (Change change : changes) {
      for (int granule = change.first; granule < change.first + change.count; granule++) {
        if (change.order > durableOrder[granule]) {
          allowed.get(granule).add(change.stamp);
        }
      }
    }
    return allowed;
  }

  /** The crash has happened and left this; nothing is in flight or held any more. */
  synchronized void restart(int[] found) {
    System.arraycopy(found, 0, newest, 0, found.length);
    System.arraycopy(found, 0, durable, 0, found.length);
    Arrays.fill(durableOrder, nextOrder++);
    changes.clear();
    held.clear();
  }
}
