package oxbow.cli;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Begins a checkpoint. */
@CommandLine.Command(
    name = "checkpoint",
    description = {
      "Begin a checkpoint: from now on what is overwritten is saved, and can be put back.",
      "Waits until that is so. Freeze a mounted file system meanwhile: fsfreeze -f, this command,",
      "fsfreeze -u."
    },
    footer = {"", "Example:", "  oxbow bow checkpoint disk.img"})
final class BowCheckpointCommand extends BowVerbCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Override
  String name() {
    return "bow checkpoint";
  }

  @Override
  int run(Console console) throws UserException, IOException {
    Map<String, @Nullable Object> now = carryOut(place(device), "checkpoint", "checkpointing", 1);
    if (console.isJson()) {
      console.result(now);
    } else {
      console.result(
          "%s: checkpoint; there is room for copies of %s"
              .formatted(device, Progress.human(now.get("freeBytes") instanceof Long b ? b : 0)));
    }
    console.say(
        "note: a file system that was mounted and not frozen (fsfreeze) has to be recovered after"
            + " a restore");
    return 0;
  }
}
