package oxbow.cli;

import java.io.IOException;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.InspectJob;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at what lies on a device. */
@CommandLine.Command(
    name = "inspect",
    description = "Recognise what lies on a device, describe it, and check it.",
    footer = {"", "Example:", "  oxbow inspect disk.img.meta --check"})
final class InspectCommand extends Command {
  @Parameters(index = "0", paramLabel = "ADDR", description = "The device; only read.")
  String address = "";

  @Option(names = "--check", description = "Verify every structure. Exit status 1 if one is bad.")
  boolean isChecked;

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    return new InspectJob(address, isChecked, console).run() ? 0 : UserException.FAILED;
  }
}
