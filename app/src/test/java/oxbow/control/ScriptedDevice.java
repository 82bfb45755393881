package oxbow.control;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A device without a device: says what it is told to say. */
public final class ScriptedDevice implements Device {
  private final String name;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition raised = lock.newCondition();
  private long events;

  public ScriptedDevice(String name) {
    this.name = name;
  }

  public void raiseEvent() {
    lock.lock();
    try {
      events++;
      raised.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String address() {
    return "nbd+unix:///" + name + "?socket=/run/" + name;
  }

  @Override
  public boolean isSuspended() {
    return false;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public int openCount() {
    return 2;
  }

  @Override
  public long eventNumber() {
    lock.lock();
    try {
      return events;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<TargetLine> table() {
    return List.of(
        new TargetLine(0, 16384, "clone", "meta dest source 8 1 no_hydration", Map.of()));
  }

  @Override
  public List<TargetLine> status(boolean isNoflush) {
    String text = "8 6/1024 8 " + (isNoflush ? 0 : 2) + "/2048 0 0 4 rw";
    return List.of(new TargetLine(0, 16384, "clone", text, Map.of("totalRegions", 2048)));
  }

  @Override
  public List<String> dependencies() {
    return List.of("source", "dest", "meta");
  }

  @Override
  public String message(long sector, List<String> words) throws ControlException {
    if (sector >= 16384) {
      throw new ControlException("Target message sector outside device.");
    }
    return sector + " " + String.join("|", words);
  }

  @Override
  public boolean awaitEvent(long afterEvent, Duration atMost) {
    lock.lock();
    try {
      long left = atMost.toNanos();
      while (events <= afterEvent) {
        if (left <= 0) {
          return false;
        }
        left = raised.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** How long a test waits for what must happen. */
  public static final long PATIENCE_SECONDS = TimeUnit.MINUTES.toSeconds(1);
}
