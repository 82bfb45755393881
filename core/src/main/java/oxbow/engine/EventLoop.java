package oxbow.engine;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.concurrent.Executor;

/**
 * One thread that owns sockets, buffers and timers and runs short tasks for them. Nothing on it may
 * block; disk calls that may wait go to the {@link DiskPool}.
 *
 * <p>The loop works in turns: it waits until something happens, tells the handlers of every stream
 * that is concerned, then runs the tasks that were posted meanwhile. A task posted from a handler
 * therefore runs once, after all that this turn brought: the place to send what a whole batch of
 * requests or answers has gathered.
 */
public interface EventLoop extends Executor {
  /** Whether the calling thread is this loop's. */
  boolean isCurrent();

  /**
   * Runs a task on the loop soon; from any thread; allocates. After the loop was closed tasks are
   * dropped.
   */
  @Override
  void execute(Runnable task);

  /**
   * Runs a task on the loop soon; from any thread; does not allocate. Does nothing while the task
   * is posted already and has not begun to run. A task belongs to one loop for life.
   */
  void post(LoopTask task);

  /** Runs a task on the loop once, not before {@code delayNanos} have passed; from any thread. */
  Timer after(long delayNanos, Runnable task);

  /** Buffers that live with the loop; on the loop only. */
  BufferPool buffers();

  /**
   * Connects to a Unix or (resolved) internet address; from any thread. The end is told on this
   * loop, never from within the call.
   */
  void connect(SocketAddress to, Connector connector);

  /** A task that has not run yet. */
  interface Timer {
    /** Does nothing when the task has run; from any thread. */
    void cancel();
  }

  /** Hears how {@link #connect} ended; called once, on the loop. */
  interface Connector {
    /** The connection stands. Sets the stream's handler and may begin to send and receive. */
    void connected(Stream stream);

    /** There is no connection; the message is for people. */
    void failed(IOException why);
  }
}
