package oxbow.job;

import java.io.IOException;
import java.net.BindException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.control.ControlServer;
import oxbow.control.DeviceRegistry;
import oxbow.control.Routes;
import oxbow.control.Verbs;

/**
 * The control socket of a foreground job, and the name under which its device is found there.
 *
 * @param registry where the device is added once it is there
 */
record ControlPoint(String name, ControlServer server, DeviceRegistry registry)
    implements AutoCloseable {
  private static final int MAX_SAME_NAMES = 100;

  /**
   * Listens. A name that was not chosen by the user gives way to a process that has it already: two
   * images of one file name in two directories may well be cloned at once.
   *
   * @param console told of faults in the program
   * @param name as the user chose it, or null
   * @param path of the socket as the user chose it, or null
   * @param destination what a name is made from
   */
  static ControlPoint listen(
      String command,
      Console console,
      @Nullable String name,
      @Nullable Path path,
      String destination)
      throws UserException {
    String wanted = name == null ? ControlDirectory.nameFrom(destination) : name;
    DeviceRegistry registry = new DeviceRegistry();
    Routes routes = new Verbs(registry).routes();
    Path at = path;
    try {
      if (at != null) {
        return new ControlPoint(wanted, ControlServer.listen(at, routes, console::say), registry);
      }
      ControlDirectory directory = ControlDirectory.ofUser().prepare();
      for (int number = isDaemon(wanted) ? 2 : 1; ; number++) {
        String candidate = number == 1 ? wanted : wanted + "-" + number;
        at = directory.controlSocket(candidate);
        try {
          return new ControlPoint(
              candidate, ControlServer.listen(at, routes, console::say), registry);
        } catch (BindException taken) {
          if (name != null || number == MAX_SAME_NAMES) {
            throw taken;
          }
        }
      }
    } catch (IOException failed) {
      String where = at == null ? "control socket" : "control socket " + at;
      throw UserException.failed(command + ": " + where, failed)
          .advise("Nothing was changed. --name or --control choose another one.");
    }
  }

  /** A name that was not chosen by the user gives way to the daemon as well. */
  private static boolean isDaemon(String name) {
    return name.equals(ControlDirectory.DAEMON);
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
