package oxbow.target.bow;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.format.Le;
import oxbow.format.bow.BowLogHeader;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Target;

/** What is done wrong on purpose, around a target that does it right. */
enum BowDefect {
  /** The log may be durable before the copies are. */
  NO_FLUSH_BEFORE_LOG,
  /** A write may be durable before the log is. */
  LOG_IS_NOT_DURABLE,
  /** The header may be durable before the entries that it counts. */
  HEADER_BEFORE_ENTRIES,
  /** The header says where block 0 was before it moved, until it is written again. */
  POINTER_IN_A_LATER_WRITE,
  /** A commit overwrites the header first. */
  COMMIT_BEGINS_WITH_THE_HEADER,
  /** A commit overwrites the header while the rest of block 0 may not be durable. */
  NO_FLUSH_IN_COMMIT,
  /** A write in state 0 goes down and leaves its blocks free. */
  WRITE_LEAVES_BLOCKS_FREE,
  /** A write of what has not been saved goes down at once. */
  WRITE_DOES_NOT_WAIT,
  /** A discard of what has not been saved goes down. */
  DISCARD_OF_UNCHANGED_GOES_DOWN,
  /** Nothing that is on its way is waited for. */
  NOTHING_IS_DRAINED;

  /** Puts the defect around a target. */
  Target around(Target sound) {
    Around around = new Around(this, (BowTarget) sound);
    return (Target)
        Proxy.newProxyInstance(
            BowDefect.class.getClassLoader(), new Class<?>[] {Target.class}, around::ofTarget);
  }

  private static final class Around {
    private final BowDefect defect;
    private final BowTarget sound;

    /** Something that the target has not asked for. */
    private final Job own = new Job();

    private byte @Nullable [] heldBack;
    private long heldBackAt;
    private long pointerBefore = -1;

    Around(BowDefect defect, BowTarget sound) {
      this.defect = defect;
      this.sound = sound;
    }

    @Nullable Object ofTarget(Object proxy, Method method, Object @Nullable [] given)
        throws Throwable {
      Object[] args = given == null ? new Object[0] : given;
      switch (method.getName()) {
        case "attach" -> args[0] = broken((Effects) args[0]);
        case "ended" -> {
          if (args[0] == own) {
            return null;
          }
        }
        default -> {}
      }
      Object result = call(method, sound, args);
      if (method.getName().equals("map")) {
        mapped((Operation) args[0], (long) args[1], (long) args[2], (Mapping) args[4]);
      }
      return result;
    }

    private static @Nullable Object call(Method method, Object on, Object[] args) throws Throwable {
      try {
        return method.invoke(on, args);
      } catch (InvocationTargetException thrown) {
        throw Objects.requireNonNull(thrown.getCause());
      }
    }

    private void mapped(Operation operation, long offset, long length, Mapping answer) {
      BowState state = sound.figures().state();
      boolean isWrite = operation == Operation.WRITE || operation == Operation.WRITE_ZEROES;
      boolean isBehindBlock0 = offset >= sound.figures().state().number() * 512L;
      boolean goesDown =
          switch (defect) {
            case WRITE_LEAVES_BLOCKS_FREE -> isWrite && state == BowState.TRIM;
            case WRITE_DOES_NOT_WAIT -> isWrite && state == BowState.CHECKPOINT && answer.isQueue();
            case DISCARD_OF_UNCHANGED_GOES_DOWN ->
                operation == Operation.DISCARD && state == BowState.CHECKPOINT;
            default -> false;
          };
      if (goesDown && isBehindBlock0) {
        int ticket = answer.ticket();
        answer.remap(BowCore.DEVICE, offset, Math.min(length, answer.lengthBytes()));
        answer.track(ticket);
      } else if (defect == NOTHING_IS_DRAINED && answer.ticket() != Mapping.NO_TICKET) {
        sound.endIo(answer.ticket());
        answer.remap(BowCore.DEVICE, answer.offsetBytes(), answer.lengthBytes());
      }
    }

    private Effects broken(Effects effects) {
      return (Effects)
          Proxy.newProxyInstance(
              BowDefect.class.getClassLoader(),
              new Class<?>[] {Effects.class},
              (proxy, method, args) -> ofEffects(effects, method, args));
    }

    private @Nullable Object ofEffects(Effects out, Method method, Object[] args) throws Throwable {
      BowState state = sound.figures().state();
      switch (method.getName()) {
        case "flushThen" -> {
          boolean isDropped =
              defect == NO_FLUSH_BEFORE_LOG
                  || (defect == NO_FLUSH_IN_COMMIT && state == BowState.COMMITTING);
          if (isDropped) {
            out.run((Job) args[0], () -> 0);
            return null;
          }
        }
        case "writeBytes" -> {
          return writeBytes(out, method, args);
        }
        case "copy" -> {
          if (defect == COMMIT_BEGINS_WITH_THE_HEADER && state == BowState.COMMITTING) {
            swap(out, args);
            return null;
          }
        }
        default -> {}
      }
      return call(method, out, args);
    }

    private @Nullable Object writeBytes(Effects out, Method method, Object[] args)
        throws Throwable {
      byte[] bytes = (byte[]) args[1];
      long at = (long) args[3];
      boolean isLog = ((int) args[4] & Flags.FUA) != 0;
      if (defect == LOG_IS_NOT_DURABLE) {
        args[4] = 0;
      } else if (defect == HEADER_BEFORE_ENTRIES && isLog && at > 0) {
        heldBack = bytes;
        heldBackAt = at;
        out.run((Job) args[0], () -> 0);
        return null;
      } else if (defect == POINTER_IN_A_LATER_WRITE && isLog && at == 0) {
        long pointer = Le.getU64(bytes, BowLogHeader.SECTOR0_OFFSET);
        if (pointerBefore >= 0) {
          Le.putU64(bytes, BowLogHeader.SECTOR0_OFFSET, pointerBefore);
        }
        pointerBefore = pointer;
      }
      Object result = call(method, out, args);
      if (heldBack != null) {
        out.writeBytes(own, Arrays.copyOf(heldBack, heldBack.length), 0, heldBackAt, 0);
        heldBack = null;
      }
      return result;
    }

    /** The header goes where the rest would have gone, and the rest where the header. */
    private static void swap(Effects out, Object[] args) {
      Job job = (Job) args[0];
      long from = (long) args[2];
      long to = (long) args[4];
      long length = (long) args[5];
      if (to > 0) {
        out.copy(job, 0, from - to, 0, 0, Sectors.SIZE_BYTES, false);
      } else {
        out.copy(job, 0, from + Sectors.SIZE_BYTES, 0, length, 3584, false);
      }
    }
  }
}
