package oxbow.target.delay;

import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;
import oxbow.target.Underlay;

/** The callbacks of the delay target. Requests without delay go straight through. */
public final class DelayTarget implements Target {
  private final DelayArgs args;
  private final long lengthBytes;
  private final List<Underlay> given;
  private final List<BlockDevice> devices;
  private final DelayCore core;
  private final Limits limits;

  /** Over open devices, in the order of the arguments. */
  DelayTarget(DelayArgs args, long lengthBytes, List<Underlay> given) {
    this.args = args;
    this.lengthBytes = lengthBytes;
    this.given = given;
    this.devices = given.stream().map(Underlay::device).toList();
    this.core = new DelayCore(args, this::slot, this::offsetBytes);
    Limits reads = devices.getFirst().limits();
    Limits writes = devices.get(slot(DelayCore.WRITES)).limits();
    this.limits =
        new Limits(
            writes.isReadOnly(),
            Math.max(reads.blockSizeBytes(), writes.blockSizeBytes()),
            writes.canDiscard(),
            writes.maxDiscardBytes(),
            writes.discardReadsZeros(),
            writes.canWriteZeroesFast(),
            writes.hasVolatileCache());
  }

  private int slot(int kind) {
    return Math.min(kind, given.size() - 1);
  }

  private long offsetBytes(int kind) {
    return given.get(slot(kind)).offsetBytes();
  }

  @Override
  public String typeName() {
    return DelayTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public List<BlockDevice> devices() {
    return devices;
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    int kind = DelayCore.kindOf(operation);
    if (core.isDelayed(kind)) {
      answer.queue(length);
    } else {
      long base = operation == Operation.FLUSH ? 0 : offsetBytes(kind);
      answer.remap(slot(kind), base + offsetBytes, length);
    }
  }

  @Override
  public void locate(long offsetBytes, long length, Mapping answer) {
    answer.remap(DelayCore.READS, offsetBytes(DelayCore.READS) + offsetBytes, length);
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    core.queue(piece, now, out);
  }

  @Override
  public void wake(Moment now, Effects out) {
    core.wake(now, out);
  }

  @Override
  public void presuspend(Moment now, Effects out) {
    core.presuspend(out);
  }

  @Override
  public void resume(Moment now, Effects out) {
    core.resume();
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
