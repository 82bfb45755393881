package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Gives a device another name. */
@CommandLine.Command(
    name = "rename",
    description = {
      "Give a device another name.",
      "Exports under its name get the new one; clients that are connected stay."
    },
    footer = {"", "Example:", "  oxbow rename vol data"})
final class RenameCommand extends DaemonVerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Parameters(index = "1", paramLabel = "NEWNAME", description = "Its new name.")
  String newName = "";

  @Override
  int run(Console console) throws UserException, IOException {
    showDone(console, ask(daemonPlace(device), Route.RENAME, Map.of("newName", newName)));
    return 0;
  }
}
