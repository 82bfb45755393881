package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;

/** Gives a device a table that the next resume makes the live one. */
@CommandLine.Command(
    name = "load",
    aliases = "reload",
    description = "Load a table, which the next resume makes the live one.",
    footer = {
      "",
      "Example: a clone that is done becomes a plain device, under its clients:",
      "  oxbow suspend vol",
      "  oxbow load vol --table '0 2097152 linear vol.img 0'",
      "  oxbow resume vol"
    })
final class LoadCommand extends TableVerbCommand {
  @Override
  int run(Console console) throws UserException, IOException {
    String text = readTable(System.in);
    showDone(console, ask(daemonPlace(device), Route.LOAD, Map.of("table", text)));
    return 0;
  }
}
