package oxbow.cli;

import java.io.IOException;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.BowCommitJob;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Commits a checkpoint. */
@CommandLine.Command(
    name = "commit",
    description = "Keep what was written since a checkpoint, and forget what was before.")
final class BowCommitCommand extends Command {
  @Parameters(index = "0", paramLabel = "DEVICE", description = "The device; nobody may use it.")
  String device = "";

  @Option(names = "--offline", description = "The device is one that no process serves.")
  boolean isOffline;

  @Option(names = "--yes", description = "Do not ask even if the header of the log is damaged.")
  boolean isAgreed;

  @Override
  String name() {
    return "bow commit";
  }

  @Override
  int run(Console console) throws UserException, IOException {
    if (!isOffline) {
      throw UserException.wrongUsage(name(), "--offline is missing")
          .advise("Devices that a process serves come with a later release.");
    }
    new BowCommitJob(device, isAgreed, console).run();
    return 0;
  }
}
