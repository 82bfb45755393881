package oxbow.target.clone;

import java.util.ArrayDeque;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.Job;
import oxbow.target.Moment;
import oxbow.target.OwnedRanges;
import oxbow.target.Piece;

/**
 * All state and all decisions of a clone. Pure: no I/O, no clock, no lock; one thread at a time.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>C1 A region's bit is set only after the destination holds its contents, and is never
 *       cleared.
 *   <li>C2 The bit becomes durable only after a flush of the destination that began after those
 *       contents were written ({@link CommitCycle}).
 *   <li>C3 A region with I/O in flight has one owner, a {@link Hydration}; whoever wants to change
 *       it waits there and is looked at again, in arrival order, when that I/O has ended (O1).
 *   <li>C4 The mode goes rw, ro, Fail, never back; regions recorded in memory stay so (O3).
 *   <li>C5 While {@link #isDestinationPristine}, each unhydrated region reads as zeros in the
 *       destination; the first failed write to one ends that for good (O6).
 * </ul>
 */
final class CloneCore {
  static final int DESTINATION = 0;
  static final int SOURCE = 1;

  /** No buffer is larger: larger regions are copied in pieces, then written (O2). */
  static final long MAX_MERGE_BYTES = 1 << 20;

  private final Geometry geometry;
  private final RegionMap map;
  private final OwnedRanges<Hydration> inFlight = new OwnedRanges<>();
  private final CloneCommitter committer;
  private final CommitCycle commits;
  private final BackgroundHydration background;
  private final HydrationPace pace;
  private final ReadHints hints;
  private final ArrayDeque<Hydration> idleHydrations = new ArrayDeque<>();
  private final boolean hasDiscardPassdown;
  private @Nullable CopyChecksums checksums;

  private volatile CloneMode mode = CloneMode.READ_WRITE;
  private @Nullable String modeReason;
  private volatile boolean isDone;
  private volatile boolean isClean = true;
  private boolean isDestinationPristine;
  private boolean isSuspending = true;
  private int wideWaiters;
  private long copiedBytes;

  /**
   * @param isSourceAway whether the source cannot be reached now, but may be again
   */
  CloneCore(
      CloneArgs args,
      CloneOptions options,
      Geometry geometry,
      RegionMap map,
      boolean hasDiscardPassdown,
      CloneCommitter committer,
      BooleanSupplier isSourceAway) {
    this.committer = committer;
    this.geometry = geometry;
    this.map = map;
    this.hasDiscardPassdown = hasDiscardPassdown;
    this.isDestinationPristine = options.isDestinationZero();
    this.commits = new CommitCycle(geometry.count(), committer);
    this.pace = new HydrationPace(args, options, geometry);
    this.background =
        new BackgroundHydration(this, map, geometry, pace, options.failureLimit(), isSourceAway);
    this.hints = new ReadHints(this, map, geometry, args.hydratesOnRead());
    if (!args.hasNoHydration()) {
      background.enable();
    }
    if (map.isComplete()) {
      release();
    }
  }

  /** M7: what was needed to get here is needed no more. */
  private void release() {
    // First: map() asks the map no more but for questions that it is in the midst of.
    isDone = true;
    map.release();
    commits.release();
    background.release();
    checksums = null;
    idleHydrations.clear();
  }

  /** From now on sums are taken of what is copied; before the first resume. */
  void sumCopies(CopyChecksums sums) {
    checksums = sums;
  }

  // What map() may ask from any thread.

  CloneMode mode() {
    return mode;
  }

  /** What failed when the mode became worse than rw; null before. */
  @Nullable String modeReason() {
    return modeReason;
  }

  /** All regions are hydrated and committed: the map need not be consulted any more (M7). */
  boolean isDone() {
    return isDone;
  }

  /** Nothing is recorded that is not durable. */
  boolean isClean() {
    return isClean;
  }

  // What status and the background ask.

  boolean hasDiscardPassdown() {
    return hasDiscardPassdown;
  }

  HydrationPace pace() {
    return pace;
  }

  BackgroundHydration background() {
    return background;
  }

  ReadHints hints() {
    return hints;
  }

  long commitCount() {
    return commits.commitCount();
  }

  long regionsInFlight() {
    return inFlight.partCount();
  }

  long copiedBytes() {
    return copiedBytes;
  }

  /**
   * Whether regions may be taken that no write asked for. Not while somebody waits for several: one
   * of them could be taken again and again.
   */
  boolean mayTakeRegions() {
    return mode == CloneMode.READ_WRITE && !isSuspending && wideWaiters == 0;
  }

  @Nullable Hydration ownerOf(long first, long end) {
    return inFlight.firstOverlapping(first, end);
  }

  // Events.

  void queue(Piece piece, Moment now, Effects out) {
    dispatch(piece, now, out);
    settle(now, out);
  }

  void ended(Job job, int errno, Moment now, Effects out) {
    if (commits.isJob(job)) {
      commitEnded(errno, out);
    } else if (background.isQuery(job)) {
      background.queryEnded(errno);
    } else {
      hydrationEnded((Hydration) job, errno, now, out);
    }
    settle(now, out);
  }

  void everySecond(Moment now, Effects out) {
    background.everySecond(out);
    if (!isSuspending && mode == CloneMode.READ_WRITE) {
      commits.commitIfChanged(out);
    }
    settle(now, out);
  }

  void wake(Moment now, Effects out) {
    settle(now, out);
  }

  void suspend(Moment now, Effects out) {
    isSuspending = true;
    settle(now, out);
  }

  void resume(Moment now, Effects out) {
    isSuspending = false;
    settle(now, out);
  }

  /** Nothing is in flight and what was recorded is durable, or cannot become so any more (Z1). */
  boolean isSuspended() {
    return isSuspending && isQuiet() && (commits.isClean() || mode != CloneMode.READ_WRITE);
  }

  private boolean isQuiet() {
    return inFlight.isEmpty() && background.isQuiet() && commits.isIdle();
  }

  /** Re-establishes what holds after every event. */
  private void settle(Moment now, Effects out) {
    if (isSuspending) {
      if (isQuiet() && mode == CloneMode.READ_WRITE) {
        commits.commitIfChanged(out);
      }
    } else if (mode == CloneMode.READ_WRITE && !isDone && wideWaiters == 0) {
      background.run(now, out);
      if (map.isComplete()) {
        // The last commit need not wait for its second: somebody waits for the event (M7).
        commits.commitIfChanged(out);
      }
    }
    isClean = commits.isClean();
  }

  // Requests.

  private void dispatch(Piece piece, Moment now, Effects out) {
    switch (piece.operation()) {
      case WRITE, WRITE_ZEROES -> write(piece, now, out);
      case DISCARD -> discard(piece, now, out);
      case CACHE -> hints.cache(piece, now, out);
      case READ -> hints.read(piece, now, out);
      case FLUSH -> {
        if (mode == CloneMode.READ_WRITE) {
          commits.awaitTurn(piece, out);
        } else {
          out.complete(piece, Errno.EIO);
        }
      }
    }
  }

  private void write(Piece piece, Moment now, Effects out) {
    long first = geometry.partOf(piece.offsetBytes());
    long end = geometry.partOf(piece.endBytes() - 1) + 1;
    boolean isWhole =
        piece.offsetBytes() == geometry.startOf(first) && piece.endBytes() == geometry.endOf(end);
    if (mode == CloneMode.FAIL) {
      out.complete(piece, Errno.EIO);
    } else if (map.areAllHydrated(first, end - first)) {
      writeHydrated(piece, out);
    } else if (mode == CloneMode.READ_ONLY) {
      out.complete(piece, Errno.EIO);
    } else {
      Hydration owner = inFlight.firstOverlapping(first, end);
      if (owner != null) {
        await(owner, piece, end - first);
      } else if (isWhole) {
        overwrite(piece, first, end - first, now, out);
      } else {
        merge(piece, first, now, out);
      }
    }
  }

  private void writeHydrated(Piece piece, Effects out) {
    if (!piece.isFua() || commits.isClean()) {
      out.issue(piece, DESTINATION, piece.offsetBytes());
    } else if (mode == CloneMode.READ_WRITE) {
      commits.issueAfterTurn(piece, out);
    } else {
      out.complete(piece, Errno.EIO);
    }
  }

  /** W2. FUA is left to the turn of the commit that follows: it flushes the destination (F4). */
  private void overwrite(Piece piece, long first, long count, Moment now, Effects out) {
    Hydration hydration = begin(Hydration.Cause.OVERWRITE, first, count, now);
    hydration.pieces = piece;
    out.write(
        hydration,
        piece,
        0,
        piece.lengthBytes(),
        DESTINATION,
        piece.offsetBytes(),
        piece.flags() & ~Flags.FUA);
  }

  /** O2: reads what the piece leaves uncovered, then writes the region once. */
  private void merge(Piece piece, long region, Moment now, Effects out) {
    long start = geometry.startOf(region);
    long end = geometry.endOf(region + 1);
    if (end - start > MAX_MERGE_BYTES) {
      Hydration copy = begin(Hydration.Cause.COPY_FOR_WRITE, region, 1, now);
      copy.addWaiter(piece);
      copyFromSource(copy, out);
      return;
    }
    Hydration hydration = begin(Hydration.Cause.MERGE, region, 1, now);
    hydration.pieces = piece;
    long readFrom = piece.offsetBytes() == start ? piece.endBytes() : start;
    long readTo = piece.endBytes() == end ? piece.offsetBytes() : end;
    out.readForMerge(hydration, SOURCE, start, end - start, readFrom, readTo);
  }

  private void discard(Piece piece, Moment now, Effects out) {
    long first = geometry.firstWhole(piece.offsetBytes());
    long end = geometry.endDiscarded(piece.endBytes());
    if (mode == CloneMode.FAIL) {
      out.complete(piece, Errno.EIO);
    } else if (first >= end) {
      out.complete(piece, Errno.OK);
    } else if (map.areAllHydrated(first, end - first)) {
      passDown(piece, first, end, out);
    } else if (mode == CloneMode.READ_ONLY) {
      out.complete(piece, Errno.OK);
    } else {
      Hydration owner = inFlight.firstOverlapping(first, end);
      if (owner != null) {
        await(owner, piece, end - first);
        return;
      }
      Hydration hydration = begin(Hydration.Cause.DISCARD, first, end - first, now);
      hydration.pieces = piece;
      Operation operation = hasDiscardPassdown ? Operation.DISCARD : Operation.WRITE_ZEROES;
      long start = geometry.startOf(first);
      out.range(hydration, DESTINATION, operation, start, geometry.endOf(end) - start, 0);
    }
  }

  private void passDown(Piece piece, long first, long end, Effects out) {
    if (!hasDiscardPassdown) {
      out.complete(piece, Errno.OK);
      return;
    }
    long start = geometry.startOf(first);
    out.issueRange(
        piece, DESTINATION, Operation.DISCARD, start, geometry.endOf(end) - start, piece.flags());
  }

  /**
   * Waiters that want several regions keep the background from starting more copies: it could take
   * one of them again and again.
   */
  void await(Hydration owner, Piece piece, long regions) {
    if (regions > 1) {
      wideWaiters++;
      piece.waitsFor = this;
    }
    owner.addWaiter(piece);
  }

  // Hydrations.

  private Hydration begin(Hydration.Cause cause, long first, long count, Moment now) {
    Hydration idle = idleHydrations.poll();
    Hydration hydration =
        (idle == null ? new Hydration() : idle).begin(cause, first, count, now.nanos());
    hydration.checksums = checksums;
    inFlight.add(hydration);
    return hydration;
  }

  void beginCopy(Hydration.Cause cause, long first, long count, Moment now, Effects out) {
    copyFromSource(begin(cause, first, count, now), out);
  }

  void beginHint(Piece piece, long first, long count, Moment now, Effects out) {
    Hydration hydration = begin(Hydration.Cause.HINT, first, count, now);
    hydration.addWaiter(piece);
    copyFromSource(hydration, out);
  }

  /** The frame answers the piece; what is left to us is that its regions are written (O13). */
  void beginReadThrough(Piece piece, long first, long count, Moment now, Effects out) {
    Hydration hydration = begin(Hydration.Cause.READ, first, count, now);
    long start = geometry.startOf(first);
    long length = geometry.lengthOf(first, count);
    out.readThrough(hydration, piece, SOURCE, DESTINATION, start, length, isDestinationPristine);
  }

  /** A source hole: nothing is written where the destination is known to hold zeros (O6). */
  void beginHole(long first, long count, Moment now, Effects out) {
    Hydration hydration = begin(Hydration.Cause.HOLE, first, count, now);
    if (isDestinationPristine) {
      hydrationEnded(hydration, Errno.OK, now, out);
      return;
    }
    long start = geometry.startOf(first);
    long length = geometry.lengthOf(first, count);
    out.range(hydration, DESTINATION, Operation.WRITE_ZEROES, start, length, 0);
  }

  /** Whether holes cost no write (C5). */
  boolean isDestinationPristine() {
    return isDestinationPristine;
  }

  private void copyFromSource(Hydration hydration, Effects out) {
    long start = geometry.startOf(hydration.first());
    long length = geometry.lengthOf(hydration.first(), hydration.count());
    out.copy(hydration, SOURCE, start, DESTINATION, start, length, isDestinationPristine);
  }

  private void hydrationEnded(Hydration hydration, int errno, Moment now, Effects out) {
    if (hydration.cause == Hydration.Cause.MERGE && !hydration.isWriting && errno == Errno.OK) {
      writeMerged(hydration, out);
      return;
    }
    inFlight.remove(hydration);
    int result = errno == Errno.OK && mode != CloneMode.READ_WRITE ? Errno.EIO : errno;
    boolean isRead = hydration.cause == Hydration.Cause.READ;
    if (errno != Errno.OK && !(isRead && errno == Errno.EAGAIN)) {
      isDestinationPristine = false;
    }
    if (result == Errno.OK) {
      record(hydration);
    }
    if (hydration.isBackground()) {
      background.ended(hydration, result, now, out);
    }
    if (isRead && result != Errno.OK) {
      hints.readThroughFailed(hydration, result, now, out);
    }
    Piece own = hydration.pieces;
    hydration.pieces = null;
    answer(own, result, out);
    wakeWaiters(hydration, result, now, out);
    idleHydrations.add(hydration);
  }

  /**
   * Before the bits, since map() looks in the other order: whoever sees a region hydrated must also
   * see that FUA needs a commit (F3).
   */
  private void record(Hydration hydration) {
    isClean = false;
    map.set(hydration.first(), hydration.count());
    commits.record(hydration.first(), hydration.count());
    switch (hydration.cause) {
      case BACKGROUND, HINT, READ, COPY_FOR_WRITE ->
          copiedBytes += geometry.lengthOf(hydration.first(), hydration.count());
      case HOLE -> {
        if (checksums != null) {
          checksums.putZeros(hydration.first(), hydration.count());
        }
      }
      case OVERWRITE, MERGE, DISCARD -> {}
    }
  }

  /** The source has been read: every write to the region that waits by now joins (O2). */
  private void writeMerged(Hydration hydration, Effects out) {
    hydration.isWriting = true;
    Piece last = hydration.pieces;
    Piece waiter = hydration.takeWaiters();
    while (waiter != null && last != null && joins(hydration, waiter)) {
      last.next = waiter;
      last = waiter;
      waiter = waiter.next;
      last.next = null;
    }
    while (waiter != null) {
      Piece following = waiter.next;
      hydration.addWaiter(waiter);
      waiter = following;
    }
    if (hydration.pieces != null) {
      out.writeMerged(
          hydration, hydration.pieces, DESTINATION, geometry.startOf(hydration.first()));
    }
  }

  private boolean joins(Hydration hydration, Piece waiter) {
    boolean isWrite =
        waiter.operation() == Operation.WRITE || waiter.operation() == Operation.WRITE_ZEROES;
    return isWrite
        && geometry.partOf(waiter.offsetBytes()) == hydration.first()
        && geometry.partOf(waiter.endBytes() - 1) == hydration.first();
  }

  /** Answers the pieces of a hydration; FUA waits for a commit that begins now or later (F4). */
  private void answer(@Nullable Piece first, int errno, Effects out) {
    for (Piece piece = first; piece != null; ) {
      Piece following = piece.next;
      if (errno == Errno.OK && piece.isFua()) {
        commits.awaitTurn(piece, out);
      } else {
        out.complete(piece, errno);
      }
      piece = following;
    }
  }

  /**
   * Looks again at whoever waited, in arrival order (W5). After a failure the writes that would
   * need the same region from the source again fail with it (W6); after the failure of a batch they
   * are looked at again, since it may have been another region's (O9); overwrites need no source
   * (W7). Read hints fail with the copy that was made for one: looked at again, they would make the
   * same. Nobody fails with a read's hydration (O13).
   */
  private void wakeWaiters(Hydration hydration, int errno, Moment now, Effects out) {
    for (Piece piece = hydration.takeWaiters(); piece != null; ) {
      Piece following = piece.next;
      piece.next = null;
      if (piece.waitsFor == this) {
        piece.waitsFor = null;
        wideWaiters--;
      }
      if (errno != Errno.OK && failsWith(hydration, piece)) {
        out.complete(piece, Errno.EIO);
      } else {
        dispatch(piece, now, out);
      }
      piece = following;
    }
  }

  private boolean failsWith(Hydration hydration, Piece waiter) {
    if (hydration.cause == Hydration.Cause.READ) {
      return false;
    }
    return switch (waiter.operation()) {
      case CACHE -> hydration.count() == 1 || hydration.cause == Hydration.Cause.HINT;
      case WRITE, WRITE_ZEROES ->
          hydration.count() == 1
              && (hydration.cause == Hydration.Cause.OVERWRITE
                  || waiter.lengthBytes() < geometry.lengthOf(hydration.first(), 1));
      case DISCARD, FLUSH, READ -> false;
    };
  }

  // Commits and modes.

  private void commitEnded(int errno, Effects out) {
    if (errno != Errno.OK) {
      commits.failed(out);
      boolean isUnreadable = errno == CloneCommitter.UNREADABLE;
      enter(isUnreadable ? CloneMode.FAIL : CloneMode.READ_ONLY, committer.why(errno), out);
      return;
    }
    commits.succeeded(out);
    if (!isDone && commits.isClean() && map.isComplete()) {
      release();
      out.releaseBuffers();
      out.event("hydration completed");
    }
  }

  private void enter(CloneMode next, String why, Effects out) {
    if (next.compareTo(mode) > 0) {
      mode = next;
      modeReason = why;
      out.warn("switching to " + next.word() + " mode: " + why);
      out.event("mode " + next.word() + ": " + why);
    }
  }
}
