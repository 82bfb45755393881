package oxbow.cli;

import java.io.IOException;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.VerifyJob;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Compares two devices. */
@CommandLine.Command(
    name = "verify",
    description = "Compare two devices; say where they differ first. Exit status 1 if they do.",
    footer = {"", "Example:", "  oxbow verify base.img disk.img"})
final class VerifyCommand extends Command {
  @Parameters(index = "0", paramLabel = "A", description = "One device.")
  String a = "";

  @Parameters(index = "1", paramLabel = "B", description = "The other.")
  String b = "";

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    return new VerifyJob(a, b, console).run() ? 0 : UserException.FAILED;
  }
}
