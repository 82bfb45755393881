package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Shows where a device stands. */
@CommandLine.Command(
    name = "state",
    description = {
      "Show the state of a device.",
      "It is 0 trim, 1 checkpoint or 2 committed; in brackets stands what has failed last."
    },
    footer = {"", "Example:", "  oxbow bow state disk.img --json"})
final class BowStateCommand extends BowVerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Override
  String name() {
    return "bow state";
  }

  @Override
  int run(Console console) throws UserException, IOException {
    Place place = place(device);
    Map<String, @Nullable Object> now = status(place);
    if (console.isJson()) {
      console.result(now);
    } else {
      console.result(message(place, "state"));
    }
    return 0;
  }
}
