package oxbow.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
import oxbow.control.Event;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Shows what happens to the daemon's devices. */
@CommandLine.Command(
    name = "events",
    description = {
      "Show what happens to the daemon's devices: a line for each event.",
      "Without --follow those of the last thousand that are still known."
    },
    footer = {"", "Examples:", "  oxbow events", "  oxbow events --follow --json"})
final class EventsCommand extends DaemonVerbCommand {
  @Option(
      names = {"-f", "--follow"},
      description = "Show what happens from now on, until the daemon ends.")
  boolean isFollowing;

  @Override
  int run(Console console) throws UserException, IOException {
    try {
      ControlClient.follow(
          daemon(),
          Route.EVENTS,
          Map.of("past", !isFollowing),
          event -> console.result(shown(console, event)));
      return 0;
    } catch (ControlException refused) {
      throw UserException.failed(name(), refused);
    } catch (IOException unreachable) {
      throw noAnswer(name(), daemon(), unreachable);
    }
  }

  private static String shown(Console console, Event event) {
    if (console.isJson()) {
      Map<String, @Nullable Object> fields = new LinkedHashMap<>();
      fields.put("id", event.id());
      fields.put("event", event.kind());
      fields.putAll(event.data());
      return oxbow.console.Json.line(fields);
    }
    String data =
        event.data().entrySet().stream()
            .filter(each -> each.getValue() != null && !each.getKey().equals("device"))
            .map(each -> each.getKey() + "=" + each.getValue())
            .collect(Collectors.joining(" "));
    return (event.id() + " " + event.data().get("device") + " " + event.kind() + " " + data)
        .stripTrailing();
  }
}
