package oxbow.mapped;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Piece;

/**
 * The effects that a core asked for on this thread, in order; carried out after the core has been
 * left. Entries are reused. Only its own thread touches it.
 */
final class EffectQueue implements Effects {
  /** What is to be done. */
  enum Kind {
    COMPLETE,
    ISSUE,
    ISSUE_RANGE,
    READ,
    WRITE,
    WRITE_BYTES,
    RANGE,
    COPY,
    READ_THROUGH,
    READ_FOR_MERGE,
    WRITE_MERGED,
    FLUSH_THEN,
    RUN,
    RELEASE_BUFFERS,
    EXTENTS,
    WAKE_AT,
    EVENT,
    WARN,
    /** The frame's own: the next step of something that had to wait. */
    STEP;

    /** Whether it ends in {@link oxbow.target.Target#ended}. */
    boolean isJob() {
      return switch (this) {
        case READ, WRITE, WRITE_BYTES, RANGE, COPY, READ_THROUGH -> true;
        case READ_FOR_MERGE, WRITE_MERGED -> true;
        case FLUSH_THEN, RUN, EXTENTS -> true;
        case COMPLETE, ISSUE, ISSUE_RANGE, RELEASE_BUFFERS -> false;
        case WAKE_AT, EVENT, WARN, STEP -> false;
      };
    }
  }

  /** One effect; which fields count depends on the kind. */
  static final class Effect {
    Kind kind = Kind.COMPLETE;
    @Nullable Piece piece;
    @Nullable Job job;
    int slot;
    int toSlot;
    int errno;
    int flags;
    Operation operation = Operation.FLUSH;
    long offsetBytes;
    long lengthBytes;
    long readFromBytes;
    long readToBytes;
    boolean skipZeros;
    @Nullable BlockingTask task;
    byte @Nullable [] bytes;
    @Nullable Runnable step;
    String text = "";
  }

  private final ArrayDeque<Effect> pending = new ArrayDeque<>();
  private final ArrayDeque<Effect> idle = new ArrayDeque<>();

  /** Set while this thread carries effects out: those of nested events join the queue. */
  boolean isRunning;

  private Effect add(Kind kind) {
    Effect effect = idle.poll();
    if (effect == null) {
      effect = new Effect();
    }
    effect.kind = kind;
    pending.add(effect);
    return effect;
  }

  @Nullable Effect poll() {
    return pending.poll();
  }

  void recycle(Effect effect) {
    effect.piece = null;
    effect.job = null;
    effect.task = null;
    effect.bytes = null;
    effect.step = null;
    effect.text = "";
    idle.push(effect);
  }

  /** Not a core's effect, but carried out in turn with them. */
  void step(Runnable step) {
    add(Kind.STEP).step = step;
  }

  @Override
  public void complete(Piece piece, int errno) {
    Effect effect = add(Kind.COMPLETE);
    effect.piece = piece;
    effect.errno = errno;
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes) {
    Effect effect = add(Kind.ISSUE);
    effect.piece = piece;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    Effect effect = add(Kind.ISSUE_RANGE);
    effect.piece = piece;
    effect.slot = slot;
    effect.operation = operation;
    effect.offsetBytes = offsetBytes;
    effect.lengthBytes = lengthBytes;
    effect.flags = flags;
  }

  @Override
  public void read(Job job, Piece piece, int slot, long offsetBytes) {
    Effect effect = add(Kind.READ);
    effect.job = job;
    effect.piece = piece;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
  }

  @Override
  public void writeBytes(Job job, byte[] bytes, int slot, long offsetBytes, int flags) {
    Effect effect = add(Kind.WRITE_BYTES);
    effect.job = job;
    effect.bytes = bytes;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
    effect.flags = flags;
  }

  @Override
  public void write(Job job, Piece piece, int slot, long offsetBytes, int flags) {
    Effect effect = add(Kind.WRITE);
    effect.job = job;
    effect.piece = piece;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
    effect.flags = flags;
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    Effect effect = add(Kind.RANGE);
    effect.job = job;
    effect.slot = slot;
    effect.operation = operation;
    effect.offsetBytes = offsetBytes;
    effect.lengthBytes = lengthBytes;
    effect.flags = flags;
  }

  @Override
  public void copy(
      Job job, int fromSlot, int toSlot, long offsetBytes, long lengthBytes, boolean skipZeros) {
    Effect effect = add(Kind.COPY);
    effect.job = job;
    effect.slot = fromSlot;
    effect.toSlot = toSlot;
    effect.offsetBytes = offsetBytes;
    effect.lengthBytes = lengthBytes;
    effect.skipZeros = skipZeros;
  }

  @Override
  public void readThrough(
      Job job,
      Piece piece,
      int fromSlot,
      int toSlot,
      long baseBytes,
      long lengthBytes,
      boolean skipZeros) {
    Effect effect = add(Kind.READ_THROUGH);
    effect.job = job;
    effect.piece = piece;
    effect.slot = fromSlot;
    effect.toSlot = toSlot;
    effect.offsetBytes = baseBytes;
    effect.lengthBytes = lengthBytes;
    effect.skipZeros = skipZeros;
  }

  @Override
  public void readForMerge(
      Job job, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes) {
    Effect effect = add(Kind.READ_FOR_MERGE);
    effect.job = job;
    effect.slot = slot;
    effect.offsetBytes = baseBytes;
    effect.lengthBytes = lengthBytes;
    effect.readFromBytes = readFromBytes;
    effect.readToBytes = readToBytes;
  }

  @Override
  public void writeMerged(Job job, Piece pieces, int slot) {
    Effect effect = add(Kind.WRITE_MERGED);
    effect.job = job;
    effect.piece = pieces;
    effect.slot = slot;
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    Effect effect = add(Kind.FLUSH_THEN);
    effect.job = job;
    effect.slot = slot;
    effect.task = task;
  }

  @Override
  public void run(Job job, BlockingTask task) {
    Effect effect = add(Kind.RUN);
    effect.job = job;
    effect.task = task;
  }

  @Override
  public void releaseBuffers() {
    add(Kind.RELEASE_BUFFERS);
  }

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes) {
    Effect effect = add(Kind.EXTENTS);
    effect.job = query;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
    effect.lengthBytes = lengthBytes;
  }

  @Override
  public void wakeAt(long nanos) {
    add(Kind.WAKE_AT).offsetBytes = nanos;
  }

  @Override
  public void event(String why) {
    add(Kind.EVENT).text = why;
  }

  @Override
  public void warn(String what) {
    add(Kind.WARN).text = what;
  }
}
