package oxbow.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A task that is allocated once and posted to its loop again and again. Many posts before it has
 * begun to run make one run.
 */
public abstract class LoopTask {
  private static final VarHandle IS_POSTED;

  static {
    try {
      IS_POSTED = MethodHandles.lookup().findVarHandle(LoopTask.class, "isPosted", boolean.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  /** Link of the loop's queue, which owns it while the task is posted. */
  @Nullable LoopTask next;

  @SuppressWarnings("UnusedVariable") // Read and written by the handle.
  private volatile boolean isPosted;

  /** The work; runs on the loop. May post the task again. */
  protected abstract void run();

  /** Takes the right to queue the task; false when someone else has it. */
  final boolean markPosted() {
    return IS_POSTED.compareAndSet(this, false, true);
  }

  /** From here on posts count again; what was done before an ignored post is seen by the run. */
  final void begin() {
    IS_POSTED.getAndSet(this, false);
    run();
  }
}
