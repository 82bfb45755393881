package oxbow.control;

import java.time.Duration;
import java.util.List;

/** A device of this process as the verbs see it. All methods may be called on any thread. */
public interface Device {
  String name();

  /** Where it is served; stands where device-mapper has major and minor number. */
  String address();

  boolean isSuspended();

  boolean isReadOnly();

  /** How many clients have it open. */
  int openCount();

  /** Events raised so far. */
  long eventNumber();

  List<TargetLine> table();

  /** Which tables there are, as dmsetup's {@code info} says it. */
  default String tablesPresent() {
    return "LIVE";
  }

  /** The table that has been loaded and waits for a resume; empty when there is none. */
  default List<TargetLine> inactiveTable() {
    return List.of();
  }

  /**
   * @param isNoflush as dmsetup's {@code --noflush}: do not commit first. May block otherwise.
   */
  List<TargetLine> status(boolean isNoflush);

  /** Addresses of the devices below, the last opened first. */
  List<String> dependencies();

  /**
   * Gives a message to the target at a sector.
   *
   * @return what the target has to say; mostly nothing
   * @throws ControlException when the target does not take the message
   */
  String message(long sector, List<String> words) throws ControlException;

  /**
   * Waits until more than {@code afterEvent} events have been raised; false when the time is over
   * before. Blocks.
   */
  boolean awaitEvent(long afterEvent, Duration atMost);
}
