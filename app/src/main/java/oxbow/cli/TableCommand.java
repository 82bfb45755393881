package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what a device is made of, in device-mapper's table line. */
@CommandLine.Command(
    name = "table",
    description = "Show the table lines of devices.",
    footer = {"", "Examples:", "  oxbow table vol", "  oxbow table vol --inactive"})
final class TableCommand extends VerbCommand {
  @Parameters(arity = "0..1", paramLabel = "NAME", description = "Default: all devices.")
  @Nullable String device;

  @Option(names = "--inactive", description = "The table that is loaded and waits for a resume.")
  boolean isInactive;

  @Override
  int run(Console console) throws UserException, IOException {
    showTargets(console, device, Route.TABLE, Map.of("inactive", isInactive));
    return 0;
  }
}
