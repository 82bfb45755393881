package oxbow.daemon;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import oxbow.control.Event;
import oxbow.control.EventSource;

/**
 * What has happened to the devices of the daemon, for those who follow it. The last events are
 * kept; who follows too slowly misses the oldest, and sees so in the numbers. Any thread.
 */
final class EventLog {
  private static final int KEPT = 1024;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition added = lock.newCondition();
  private final ArrayDeque<Event> kept = new ArrayDeque<>();
  private long lastId;
  private boolean isClosed;
  private final DaemonLog log;

  /**
   * @param log takes a line for each event too
   */
  EventLog(DaemonLog log) {
    this.log = log;
  }

  /** Adds an event; its data say which device it is about. */
  void add(String kind, String device, Map<String, ? extends @Nullable Object> more) {
    Map<String, @Nullable Object> data = new LinkedHashMap<>();
    data.put("device", device);
    data.putAll(more);
    log.write(kind, data);
    lock.lock();
    try {
      lastId++;
      kept.add(new Event(lastId, kind, data));
      if (kept.size() > KEPT) {
        kept.remove();
      }
      added.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** All that comes from now on. */
  EventSource follow() {
    lock.lock();
    try {
      return new Follower(lastId, Long.MAX_VALUE);
    } finally {
      lock.unlock();
    }
  }

  /** What is still known of what has come until now. */
  EventSource past() {
    lock.lock();
    try {
      return new Follower(0, lastId);
    } finally {
      lock.unlock();
    }
  }

  /** No more events come. */
  void close() {
    lock.lock();
    try {
      isClosed = true;
      added.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** One who follows. */
  private final class Follower implements EventSource {
    private final long last;
    private long seen;

    Follower(long seen, long last) {
      this.seen = seen;
      this.last = last;
    }

    @Override
    public @Nullable Event next(Duration atMost) {
      long left = atMost.toNanos();
      lock.lock();
      try {
        while (lastId <= seen || seen >= last) {
          if (isClosed || left <= 0 || seen >= last) {
            return null;
          }
          left = added.awaitNanos(left);
        }
        Event next = kept.stream().filter(event -> event.id() > seen).findFirst().orElseThrow();
        seen = next.id();
        // What was to be told of the past may be forgotten by now.
        return seen <= last ? next : null;
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        return null;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public boolean hasEnded() {
      lock.lock();
      try {
        return seen >= last || (isClosed && lastId <= seen);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {}
  }
}
