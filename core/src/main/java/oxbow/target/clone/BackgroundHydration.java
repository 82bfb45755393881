package oxbow.target.clone;

import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Geometry;
import oxbow.target.Moment;

/**
 * Looks for unhydrated regions with a cursor that scans upward and starts over (H2), and begins as
 * many copies as the pace allows. Source holes are not copied: whole regions that read as zeros are
 * taken as one run, however long: a pristine destination needs no I/O for them, another is zeroed
 * in one piece (O6).
 *
 * <p>If it was given an order it takes the regions of that first, and the cursor waits. These are
 * copied without asking how the source is allocated, which could cost a round trip for each:
 * somebody touched them once, so they are seldom holes.
 */
final class BackgroundHydration {
  /** Regions of a hole taken at once: bounds the time one event takes. */
  private static final long MAX_HOLE_REGIONS = 1L << 24;

  private final Geometry geometry;
  private final RegionMap map;
  private final CloneCore core;
  private final HydrationPace pace;
  private final FailingRegions failing = new FailingRegions();
  private final ExtentQuery sourceExtents = new ExtentQuery();
  private final int failureLimit;
  private final BooleanSupplier isSourceAway;

  private boolean isEnabled;
  private boolean isQuerying;
  private @Nullable String pausedReason;

  /** The source was away when hydration paused: it goes on by itself when the source is back. */
  private boolean isPausedByAbsence;

  private boolean wasSourceAway;
  private long cursor;

  /** What comes before the cursor; null when nothing does any more. */
  private @Nullable HydrationOrder order;

  /** End of the run in which {@link #nextCandidate} has found its region. */
  private long candidateLimit;

  private long singlyFrom;
  private long singlyUntil;
  private int copiesInFlight;

  BackgroundHydration(
      CloneCore core,
      RegionMap map,
      Geometry geometry,
      HydrationPace pace,
      int failureLimit,
      BooleanSupplier isSourceAway) {
    this.core = core;
    this.map = map;
    this.geometry = geometry;
    this.pace = pace;
    this.failureLimit = failureLimit;
    this.isSourceAway = isSourceAway;
  }

  boolean isEnabled() {
    return isEnabled;
  }

  /** Also forgets failures, so that everything is tried again at once (O9). */
  void enable() {
    isEnabled = true;
    pausedReason = null;
    isPausedByAbsence = false;
    failing.forget();
  }

  /**
   * Notices when the source is back: what failed without it need not wait for its next turn, and
   * nobody need enable hydration again that paused only because of that (O9).
   */
  void everySecond(Effects out) {
    boolean isAway = isSourceAway.getAsBoolean();
    boolean isBack = !isAway && (wasSourceAway || isPausedByAbsence);
    wasSourceAway = isAway;
    if (isBack) {
      failing.forget();
      if (isPausedByAbsence) {
        isPausedByAbsence = false;
        pausedReason = null;
        out.event("hydration goes on: the source is back");
      }
    }
  }

  /** Regions that come before all others, after those of the calls before. */
  void takeFirst(long offsetBytes, long lengthBytes) {
    HydrationOrder first = order == null ? new HydrationOrder(geometry) : order;
    first.add(offsetBytes, lengthBytes);
    order = first;
  }

  /** There is nothing left to look for (M7). */
  void release() {
    order = null;
    failing.forget();
  }

  /** Copies in flight end as they would. */
  void disable() {
    isEnabled = false;
  }

  @Nullable String pausedReason() {
    return pausedReason;
  }

  long failureCount() {
    return failing.failureCount();
  }

  boolean isQuery(Object job) {
    return job == sourceExtents;
  }

  boolean isQuiet() {
    return copiesInFlight == 0 && !isQuerying;
  }

  /** Begins whatever may begin now. The core calls it only while H1's other conditions hold. */
  void run(Moment now, Effects out) {
    if (!isEnabled || pausedReason != null || isQuerying || pace.isStopped()) {
      return;
    }
    while (true) {
      long first = nextCandidate(now.nanos());
      if (first == geometry.count()) {
        awaitRetry(now.nanos(), out);
        return;
      }
      long start = geometry.startOf(first);
      if (order == null && !sourceExtents.isKnown(start)) {
        isQuerying = true;
        sourceExtents.begin(start);
        out.extents(sourceExtents, CloneCore.SOURCE, start, geometry.deviceBytes() - start);
        return;
      }
      boolean isHole = sourceExtents.isKnown(start) && sourceExtents.isZero(start);
      long holeEnd = isHole ? wholeHoleEnd(start) : first;
      boolean began =
          holeEnd > first ? takeHole(first, holeEnd, now, out) : takeData(first, now, out);
      if (!began) {
        return;
      }
    }
  }

  /** The source's answer; an error leaves the extent to be copied as data. */
  void queryEnded(int errno) {
    isQuerying = false;
    long known = sourceExtents.endBytes() - sourceExtents.offsetBytes();
    if (errno != Errno.OK || known == 0) {
      long start = sourceExtents.offsetBytes();
      sourceExtents.begin(start);
      sourceExtents.add(Math.min(HydrationPace.BATCH_BYTES, geometry.deviceBytes() - start), false);
    }
  }

  /** A copy or hole of ours has ended. */
  void ended(Hydration hydration, int errno, Moment now, Effects out) {
    copiesInFlight--;
    if (hydration.cause == Hydration.Cause.BACKGROUND) {
      pace.ended(
          geometry.lengthOf(hydration.first(), hydration.count()), hydration.startNanos, now);
    }
    if (errno == Errno.OK) {
      failing.succeeded(hydration.first(), hydration.count());
    } else if (hydration.count() > 1) {
      singlyFrom = hydration.first();
      singlyUntil = hydration.end();
      // An order is gone through once; the cursor comes by in any case.
      cursor = order == null ? hydration.first() : cursor;
    } else {
      failing.failed(hydration.first(), now.nanos());
      out.warn("hydration of region " + hydration.first() + " failed: " + Errno.describe(errno));
      boolean isTooMuch = failing.failuresInARow() >= failureLimit || failing.isFull();
      if (isTooMuch && pausedReason == null) {
        pausedReason =
            failing.failuresInARow()
                + " copies in a row failed, the last one of region "
                + hydration.first()
                + ": "
                + Errno.describe(errno);
        isPausedByAbsence = isSourceAway.getAsBoolean();
        out.event("hydration paused: " + pausedReason);
      }
    }
  }

  /** Next region that is unhydrated, not in flight and not waiting for a retry; or the count. */
  private long nextCandidate(long nowNanos) {
    while (order != null) {
      candidateLimit = order.end();
      long found = scan(order.first(), candidateLimit, nowNanos);
      if (found < candidateLimit) {
        return found;
      }
      pass(candidateLimit);
    }
    candidateLimit = geometry.count();
    long found = scan(cursor, geometry.count(), nowNanos);
    if (found == geometry.count() && cursor > 0) {
      found = scan(0, cursor, nowNanos);
    }
    return found;
  }

  /** The next region is looked for from here. */
  private void pass(long endRegion) {
    if (order == null) {
      cursor = endRegion;
      return;
    }
    order.pass(endRegion);
    if (order.isOver()) {
      order = null;
    }
  }

  private long scan(long from, long end, long nowNanos) {
    long region = map.nextUnhydrated(from);
    while (region < end) {
      Hydration owner = core.ownerOf(region, region + 1);
      if (owner != null) {
        region = map.nextUnhydrated(owner.end());
      } else if (failing.mustWait(region, nowNanos)) {
        region = map.nextUnhydrated(region + 1);
      } else {
        return region;
      }
    }
    return geometry.count();
  }

  private void awaitRetry(long nowNanos, Effects out) {
    long retry = failing.nextRetryNanos(nowNanos);
    if (retry != Long.MAX_VALUE) {
      out.wakeAt(retry);
    }
  }

  /** End of the regions that lie wholly within the zero extent at an offset. */
  private long wholeHoleEnd(long startBytes) {
    long end = sourceExtents.extentEndBytes(startBytes);
    return geometry.endCovered(end);
  }

  /**
   * Zeroing is I/O: where it is needed it waits for the user and for its turn as copies do (H1).
   */
  private boolean takeHole(long first, long holeEnd, Moment now, Effects out) {
    if (!core.isDestinationPristine() && allowance(now, out) == 0) {
      return false;
    }
    long most = isSingly(first) ? 1 : MAX_HOLE_REGIONS;
    long limit = Math.min(candidateLimit, first + most);
    long end = runEnd(first, Math.min(holeEnd, limit));
    copiesInFlight++;
    pass(end);
    core.beginHole(first, end - first, now, out);
    return true;
  }

  private boolean takeData(long first, Moment now, Effects out) {
    long allowance = allowance(now, out);
    if (allowance == 0) {
      return false;
    }
    long limit = Math.min(allowance, isSingly(first) ? 1 : pace.batchRegions());
    long most = Math.min(first + limit, candidateLimit);
    long end = runEnd(first, Math.min(most, dataEnd(first)));
    copiesInFlight++;
    pass(end);
    pace.started(geometry.lengthOf(first, end - first), now);
    core.beginCopy(Hydration.Cause.BACKGROUND, first, end - first, now, out);
    return true;
  }

  /**
   * How many regions may be started now; 0 for none, and if that is a matter of time, until when.
   */
  private long allowance(Moment now, Effects out) {
    long allowance = pace.allowance(core.regionsInFlight(), copiesInFlight, now);
    if (allowance == 0 && now.nanos() < pace.startNanos(now)) {
      out.wakeAt(pace.startNanos(now));
    }
    return allowance;
  }

  private boolean isSingly(long region) {
    return (region >= singlyFrom && region < singlyUntil) || failing.contains(region);
  }

  /** End of the regions that begin before the next source hole; at least one region. */
  private long dataEnd(long first) {
    long start = geometry.startOf(first);
    if (!sourceExtents.isKnown(start)) {
      return geometry.count();
    }
    if (sourceExtents.isZero(start)) {
      return first + 1;
    }
    long extentEnd = sourceExtents.extentEndBytes(start);
    return Math.max(first + 1, geometry.firstWhole(extentEnd));
  }

  /**
   * End of the run of regions from {@code first} that are unhydrated and nobody's. A region that
   * has failed is tried at its own time and alone: no run takes it along.
   */
  private long runEnd(long first, long limit) {
    long untilFailing = Math.min(limit, failing.firstFrom(first + 1));
    long end = Math.min(map.nextHydrated(first, untilFailing), untilFailing);
    Hydration owner = core.ownerOf(first, end);
    return owner == null ? end : owner.first();
  }
}
