package oxbow.control;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Tells the events that a test puts in, until the test ends it. */
final class ScriptedEvents implements EventSource {
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean hasEnded;

  void tell(long id, String kind, Map<String, @Nullable Object> data) {
    events.add(new Event(id, kind, data));
  }

  void end() {
    hasEnded = true;
  }

  /** Whether the server has closed it; waits for that. */
  boolean isClosedInTime() throws InterruptedException {
    return closed.await(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public @Nullable Event next(Duration atMost) {
    try {
      return events.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }

  @Override
  public boolean hasEnded() {
    return hasEnded && events.isEmpty();
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
