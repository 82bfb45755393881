package oxbow.engine;

import java.util.concurrent.Executor;

/**
 * One thread that owns sockets and timers and runs short tasks for them. Nothing on it may block;
 * disk calls that may wait go to the {@link DiskPool}.
 */
public interface EventLoop extends Executor {
  /** Whether the calling thread is this loop's. */
  boolean isCurrent();

  /** Runs a task on the loop soon; from any thread. After the loop was closed tasks are dropped. */
  @Override
  void execute(Runnable task);

  /** Runs a task on the loop once, not before {@code delayNanos} have passed; from any thread. */
  Timer after(long delayNanos, Runnable task);

  /** A task that has not run yet. */
  interface Timer {
    /** Does nothing when the task has run; from any thread. */
    void cancel();
  }
}
