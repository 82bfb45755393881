package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Serves a device of the daemon over NBD. */
@CommandLine.Command(
    name = "export",
    description = {
      "Serve a device of the daemon over NBD.",
      "Several devices may share an address, each under its name, and a device may have several",
      "addresses. Prints where clients reach it."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow export vol --listen unix:/run/vol.nbd",
      "  oxbow export vol --listen tcp:127.0.0.1:10809 --readonly --as golden --max-connections 8"
    })
final class ExportCommand extends DaemonVerbCommand {
  private static final String UNIX = "unix:";

  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description = {
        "unix:PATH or tcp:HOST:PORT; port 0 picks one. Repeatable.",
        "Default: a Unix socket in the control directory."
      })
  List<String> listen = List.of();

  @Option(
      names = "--as",
      paramLabel = "EXPORT",
      description = "The name that clients ask for. Default: the device's.")
  @Nullable String exportName;

  @Option(
      names = {"-r", "--readonly"},
      description = "Refuse writes at this address.")
  boolean isReadOnly;

  @Option(names = "--default", description = "Give it to clients that ask for no name.")
  boolean isDefault;

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      description = "Clients at a time. Default: no limit.")
  int maxConnections;

  @Option(
      names = "--max-requests",
      paramLabel = "N",
      description = "Requests in flight, of all clients together. Default: no limit.")
  int maxRequests;

  @Option(
      names = "--max-bytes",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Bytes of requests in flight, of all clients together. Default: no limit.")
  long maxBytes;

  @Override
  int run(Console console) throws UserException, IOException {
    List<String> addresses =
        listen.isEmpty()
            ? List.of(UNIX + ControlDirectory.ofUser().prepare().nbdSocket(device))
            : listen;
    for (String address : addresses) {
      Map<String, @Nullable Object> answer =
          ask(daemonPlace(device), Route.EXPORT, fields(wholePath(address)));
      if (console.isJson()) {
        console.result(answer);
      } else {
        console.result(text(answer, "uri"));
      }
    }
    return 0;
  }

  private Map<String, Object> fields(String address) throws UserException {
    if (maxConnections < 0 || maxRequests < 0 || maxBytes < 0) {
      throw UserException.wrongUsage("export " + device, "limits are numbers from 1 on");
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("listen", address);
    if (exportName != null) {
      fields.put("exportName", exportName);
    }
    fields.put("readOnly", isReadOnly);
    fields.put("default", isDefault);
    fields.put("maxConnections", (long) maxConnections);
    fields.put("maxRequests", (long) maxRequests);
    fields.put("maxBytes", maxBytes);
    return fields;
  }

  /** A Unix socket's path made whole: the daemon does not know where its user is. */
  static String wholePath(String address) {
    return address.startsWith(UNIX)
        ? UNIX + Path.of("").toAbsolutePath().resolve(address.substring(UNIX.length()))
        : address;
  }
}
