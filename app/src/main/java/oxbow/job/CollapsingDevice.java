package oxbow.job;

import java.time.Duration;
import java.util.List;
import oxbow.control.ControlException;
import oxbow.control.Device;
import oxbow.control.TargetLine;

/** A clone that becomes its destination, as the verbs see it: one device, and one row of events. */
final class CollapsingDevice implements Device {
  private final CollapsingClone clone;
  private volatile ServedDevice now;

  /**
   * @param first the clone
   */
  CollapsingDevice(CollapsingClone clone, ServedDevice first) {
    this.clone = clone;
    this.now = first;
  }

  /** Another table has taken the clone's place. */
  void become(ServedDevice next) {
    now = next;
  }

  @Override
  public String name() {
    return now.name();
  }

  @Override
  public String address() {
    return now.address();
  }

  @Override
  public boolean isSuspended() {
    return now.isSuspended();
  }

  @Override
  public boolean isReadOnly() {
    return now.isReadOnly();
  }

  @Override
  public int openCount() {
    return now.openCount();
  }

  @Override
  public long eventNumber() {
    return clone.eventNumber();
  }

  @Override
  public List<TargetLine> table() {
    return now.table();
  }

  @Override
  public List<TargetLine> status(boolean isNoflush) {
    return now.status(isNoflush);
  }

  @Override
  public List<String> dependencies() {
    return now.dependencies();
  }

  @Override
  public String message(long sector, List<String> words) throws ControlException {
    return now.message(sector, words);
  }

  @Override
  public boolean awaitEvent(long afterEvent, Duration atMost) {
    return clone.awaitEvent(afterEvent, atMost);
  }
}
