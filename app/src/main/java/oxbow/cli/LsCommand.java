package oxbow.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import picocli.CommandLine;

/** Lists the devices of all processes of this user. */
@CommandLine.Command(
    name = "ls",
    description = "List the devices of running processes.",
    footer = {"", "Examples:", "  oxbow ls", "  oxbow ls --json"})
final class LsCommand extends VerbCommand {
  @Override
  int run(Console console) throws UserException, IOException {
    List<Map<String, @Nullable Object>> devices = list();
    if (devices.isEmpty()) {
      showNone(console);
    }
    for (Map<String, @Nullable Object> device : devices) {
      if (console.isJson()) {
        console.result(device);
      } else {
        console.result(text(device, "name") + "\t(" + text(device, "address") + ")");
      }
    }
    return 0;
  }
}
