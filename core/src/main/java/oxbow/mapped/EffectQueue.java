package oxbow.mapped;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import oxbow.block.Operation;
import oxbow.target.Effects.BlockingTask;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Piece;

/**
 * The effects that the cores of a family asked for on this thread, in order; carried out after they
 * have been left. Entries are reused. Only its own thread touches it.
 */
final class EffectQueue {
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

    /** Whose core asked for it; carries it out. */
    @Nullable Owner owner;

    @Nullable Piece piece;
    @Nullable Job job;
    int slot;
    int toSlot;
    long toBytes;
    int ticket;
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

  Effect add(Owner owner, Kind kind) {
    Effect effect = idle.poll();
    if (effect == null) {
      effect = new Effect();
    }
    effect.kind = kind;
    effect.owner = owner;
    effect.ticket = Mapping.NO_TICKET;
    pending.add(effect);
    return effect;
  }

  @Nullable Effect poll() {
    return pending.poll();
  }

  void recycle(Effect effect) {
    effect.owner = null;
    effect.piece = null;
    effect.job = null;
    effect.task = null;
    effect.bytes = null;
    effect.step = null;
    effect.text = "";
    idle.push(effect);
  }

  /** Not a core's effect, but carried out in turn with them. */
  void step(Owner owner, Runnable step) {
    add(owner, Kind.STEP).step = step;
  }
}
