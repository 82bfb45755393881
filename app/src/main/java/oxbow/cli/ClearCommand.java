package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Drops the table that was loaded and not yet resumed. */
@CommandLine.Command(
    name = "clear",
    description = "Drop the table that was loaded and has not become the live one.",
    footer = {"", "Example:", "  oxbow clear vol"})
final class ClearCommand extends DaemonVerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Override
  int run(Console console) throws UserException, IOException {
    showDone(console, ask(place(device), Route.CLEAR, Map.of()));
    return 0;
  }
}
