package oxbow.target.clone;

import oxbow.block.Errno;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.Moment;
import oxbow.target.Piece;

/**
 * Reads that hydrate: NBD's CACHE, and, where that is on, every read of regions that nobody owns
 * (O13). Such a read is answered as soon as its own bytes have come from the source; whatever goes
 * wrong after that is nothing to its user. If it cannot hydrate it goes to the source as any read.
 */
final class ReadHints {
  /**
   * How long no read hydrates after one has failed to: a destination that is full, or a source with
   * bad sectors, then costs little.
   */
  private static final long PAUSE_NANOS = 1_000_000_000;

  private final CloneCore core;
  private final RegionMap map;
  private final Geometry geometry;
  private volatile boolean hydratesOnRead;
  private long pausedUntilNanos = Long.MIN_VALUE;
  private long failureCount;

  ReadHints(CloneCore core, RegionMap map, Geometry geometry, boolean hydratesOnRead) {
    this.core = core;
    this.map = map;
    this.geometry = geometry;
    this.hydratesOnRead = hydratesOnRead;
  }

  /** Any thread may ask. */
  boolean hydratesOnRead() {
    return hydratesOnRead;
  }

  void enableHydrateOnRead() {
    hydratesOnRead = true;
    pausedUntilNanos = Long.MIN_VALUE;
  }

  void disableHydrateOnRead() {
    hydratesOnRead = false;
  }

  /** Hydrations of reads that have failed. */
  long failureCount() {
    return failureCount;
  }

  /** How many regions are hydrated at once for a hint or a read: as many as a buffer holds. */
  long regionsAtOnce() {
    return Math.max(1, CloneCore.MAX_MERGE_BYTES / geometry.partBytes());
  }

  /**
   * CACHE: hydrates what is not, a buffer's worth at a time, then hands the hint down. It is a
   * request of a user: it waits for no threshold and no turn, and while it is in flight the
   * background gives way to it (H1, O8). The background's cursor stays where it is, and passes over
   * what was hydrated when it comes there (H2).
   */
  void cache(Piece piece, Moment now, Effects out) {
    long end = geometry.partOf(piece.endBytes() - 1) + 1;
    long first = map.nextUnhydrated(geometry.partOf(piece.offsetBytes()));
    if (first >= end) {
      out.issue(piece, CloneCore.DESTINATION, piece.offsetBytes());
      return;
    }
    if (core.mode() != CloneMode.READ_WRITE) {
      out.issue(piece, CloneCore.SOURCE, piece.offsetBytes());
      return;
    }
    Hydration owner = core.ownerOf(first, first + 1);
    if (owner != null) {
      core.await(owner, piece, 1);
      return;
    }
    long runEnd = map.nextHydrated(first, Math.min(end, first + regionsAtOnce()));
    Hydration next = core.ownerOf(first, runEnd);
    long count = (next == null ? runEnd : next.first()) - first;
    core.beginHint(piece, first, count, now, out);
  }

  /** R2 holds: a read of what somebody owns, or what may not be taken now, waits for nothing. */
  void read(Piece piece, Moment now, Effects out) {
    long first = geometry.partOf(piece.offsetBytes());
    long end = geometry.partOf(piece.endBytes() - 1) + 1;
    if (map.areAllHydrated(first, end - first)) {
      out.issue(piece, CloneCore.DESTINATION, piece.offsetBytes());
      return;
    }
    boolean mayHydrate =
        core.mayTakeRegions()
            && now.nanos() >= pausedUntilNanos
            && map.nextHydrated(first, end) == end
            && core.ownerOf(first, end) == null;
    if (!mayHydrate) {
      out.issue(piece, CloneCore.SOURCE, piece.offsetBytes());
    } else if (geometry.lengthOf(first, end - first) <= CloneCore.MAX_MERGE_BYTES) {
      core.beginReadThrough(piece, first, end - first, now, out);
    } else {
      // No buffer is larger: the region is copied, in pieces, beside the read.
      out.issue(piece, CloneCore.SOURCE, piece.offsetBytes());
      core.beginCopy(Hydration.Cause.READ, first, end - first, now, out);
    }
  }

  /** The user has been answered, or will be by the source. EAGAIN: there was no free buffer. */
  void readThroughFailed(Hydration hydration, int errno, Moment now, Effects out) {
    if (errno == Errno.EAGAIN) {
      return;
    }
    failureCount++;
    pausedUntilNanos = now.nanos() + PAUSE_NANOS;
    out.warn(
        "hydration of regions %d+%d for a read failed: %s"
            .formatted(hydration.first(), hydration.count(), Errno.describe(errno)));
  }
}
