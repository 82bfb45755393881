package oxbow.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
import oxbow.control.Route;
import picocli.CommandLine;

/** Lists what the daemon serves. */
@CommandLine.Command(
    name = "exports",
    description = "List what the daemon serves, and to how many.",
    footer = {"", "Example:", "  oxbow exports"})
final class ExportsCommand extends DaemonVerbCommand {
  @Override
  int run(Console console) throws UserException, IOException {
    try {
      Map<String, @Nullable Object> answer = ControlClient.ask(daemon(), Route.EXPORTS, Map.of());
      for (Map<String, @Nullable Object> export : objects(answer, "exports")) {
        if (console.isJson()) {
          console.result(export);
        } else {
          console.result(line(export));
        }
      }
      return 0;
    } catch (ControlException refused) {
      throw UserException.failed(name(), refused);
    } catch (IOException unreachable) {
      throw noAnswer(name(), daemon(), unreachable);
    }
  }

  private static String line(Map<String, @Nullable Object> export) {
    List<String> words = new ArrayList<>();
    words.add(text(export, "device") + ":");
    boolean isServed = export.get("uri") != null;
    words.add(isServed ? text(export, "uri") : text(export, "listen") + " (waits for a table)");
    if (Boolean.TRUE.equals(export.get("readOnly"))) {
      words.add("read-only");
    }
    if (Boolean.TRUE.equals(export.get("default"))) {
      words.add("default");
    }
    words.add(text(export, "clients") + " clients");
    return String.join(" ", words);
  }
}
