package oxbow.daemon;

import java.io.IOException;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.linux.ServiceManager;

/** What a manager of services is told of the daemon, if there is one. Used by one thread. */
final class ServiceReport {
  private final ServiceManager manager;
  private final Console console;
  private String last = "";

  /**
   * @param console where it is said if the manager cannot be told
   */
  ServiceReport(ServiceManager manager, Console console) {
    this.manager = manager;
    this.console = console;
  }

  /** The daemon answers, and serves what it could restore. */
  void ready(Devices devices, Exports exports) throws UserException {
    last = status(devices, exports);
    try {
      manager.tell("READY=1\n" + last);
    } catch (IOException failed) {
      throw UserException.failed("daemon: service manager", failed);
    }
  }

  /** Tells how it is now, if that is news. */
  void refresh(Devices devices, Exports exports) {
    String now = status(devices, exports);
    if (!now.equals(last)) {
      last = now;
      tell(now);
    }
  }

  /** The daemon has begun to end. */
  void stopping() {
    tell("STOPPING=1\nSTATUS=Waiting for requests in flight");
  }

  private void tell(String state) {
    try {
      manager.tell(state);
    } catch (IOException failed) {
      console.say("oxbow: daemon: service manager: " + UserException.reason(failed));
    }
  }

  private static String status(Devices devices, Exports exports) {
    return "STATUS="
        + "%d devices, %d exports".formatted(devices.all().size(), exports.list().size())
        + (devices.hasBroken() ? "; some cannot be restored" : "");
  }
}
