package oxbow.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ends devices of the daemon. */
@CommandLine.Command(
    name = "remove",
    description = {
      "End devices of the daemon. One that clients or other devices use is refused.",
      "What lies on the devices underneath stays as it is."
    },
    footer = {"", "Examples:", "  oxbow remove vol", "  oxbow remove --retry vol base"})
final class RemoveCommand extends DaemonVerbCommand {
  @Parameters(arity = "1..*", paramLabel = "NAME", description = "The devices.")
  List<String> devices = List.of();

  @Option(
      names = {"-f", "--force"},
      description = {
        "Hang up on clients, and let everything on the device fail. A device that others lie on",
        "stays, failing."
      })
  boolean isForced;

  @Option(names = "--retry", description = "While it is in use, wait for up to five seconds.")
  boolean isRetried;

  @Override
  int run(Console console) throws UserException, IOException {
    for (String device : devices) {
      Map<String, Boolean> fields = Map.of("force", isForced, "retry", isRetried);
      showDone(console, ask(daemonPlace(device), Route.REMOVE, fields));
    }
    return 0;
  }
}
