package oxbow.target.snapshot;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;

/**
 * The callbacks of the snapshot target: thin. What is hot is decided by {@link SnapshotMapper} from
 * the table of exceptions, without a lock; everything else by {@link SnapshotCore}.
 */
public final class SnapshotTarget extends StoreTarget {
  private volatile Limits limits;

  private volatile @Nullable SnapshotMapper mapper;
  private @Nullable SnapshotCore core;

  /** What was handed out when suspend began; durable before it ends. */
  private long committedAtSuspend;

  SnapshotTarget(
      SnapshotArgs args,
      long lengthBytes,
      BlockDevice origin,
      BlockDevice store,
      OriginFamily family,
      StoreUse use) {
    super(args, lengthBytes, origin, store, family, use);
    this.limits = limitsOf(Sectors.toBytes(args.chunkSectors()));
  }

  /** D1: discards only where asked for; D4: of one chunk at a time. */
  private Limits limitsOf(long chunkBytes) {
    Limits below = store().limits();
    boolean canDiscard = args().discardZeroesCow();
    return new Limits(
        below.isReadOnly(),
        Math.max(below.blockSizeBytes(), origin().limits().blockSizeBytes()),
        canDiscard,
        canDiscard ? chunkBytes : 0,
        false, // D2: a chunk without an exception goes on showing the origin.
        false,
        true);
  }

  @Override
  public String typeName() {
    return SnapshotTargetType.NAME;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  boolean isMerge() {
    return false;
  }

  private SnapshotCore core() {
    return Objects.requireNonNull(core);
  }

  @Override
  void takeUp(Exceptions taken) {
    Geometry chunks = new Geometry(origin().sizeBytes(), taken.store.chunkBytes());
    core = new SnapshotCore(args(), origins(), taken, chunks, lengthBytes(), out());
    limits = limitsOf(taken.store.chunkBytes());
    mapper = new SnapshotMapper(taken, chunks, core);
  }

  @Override
  void activate() {
    origins().activate(core());
  }

  @Override
  void dispatch(Piece piece) {
    core().queue(piece);
  }

  @Override
  void deactivate() {
    origins().deactivate(core());
  }

  @Override
  void commit() {
    core().commitAll();
  }

  @Override
  boolean isCoreQuiet() {
    return core().isQuiet();
  }

  @Override
  void coreResumed() {
    // Nothing was stopped: writes to the origin go on while the snapshot is suspended.
  }

  // Requests.

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    if (!mapsNothing(offsetBytes, length, answer)) {
      Objects.requireNonNull(mapper).map(operation, offsetBytes, length, flags, answer);
    }
  }

  @Override
  public void locate(long offsetBytes, long length, Mapping answer) {
    SnapshotMapper decides = mapper;
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
    core().wake();
    origins().lookAgain();
  }

  @Override
  public void everySecond(Moment now, Effects ours) {
    if (isActive()) {
      core().commitAll();
    }
  }

  // Control.

  /** What was written is committed; what writes to the origin need goes on. */
  @Override
  public void suspend(Moment now, Effects ours) {
    super.suspend(now, ours);
    if (isActive()) {
      core().commitAll();
      committedAtSuspend = core().handedOutBelow();
    }
  }

  @Override
  public boolean isSuspended() {
    return !isActive() || core().isDurable(committedAtSuspend);
  }

  @Override
  public boolean hasUncommittedChanges() {
    Exceptions now = exceptions();
    return now != null && now.isValid() && !now.isCommitted();
  }

  /** The kernel's target has no messages (T5); ours: the store's device has grown. */
  @Override
  public String message(List<String> words, Moment now, Effects ours) throws MessageException {
    if (words.size() != 1 || !words.getFirst().toLowerCase(Locale.ROOT).equals("store_grew")) {
      throw new MessageException("Invalid argument: " + String.join(" ", words));
    }
    if (!isActive()) {
      throw new MessageException("the snapshot is not in use");
    }
    core().storeGrew(store().sizeBytes());
    return "";
  }
}
