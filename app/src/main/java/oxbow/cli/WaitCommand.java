package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Waits for an event of a device. */
@CommandLine.Command(
    name = "wait",
    description = "Wait until a device has raised more than EVENT_NR events.",
    footer = {"", "Example:", "  oxbow wait vol $(oxbow info -c --noheadings -o events vol)"})
final class WaitCommand extends VerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "EVENT_NR",
      defaultValue = "0",
      description = "Default: 0. oxbow info shows the number of events so far.")
  long afterEvent;

  @Override
  int run(Console console) throws UserException, IOException {
    if (afterEvent < 0) {
      throw UserException.wrongUsage("wait " + device, "Invalid event number: " + afterEvent);
    }
    Map<String, @Nullable Object> answer =
        ask(place(device), Route.WAIT, Map.of("event", afterEvent));
    if (console.isJson()) {
      console.result(answer);
    }
    return 0;
  }
}
