package oxbow.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
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
  private static final int TRIES = 25;
  private static final long PAUSE_MILLIS = 200;

  @Parameters(arity = "1..*", paramLabel = "NAME", description = "The devices.")
  List<String> devices = List.of();

  @Option(
      names = {"-f", "--force"},
      description = {
        "Hang up on clients, and let everything on the device fail. A device that others lie on",
        "stays, failing."
      })
  boolean isForced;

  @Option(names = "--retry", description = "While it is in use, try again for five seconds.")
  boolean isRetried;

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    for (String device : devices) {
      showDone(console, remove(daemonPlace(device)));
    }
    return 0;
  }

  private Map<String, @Nullable Object> remove(Place place)
      throws UserException, InterruptedException {
    for (int triesLeft = isRetried ? TRIES : 1; ; triesLeft--) {
      if (triesLeft == 1 || !isBusy(place)) {
        return ask(place, Route.REMOVE, Map.of("force", isForced));
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
  }

  /** Whether the device is in use now; whatever else is wrong the removal will tell. */
  private boolean isBusy(Place place) {
    try {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", place.name());
      return !"0".equals(text(ControlClient.ask(place.socket(), Route.INFO, fields), "openCount"));
    } catch (ControlException | IOException failed) {
      return false;
    }
  }
}
