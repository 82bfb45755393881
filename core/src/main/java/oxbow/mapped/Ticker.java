package oxbow.mapped;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import oxbow.engine.EventLoop;

/** Calls a task once a second, from {@link #start} to {@link #stop}. Any thread. */
final class Ticker {
  private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final EventLoop loop;
  private final Runnable task;

  /** Counts the times that ticking began or ended: a tick of a former time goes no further. */
  private final AtomicInteger times = new AtomicInteger();

  private volatile EventLoop.@Nullable Timer timer;

  Ticker(EventLoop loop, Runnable task) {
    this.loop = loop;
    this.task = task;
  }

  /** After a {@link #stop}. */
  void start() {
    tickAgain(times.get());
  }

  void stop() {
    times.incrementAndGet();
    EventLoop.Timer pending = timer;
    if (pending != null) {
      pending.cancel();
    }
  }

  private void tickAgain(int time) {
    if (times.get() == time) {
      timer = loop.after(SECOND_NANOS, () -> tick(time));
    }
  }

  private void tick(int time) {
    task.run();
    tickAgain(time);
  }
}
