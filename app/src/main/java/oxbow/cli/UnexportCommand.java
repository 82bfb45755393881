package oxbow.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Serves a device of the daemon no longer. */
@CommandLine.Command(
    name = "unexport",
    description = {
      "Serve a device no longer: requests of its clients are answered, then they are hung up on."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow unexport vol --listen unix:/run/vol.nbd",
      "  oxbow unexport vol"
    })
final class UnexportCommand extends DaemonVerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description = "At this address only. Default: everywhere.")
  @Nullable String listen;

  @Override
  int run(Console console) throws UserException, IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (listen != null) {
      fields.put("listen", ExportCommand.wholePath(listen));
    }
    showDone(console, ask(daemonPlace(device), Route.UNEXPORT, fields));
    return 0;
  }
}
