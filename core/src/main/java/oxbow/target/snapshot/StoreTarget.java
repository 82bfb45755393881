package oxbow.target.snapshot;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Sectors;
import oxbow.target.Effects;
import oxbow.target.Family;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;

/**
 * A table over a store of exceptions, snapshot or snapshot-merge: how it begins, takes a store over
 * from another table, and ends. It is <em>passive</em> until its first resume (C11),
 * <em>active</em> from the moment at which no write to the origin was on its way, and <em>gone</em>
 * when another table has taken its store or it has been removed.
 */
abstract class StoreTarget implements Target, OriginFamily.Joining {
  private enum Phase {
    PASSIVE,
    BEGINS,
    ACTIVE,
    GONE
  }

  private final SnapshotArgs args;
  private final long lengthBytes;
  private final BlockDevice origin;
  private final BlockDevice store;
  private final OriginFamily family;
  private final StoreUse use;
  private @Nullable Effects out;

  /** Null while another table has them, and from when one has taken them over. */
  private volatile @Nullable Exceptions exceptions;

  private volatile Phase phase = Phase.PASSIVE;

  /** Pieces that came before the table was active. */
  private final ArrayDeque<Piece> early = new ArrayDeque<>();

  private boolean isSuspended = true;

  StoreTarget(
      SnapshotArgs args,
      long lengthBytes,
      BlockDevice origin,
      BlockDevice store,
      OriginFamily family,
      StoreUse use) {
    this.args = args;
    this.lengthBytes = lengthBytes;
    this.origin = origin;
    this.store = store;
    this.family = family;
    this.use = use;
  }

  /** What the store says; not called where another table has it and will hand it over. */
  final void loaded(Exceptions read) {
    exceptions = read;
  }

  /** Whether it writes the store back to the origin. */
  abstract boolean isMerge();

  /** Makes the core that decides from now on; not in use yet. */
  abstract void takeUp(Exceptions taken);

  /** Hands the core a piece. */
  abstract void dispatch(Piece piece);

  /** The core comes into use. */
  abstract void activate();

  /** The core is of no use any more: nothing is saved for it, nothing merged. */
  abstract void deactivate();

  /** The core commits what it has, so as to become quiet. */
  abstract void commit();

  /** Nothing is in flight for the core, all that it has is durable, nobody waits for it. */
  abstract boolean isCoreQuiet();

  /** The core is resumed after a suspend. */
  abstract void coreResumed();

  final SnapshotArgs args() {
    return args;
  }

  final BlockDevice store() {
    return store;
  }

  final BlockDevice origin() {
    return origin;
  }

  final OriginFamily origins() {
    return family;
  }

  final Effects out() {
    return Objects.requireNonNull(out, "not attached");
  }

  final @Nullable Exceptions exceptions() {
    return exceptions;
  }

  /** Whether requests are served; any thread. */
  final boolean isActive() {
    return phase == Phase.ACTIVE;
  }

  /** Whether requests fail for good; any thread. */
  final boolean isGone() {
    return phase == Phase.GONE;
  }

  @Override
  public final Family family() {
    return family.family();
  }

  @Override
  public final long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public final List<BlockDevice> devices() {
    return List.of(origin, store);
  }

  @Override
  public final String role(int slot) {
    return slot == SnapshotCore.ORIGIN ? "origin" : "store";
  }

  @Override
  public final void attach(Effects own) {
    out = own;
    Exceptions loaded = exceptions;
    if (loaded != null) {
      takeUp(loaded);
    }
  }

  // Beginning, and handover.

  @Override
  public @Nullable String resumeProblem() {
    StoreTarget before = use.predecessorOf(this);
    if (before != null && !before.isSuspended) {
      return "Unable to perform snapshot handover until source is suspended.";
    }
    if (use.successorOf(this) != null && phase == Phase.ACTIVE) {
      return "Unable to resume snapshot source until handover completes.";
    }
    return null;
  }

  @Override
  public final void resume(Moment now, Effects ours) {
    isSuspended = false;
    if (phase == Phase.PASSIVE) {
      warnOfChunkSize(ours);
    }
    StoreTarget before = use.predecessorOf(this);
    if (phase == Phase.PASSIVE) {
      if (before != null && before.phase == Phase.ACTIVE) {
        before.commit();
      }
      phase = Phase.BEGINS;
      family.hold(this);
    } else if (phase == Phase.ACTIVE) {
      coreResumed();
    }
  }

  /** The header counts, whatever the line says. */
  private void warnOfChunkSize(Effects ours) {
    long given = args.chunkSectors();
    long kept = Sectors.fromBytes(chunkBytes());
    if (exceptions != null && given != 0 && given != kept) {
      ours.warn(
          "chunk size %d in device metadata overrides table chunk size of %d."
              .formatted(kept, given));
    }
  }

  /** The table before, if there is one, has come to rest: what it has can be taken. */
  @Override
  public final boolean isReady() {
    StoreTarget before = use.predecessorOf(this);
    return before == null || before.phase == Phase.PASSIVE || before.isCoreQuiet();
  }

  /** No write to the origin is on its way (H3). */
  @Override
  public final void begin() {
    StoreTarget before = use.predecessorOf(this);
    if (before != null) {
      Exceptions taken = before.giveUp();
      use.handedOver();
      exceptions = taken;
      takeUp(taken);
    }
    if (exceptions == null) {
      // H4: the table before has been removed with what it had.
      phase = Phase.GONE;
      early.forEach(piece -> out().complete(piece, Errno.EIO));
      early.clear();
      return;
    }
    activate();
    phase = Phase.ACTIVE;
    // Each is looked at as if it came now.
    early.forEach(this::dispatch);
    early.clear();
  }

  // Requests.

  /**
   * While the table is not active yet the core decides about everything, chunk by chunk; when it is
   * gone all fails.
   *
   * @return false if it is active: then it maps itself
   */
  final boolean mapsNothing(long offsetBytes, long lengthBytes, Mapping answer) {
    if (phase == Phase.ACTIVE) {
      return false;
    }
    if (phase == Phase.GONE) {
      answer.complete(lengthBytes, Errno.EIO);
    } else {
      long chunk = chunkBytes();
      answer.queue(Math.min(lengthBytes, chunk - (offsetBytes & (chunk - 1))));
    }
    return true;
  }

  @Override
  public final void queue(Piece piece, Moment now, Effects ours) {
    if (phase == Phase.ACTIVE) {
      dispatch(piece);
    } else if (phase == Phase.GONE) {
      ours.complete(piece, Errno.EIO);
    } else {
      early.add(piece);
    }
    family.lookAgain();
  }

  /** H2: another table has it all from now on. */
  private Exceptions giveUp() {
    deactivate();
    phase = Phase.GONE;
    Exceptions given = Objects.requireNonNull(exceptions, "handed over twice");
    exceptions = null;
    return given;
  }

  @Override
  public void suspend(Moment now, Effects ours) {
    isSuspended = true;
  }

  // The end.

  /** H5: no new exceptions; what is pending is waited for, and a handover that has begun. */
  @Override
  public final void remove(Moment now, Effects ours) {
    if (isAwaited()) {
      return; // giveUp() ends it.
    }
    if (phase == Phase.ACTIVE) {
      deactivate();
    } else if (phase == Phase.BEGINS) {
      family.cancel(this);
    }
    phase = Phase.GONE;
    use.release(this);
  }

  /** Whether a table that has been resumed is about to take the store over: it shall get it. */
  private boolean isAwaited() {
    StoreTarget after = use.successorOf(this);
    return after != null && after.phase == Phase.BEGINS && exceptions != null;
  }

  @Override
  public final boolean isRemoved() {
    return exceptions == null || (phase == Phase.GONE && isCoreQuiet());
  }

  // What status shows.

  /** The figures of the status line, and why; called as {@link #status} is. */
  public final SnapshotFigures figures() {
    Exceptions now = exceptions;
    return now == null
        ? new SnapshotFigures(0, Sectors.fromBytes(store.sizeBytes()), 0, 0, goneState(), goneWhy())
        : now.figures();
  }

  private SnapshotState goneState() {
    return isGone() ? SnapshotState.INVALID : SnapshotState.ACTIVE;
  }

  private String goneWhy() {
    return isGone() ? "another table has taken the store over" : "";
  }

  @Override
  public final String status() {
    return figures().toStatusLine();
  }

  @Override
  public final String table() {
    return args.toTableLine(Sectors.fromBytes(chunkBytes()));
  }

  /** The store's; while another table has it, what the table line says. */
  final long chunkBytes() {
    Exceptions now = exceptions;
    return now == null ? Sectors.toBytes(args.chunkSectors()) : now.store.chunkBytes();
  }

  @Override
  public void close() {
    use.release(this);
    family.left();
  }
}
