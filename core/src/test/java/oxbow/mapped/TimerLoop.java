package oxbow.mapped;

import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import oxbow.engine.BufferPool;
import oxbow.engine.EventLoop;
import oxbow.engine.LoopTask;

/** An event loop of timers only, whose time is the test's: a timer fires when it is told to. */
final class TimerLoop implements EventLoop {
  /** A timer, and whether it is still to fire. */
  private static final class TestTimer implements Timer {
    final Runnable task;
    volatile boolean isOver;

    TestTimer(Runnable task) {
      this.task = task;
    }

    @Override
    public void cancel() {
      isOver = true;
    }
  }

  private final List<TestTimer> timers = new ArrayList<>();

  @Override
  public synchronized Timer after(long delayNanos, Runnable task) {
    TestTimer timer = new TestTimer(task);
    timers.add(timer);
    return timer;
  }

  /** Timers that have neither fired nor been cancelled. */
  synchronized int pendingCount() {
    timers.removeIf(timer -> timer.isOver);
    return timers.size();
  }

  /** Fires those that are pending now, not the ones they set; returns how many. */
  int fire() {
    List<TestTimer> due;
    synchronized (this) {
      timers.removeIf(timer -> timer.isOver);
      due = List.copyOf(timers);
    }
    for (TestTimer timer : due) {
      timer.isOver = true;
      timer.task.run();
    }
    return due.size();
  }

  @Override
  public boolean isCurrent() {
    return false;
  }

  @Override
  public void execute(Runnable task) {
    throw new UnsupportedOperationException("timers only");
  }

  @Override
  public void post(LoopTask task) {
    throw new UnsupportedOperationException("timers only");
  }

  @Override
  public BufferPool buffers() {
    throw new UnsupportedOperationException("timers only");
  }

  @Override
  public void connect(SocketAddress to, Connector connector) {
    throw new UnsupportedOperationException("timers only");
  }
}
