package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Has a device hold new requests, once those in flight have ended. */
@CommandLine.Command(
    name = "suspend",
    description = {
      "Hold new requests to a device, wait for those in flight, and make what was written durable.",
      "Clients stay connected, and wait."
    },
    footer = {
      "",
      "Example:",
      "  oxbow suspend vol && oxbow load vol new.table && oxbow resume vol"
    })
final class SuspendCommand extends DaemonVerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Option(names = "--noflush", description = "Do not flush the devices underneath.")
  boolean isNoflush;

  @Override
  int run(Console console) throws UserException, IOException {
    showDone(console, ask(place(device), Route.SUSPEND, Map.of("noflush", isNoflush)));
    return 0;
  }
}
