package oxbow.target.flakey;

import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;
import oxbow.target.Underlay;

/** The callbacks of the flakey target. What nothing happens to goes straight through. */
public final class FlakeyTarget implements Target {
  /** A corrupted write is a copy, which the frame has buffers of this size for. */
  private static final long MAX_COPIED_BYTES = 1 << 20;

  private final FlakeyArgs args;
  private final long lengthBytes;
  private final Underlay below;
  private final FlakeyCore core;

  /** Over an open device. */
  FlakeyTarget(FlakeyArgs args, long lengthBytes, Underlay below) {
    this.args = args;
    this.lengthBytes = lengthBytes;
    this.below = below;
    this.core = new FlakeyCore(args, below);
  }

  @Override
  public String typeName() {
    return FlakeyTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Limits limits() {
    return below.device().limits();
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(below.device());
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    boolean isFlush = operation == Operation.FLUSH;
    long accepted = isFlush ? length : core.sameRangeBytes(offsetBytes, length);
    if (!core.mayAffect(operation) || (!isFlush && !core.isInRange(offsetBytes))) {
      answer.remap(0, isFlush ? 0 : below.offsetBytes() + offsetBytes, accepted);
    } else if (operation == Operation.WRITE && args.faults().corruption() != null) {
      answer.queue(Math.min(accepted, MAX_COPIED_BYTES));
    } else {
      answer.queue(accepted);
    }
  }

  @Override
  public void locate(long offsetBytes, long length, Mapping answer) {
    answer.remap(0, below.offsetBytes() + offsetBytes, length);
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    core.queue(piece, now, out);
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects out) {
    core.ended(job, errno, out);
  }

  @Override
  public void wake(Moment now, Effects out) {
    core.look(now, out);
  }

  @Override
  public void presuspend(Moment now, Effects out) {
    core.presuspend(out);
  }

  @Override
  public void resume(Moment now, Effects out) {
    core.resume(now, out);
  }

  @Override
  public String message(List<String> words, Moment now, Effects out) throws MessageException {
    core.message(words, now, out);
    return "";
  }

  @Override
  public String status() {
    return core.status();
  }

  @Override
  public String table() {
    return args.toTableLine();
  }
}
