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

/** Shows how a device is doing, in device-mapper's status line. */
@CommandLine.Command(
    name = "status",
    description = "Show the status lines of devices.",
    footer = {"", "Examples:", "  oxbow status vol", "  oxbow status --noflush --json"})
final class StatusCommand extends VerbCommand {
  @Parameters(arity = "0..1", paramLabel = "NAME", description = "Default: all devices.")
  @Nullable String device;

  @Option(names = "--noflush", description = "Do not commit metadata first.")
  boolean isNoflush;

  @Override
  int run(Console console) throws UserException, IOException {
    showTargets(console, device, Route.STATUS, Map.of("noflush", isNoflush));
    return 0;
  }
}
