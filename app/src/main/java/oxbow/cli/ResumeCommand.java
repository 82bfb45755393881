package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Has a device go on, with the table that was loaded if there is one. */
@CommandLine.Command(
    name = "resume",
    description = {
      "Let a device go on.",
      "A table that was loaded takes the place of the live one; if the device is not suspended, it",
      "is for that moment."
    },
    footer = {"", "Example:", "  oxbow resume vol"})
final class ResumeCommand extends DaemonVerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Option(names = "--noflush", description = "If it has to be suspended, do so without a flush.")
  boolean isNoflush;

  @Override
  int run(Console console) throws UserException, IOException {
    showDone(console, ask(place(device), Route.RESUME, Map.of("noflush", isNoflush)));
    return 0;
  }
}
