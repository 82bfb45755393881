package oxbow.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Shows the devices a device stands on. */
@CommandLine.Command(
    name = "deps",
    description = "Show what devices stand on.",
    footer = {"", "Example:", "  oxbow deps vol"})
final class DepsCommand extends VerbCommand {
  @Parameters(arity = "0..1", paramLabel = "NAME", description = "Default: all devices.")
  @Nullable String device;

  @Override
  int run(Console console) throws UserException, IOException {
    List<Place> places = places(device);
    if (places.isEmpty()) {
      showNone(console);
    }
    for (Place place : places) {
      Map<String, @Nullable Object> answer = ask(place, Route.DEPS, Map.of());
      if (console.isJson()) {
        console.result(answer);
        continue;
      }
      List<?> below = answer.get("dependencies") instanceof List<?> list ? list : List.of();
      StringBuilder line = new StringBuilder(device == null ? place.name() + ": " : "");
      line.append(below.size()).append(" dependencies\t:");
      below.forEach(address -> line.append(" (").append(address).append(')'));
      console.result(line.toString());
    }
    return 0;
  }
}
