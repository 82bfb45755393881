package oxbow.cli;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.control.ControlDirectory;

/** A verb for which there must be a daemon: it makes devices, or is about none in particular. */
abstract class DaemonVerbCommand extends VerbCommand {
  /** The daemon's socket. */
  Path daemon() {
    return control != null
        ? control
        : ControlDirectory.ofUser().controlSocket(ControlDirectory.DAEMON);
  }

  /** A device of the daemon, which need not exist. */
  Place daemonPlace(String name) {
    return new Place(name, daemon());
  }

  @Override
  String missing() {
    return "No daemon is running";
  }

  @Override
  String adviceIfMissing(Path socket) {
    return "Nobody listens at " + socket + "; oxbow daemon starts one.";
  }

  /** Prints the answer of a verb that has nothing to tell people. */
  static void showDone(Console console, Map<String, @Nullable Object> answer) {
    if (console.isJson()) {
      console.result(answer);
    }
  }
}
