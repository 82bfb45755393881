package oxbow.job;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.device.Address;

/** What can be told of a foreground command's words before anything is opened. */
final class CommandWords {
  private CommandWords() {}

  /** The name under which a device is served and controlled. */
  static void checkName(String command, String option, @Nullable String name) throws UserException {
    if (name != null && !ControlDirectory.isName(name)) {
      throw UserException.wrongUsage(
          command,
          option + " " + name + ": letters, digits and . _ - + : @ are allowed, 60 at most");
    }
    if (ControlDirectory.DAEMON.equals(name)) {
      throw UserException.wrongUsage(
          command, option + " " + name + ": this is the name of the daemon's control socket");
    }
  }

  /** Addresses to listen on. */
  static void checkListen(String command, String option, List<String> listen) throws UserException {
    for (String address : listen) {
      ListenAddress.parse(command, option, address);
    }
  }

  /** Two devices of one job must not be the same one. */
  static void checkDistinct(String command, Address a, String nameOfA, Address b, String nameOfB)
      throws UserException, IOException {
    if (DeviceOpener.isSame(a, b)) {
      throw UserException.failed(
              command, nameOfA + " and " + nameOfB + " are the same device: " + b.text())
          .advise(DeviceStack.UNCHANGED);
    }
  }
}
