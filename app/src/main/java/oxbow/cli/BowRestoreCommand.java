package oxbow.cli;

import java.io.IOException;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.BowRestoreJob;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Rolls a device back. */
@CommandLine.Command(
    name = "restore",
    description = {
      "Put a device back as it was at its checkpoint, from the log on the device.",
      "The whole log is checked before anything is written. Interrupted, run it again."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow bow restore disk.img --dry-run",
      "  oxbow bow restore disk.img"
    })
final class BowRestoreCommand extends Command {
  @Parameters(index = "0", paramLabel = "DEVICE", description = "The device; nobody may use it.")
  String device = "";

  @Option(names = "--dry-run", description = "Check, and show what would be done.")
  boolean isDryRun;

  @Option(
      names = "--yes",
      description = "If the log is too damaged to go back, roll forward without asking.")
  boolean isAgreed;

  @Option(
      names = "--ignore-torn-entry",
      description = {
        "If only the newest entry is bad, go back without it. Right if power failed while it was",
        "being written: what it was for was then never written."
      })
  boolean withoutTornEntry;

  @Override
  String name() {
    return "bow restore";
  }

  @Override
  int run(Console console) throws UserException, IOException {
    BowRestoreJob.Order order =
        new BowRestoreJob.Order(device, isDryRun, isAgreed, withoutTornEntry);
    return new BowRestoreJob(order, console).run() ? 0 : UserException.FAILED;
  }
}
