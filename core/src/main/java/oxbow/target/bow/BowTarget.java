package oxbow.target.bow;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;

/**
 * The callbacks of the bow target: thin. What is hot is decided by {@link BowMapper} without a
 * lock; everything else by {@link BowCore}.
 */
public final class BowTarget implements Target {
  public static final int MAX_WARN_PERCENT = SpaceMark.MAX_PERCENT;

  private final BowArgs args;
  private final Geometry blocks;
  private final BlockDevice device;
  private @Nullable BowCore core;
  private @Nullable BowMapper mapper;
  private @Nullable BowMessages messages;

  /** Over an open device, whose block 0 holds no log. */
  BowTarget(BowArgs args, long lengthBytes, BlockDevice device) {
    this.args = args;
    this.blocks = new Geometry(lengthBytes, args.blockBytes());
    this.device = device;
  }

  private BowCore core() {
    return Objects.requireNonNull(core, "not attached");
  }

  @Override
  public String typeName() {
    return BowTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return blocks.deviceBytes();
  }

  /**
   * Discards are taken whatever the device can: they tell what is free. Requests may be as small as
   * the device takes them: what is saved is always whole blocks.
   */
  @Override
  public Limits limits() {
    Limits below = device.limits();
    return new Limits(
        below.isReadOnly(),
        below.blockSizeBytes(),
        true,
        Long.MAX_VALUE,
        false,
        below.canWriteZeroesFast(),
        below.hasVolatileCache());
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(device);
  }

  @Override
  public void attach(Effects own) {
    BowCore made = new BowCore(blocks, own);
    core = made;
    mapper = new BowMapper(made, blocks, made.epochs(), device.limits().canDiscard());
    messages = new BowMessages(made, blocks);
  }

  // Requests.

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    Objects.requireNonNull(mapper).map(operation, offsetBytes, length, answer);
  }

  @Override
  public void locate(long offsetBytes, long length, Mapping answer) {
    Objects.requireNonNull(mapper).locate(offsetBytes, length, answer);
  }

  @Override
  public boolean endIo(int ticket) {
    return core().epochs().leave(ticket);
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    core().queue(piece);
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects out) {
    core().ended(job, errno);
  }

  @Override
  public void wake(Moment now, Effects out) {
    core().lookAgain();
  }

  @Override
  public void everySecond(Moment now, Effects out) {
    core().lookAgain();
  }

  // Control.

  /** Copies and transitions that have begun come to their end. */
  @Override
  public boolean isSuspended() {
    return core().isQuiet();
  }

  @Override
  public boolean isRemoved() {
    return core().isQuiet();
  }

  @Override
  public String message(List<String> words, Moment now, Effects out) throws MessageException {
    return Objects.requireNonNull(messages).take(words);
  }

  /**
   * What the messages {@code when_full} and {@code warn_at} set; called before it is resumed, as
   * {@link #status} is.
   *
   * @param warnPercent 1 to {@link #MAX_WARN_PERCENT}
   */
  public void setPolicy(WhenFull whenFull, int warnPercent) {
    core().setWhenFull(whenFull);
    core().setWarnAt(warnPercent);
  }

  /**
   * What the message {@code free} tells, for those who know of a million ranges: whole blocks in
   * this one hold nothing worth keeping. Called before it is resumed, as {@link #status} is.
   */
  public void free(long offsetBytes, long lengthBytes) {
    if (core().state() != BowState.TRIM) {
      throw new IllegalStateException("in state " + core().state().word());
    }
    core().free(blocks.firstWhole(offsetBytes), blocks.partOf(offsetBytes + lengthBytes));
  }

  /** The figures of the status line; called as {@link #status} is, and so are the others. */
  public BowStatus figures() {
    return core().status();
  }

  public WhenFull whenFull() {
    return core().whenFull();
  }

  /** What has failed last, a transition or the log; empty if nothing has. */
  public String problem() {
    return core().problem();
  }

  /** Whether nobody knows what the log on disk says: what needs it fails. */
  public boolean hasFailed() {
    return core().hasFailed();
  }

  @Override
  public String status() {
    return figures().toStatusLine();
  }

  @Override
  public String table() {
    return args.toTableLine();
  }
}
