package oxbow.target.logwrites;

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
import oxbow.target.TaskPlace;

/** The callbacks of the log-writes target. Reads go straight through. */
public final class LogWritesTarget implements Target {
  private final String table;
  private final long lengthBytes;
  private final BlockDevice device;
  private final WriteLog log;
  private final LogWritesCore core;
  private final Runnable whenClosed;

  /**
   * @param baseBytes where the target's window of the log begins
   * @param whenClosed gives the log back
   */
  LogWritesTarget(
      String table,
      long lengthBytes,
      BlockDevice device,
      WriteLog log,
      long baseBytes,
      Runnable whenClosed) {
    this.table = table;
    this.lengthBytes = lengthBytes;
    this.device = device;
    this.log = log;
    this.core = new LogWritesCore(log, baseBytes, device.limits().canDiscard());
    this.whenClosed = whenClosed;
  }

  @Override
  public String typeName() {
    return LogWritesTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  /** What the device cannot discard is logged nevertheless, and left on the device. */
  @Override
  public Limits limits() {
    Limits below = device.limits();
    return new Limits(
        below.isReadOnly(),
        log.sectorBytes(),
        !below.isReadOnly(),
        below.canDiscard() ? below.maxDiscardBytes() : Long.MAX_VALUE,
        below.discardReadsZeros(),
        false,
        true);
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(device);
  }

  /** A log that does not answer holds up every change: it is named. */
  @Override
  public TaskPlace taskPlace() {
    return log.place();
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    if (operation == Operation.READ || operation == Operation.CACHE) {
      answer.remap(0, offsetBytes, length);
    } else {
      answer.queue(length);
    }
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    core.queue(piece, out);
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects out) {
    core.ended(job, errno, out);
  }

  @Override
  public void suspend(Moment now, Effects out) {
    core.suspend(out);
  }

  @Override
  public boolean isSuspended() {
    return core.isSuspended();
  }

  @Override
  public String message(List<String> words, Moment now, Effects out) throws MessageException {
    if (words.size() != 2) {
      throw new MessageException(
          "Invalid log-writes message arguments, expect 2 arguments, got " + words.size());
    }
    if (!words.get(0).equalsIgnoreCase("mark")) {
      throw new MessageException(
          "Unrecognised log writes target message received: " + words.get(0));
    }
    core.mark(words.get(1), out);
    return "";
  }

  @Override
  public String status() {
    return log.status();
  }

  @Override
  public String table() {
    return table;
  }

  @Override
  public void close() {
    whenClosed.run();
  }
}
