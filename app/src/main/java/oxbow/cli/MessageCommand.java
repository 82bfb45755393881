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

/** Tells a target something. */
@CommandLine.Command(
    name = "message",
    description = {
      "Give a message to a target.",
      "A clone takes: enable_hydration, disable_hydration, hydration_threshold N,",
      "hydration_batch_size N.",
      "A snapshot takes: store_grew.",
      "A bow device takes: checkpoint, commit, state, when_full WHAT, warn_at PERCENT,",
      "free SECTOR SECTORS, ranges."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow message vol 0 hydration_threshold 8",
      "  oxbow message vol 0 disable_hydration"
    })
final class MessageCommand extends VerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Parameters(index = "1", paramLabel = "SECTOR", description = "Where the target is; mostly 0.")
  long sector;

  @Parameters(index = "2..*", arity = "1..*", paramLabel = "WORD", description = "The message.")
  List<String> words = List.of();

  @Override
  int run(Console console) throws UserException, IOException {
    if (sector < 0) {
      throw UserException.wrongUsage("message " + device, "Invalid sector number: " + sector);
    }
    // dmsetup also takes the whole message as one word.
    List<String> split = List.of(String.join(" ", words).trim().split("\\s+"));
    Map<String, @Nullable Object> answer =
        ask(place(device), Route.MESSAGE, Map.of("sector", sector, "words", split));
    String reply = text(answer, "reply");
    if (console.isJson()) {
      console.result(answer);
    } else if (!reply.isEmpty()) {
      console.result(reply);
    }
    return 0;
  }
}
