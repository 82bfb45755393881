package oxbow.target.snapshot;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.TaskPlace;

/** The callbacks of the snapshot-merge target: thin; {@link MergeCore} decides. */
public final class SnapshotMergeTarget extends StoreTarget {
  private final Limits limits;
  private final BlockingDevice io;

  private volatile @Nullable MergeCore core;

  SnapshotMergeTarget(
      SnapshotArgs args,
      long lengthBytes,
      BlockDevice origin,
      BlockDevice store,
      OriginFamily family,
      StoreUse use) {
    super(args, lengthBytes, origin, store, family, use);
    this.io = new BlockingDevice(store);
    int block = Math.max(store.limits().blockSizeBytes(), origin.limits().blockSizeBytes());
    boolean isReadOnly = store.limits().isReadOnly() || origin.limits().isReadOnly();
    boolean canDiscard = args.discardZeroesCow();
    this.limits =
        new Limits(
            isReadOnly, block, canDiscard, canDiscard ? Long.MAX_VALUE : 0, false, false, true);
  }

  @Override
  public String typeName() {
    return SnapshotMergeTargetType.NAME;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  boolean isMerge() {
    return true;
  }

  private MergeCore core() {
    return Objects.requireNonNull(core);
  }

  /** Whether all has been merged; called as {@link #status} is. */
  public boolean isFinished() {
    MergeCore merges = core;
    return merges != null && merges.isFinished();
  }

  @Override
  void takeUp(Exceptions taken) {
    Geometry chunks = new Geometry(origin().sizeBytes(), taken.store.chunkBytes());
    core = new MergeCore(origins(), taken, chunks, lengthBytes(), io, out());
  }

  @Override
  void activate() {
    origins().add(core());
    core().resume();
  }

  @Override
  void dispatch(Piece piece) {
    core().queue(piece);
  }

  @Override
  void deactivate() {
    origins().remove(core());
  }

  @Override
  void commit() {
    // Exceptions of a merge are durable, all of them.
  }

  @Override
  boolean isCoreQuiet() {
    return core().isQuiet();
  }

  @Override
  void coreResumed() {
    core().resume();
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    if (!mapsNothing(offsetBytes, length, answer)) {
      core().map(operation, offsetBytes, length, answer);
    }
  }

  @Override
  public void locate(long offsetBytes, long length, Mapping answer) {
    MergeCore decides = core;
    if (decides == null || isGone()) {
      answer.complete(length, Errno.EIO);
    } else {
      decides.locate(offsetBytes, length, answer);
    }
  }

  @Override
  public boolean endIo(int ticket) {
    return core().endIo(ticket);
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects ours) {
    core().ended(job, errno);
    origins().lookAgain();
  }

  @Override
  public void wake(Moment now, Effects ours) {
    origins().lookAgain();
    core().lookAgain();
  }

  /** M8: the merge stops after the run at hand. */
  @Override
  public void suspend(Moment now, Effects ours) {
    super.suspend(now, ours);
    if (isActive()) {
      core().suspend();
    }
  }

  @Override
  public boolean isSuspended() {
    return !isActive() || core().isQuiet();
  }

  @Override
  public TaskPlace taskPlace() {
    return new TaskPlace("store", store().address(), store().remote());
  }

  @Override
  public void close() {
    super.close();
    io.close();
  }
}
