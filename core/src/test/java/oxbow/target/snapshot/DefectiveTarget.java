package oxbow.target.snapshot;

import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.sim.SimDevice;
import oxbow.target.Effects;
import oxbow.target.Family;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;

/**
 * A sound target with a {@link Defect} in what it is told, and in what becomes of its decisions.
 * The other half is {@link DefectiveEffects}.
 */
final class DefectiveTarget implements Target {
  static final int ORIGIN = 0;
  static final int STORE = 1;

  /** A job in place of another one: when it ends, that one is told, if there is one. */
  static final class Stand extends Job {
    final @Nullable Job told;

    Stand(@Nullable Job told) {
      this.told = told;
    }
  }

  private final Target target;
  private final Defect defect;
  private @Nullable DefectiveEffects effects;

  /** A ticket was given back too soon, and the core waited for it. */
  private boolean owesWake;

  DefectiveTarget(Target target, Defect defect) {
    this.target = target;
    this.defect = defect;
  }

  private DefectiveEffects over(Effects out) {
    DefectiveEffects present = effects;
    if (present == null || present.out() != out) {
      present = new DefectiveEffects(out, target, defect);
      effects = present;
    }
    if (owesWake) {
      owesWake = false;
      out.wakeAt(0);
    }
    return present;
  }

  private boolean isSnapshot() {
    return typeName().equals("snapshot");
  }

  private boolean isMerge() {
    return typeName().equals("snapshot-merge");
  }

  /** The disk in the store's slot. */
  static SimDevice store(Target target) {
    return (SimDevice) target.devices().get(STORE);
  }

  // What is broken.

  @Override
  public void map(Operation operation, long offset, long length, int flags, Mapping answer) {
    boolean isFlush = isSnapshot() && operation == Operation.FLUSH;
    if (isFlush && defect == Defect.ANSWER_FLUSH_BEFORE_COMMIT) {
      answer.remap(STORE, offset, length);
      return;
    }
    target.map(operation, offset, length, flags, answer);
    if (answer.isRemap() && answer.ticket() != Mapping.NO_TICKET && isUntracked(answer.slot())) {
      owesWake |= target.endIo(answer.ticket());
      answer.track(Mapping.NO_TICKET);
    }
  }

  /** Whether I/O to a slot is not waited for. */
  private boolean isUntracked(int slot) {
    return switch (defect) {
      case ORIGIN_WRITE_BEFORE_READS_END -> isSnapshot() && slot == ORIGIN;
      case JOIN_WITHOUT_WAITING -> !isSnapshot() && slot == ORIGIN;
      case MERGE_BEFORE_WRITES_END -> isMerge() && slot == STORE;
      default -> false;
    };
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    DefectiveEffects own = over(out);
    boolean changes = piece.operation().changesData();
    switch (defect) {
      case ANSWER_FUA_BEFORE_COMMIT -> {
        if (isSnapshot() && changes) {
          int flags = piece.flags() & ~Flags.FUA;
          piece.set(
              piece.operation(),
              piece.offsetBytes(),
              piece.lengthBytes(),
              flags,
              piece.data(),
              piece.dataOffset());
        }
      }
      case ORIGIN_DISCARD_GOES_AROUND -> {
        if (!isSnapshot() && !isMerge() && piece.operation() == Operation.DISCARD) {
          out.issue(piece, ORIGIN, piece.offsetBytes());
          return;
        }
      }
      case ORIGIN_WRITE_GOES_AROUND -> {
        if (!isSnapshot() && !isMerge() && changes && isEven(piece)) {
          out.issue(piece, ORIGIN, piece.offsetBytes());
          return;
        }
      }
      case WRITE_GOES_AROUND_A_MERGE -> {
        if (changes && own.goesToTheRunInCopy(piece)) {
          return;
        }
      }
      default -> {}
    }
    target.queue(piece, now, own);
  }

  private static boolean isEven(Piece piece) {
    return piece.offsetBytes() / SnapshotMachine.SECTOR % 2 == 0;
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects out) {
    DefectiveEffects own = over(out);
    Job told = job instanceof Stand stand ? stand.told : job;
    if (told != null) {
      int result = own.result(told, errno);
      target.ended(told, result, now, own);
    }
  }

  // What is as it was.

  @Override
  public @Nullable Family family() {
    return target.family();
  }

  @Override
  public void attach(Effects out) {
    target.attach(over(out));
  }

  @Override
  public boolean endIo(int ticket) {
    return target.endIo(ticket);
  }

  @Override
  public void remove(Moment now, Effects out) {
    target.remove(now, over(out));
  }

  @Override
  public boolean isRemoved() {
    return target.isRemoved();
  }

  @Override
  public String typeName() {
    return target.typeName();
  }

  @Override
  public long lengthBytes() {
    return target.lengthBytes();
  }

  @Override
  public Limits limits() {
    return target.limits();
  }

  @Override
  public List<BlockDevice> devices() {
    return target.devices();
  }

  @Override
  public void everySecond(Moment now, Effects out) {
    target.everySecond(now, over(out));
  }

  @Override
  public void wake(Moment now, Effects out) {
    target.wake(now, over(out));
  }

  @Override
  public void presuspend(Moment now, Effects out) {
    target.presuspend(now, over(out));
  }

  @Override
  public void suspend(Moment now, Effects out) {
    target.suspend(now, over(out));
  }

  @Override
  public boolean isSuspended() {
    return target.isSuspended();
  }

  @Override
  public void resume(Moment now, Effects out) {
    target.resume(now, over(out));
  }

  @Override
  public String status() {
    return target.status();
  }

  @Override
  public String table() {
    return target.table();
  }

  @Override
  public void close() {
    target.close();
  }

  /** A task that has nothing to do. */
  static int nothing() {
    return Errno.OK;
  }
}
