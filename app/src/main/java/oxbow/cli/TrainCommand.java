package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.demo.Training;
import picocli.CommandLine;

/** For the launcher: see {@link Training}. */
@CommandLine.Command(
    name = "train",
    hidden = true,
    description = "Make the program warm, for the launcher's cache.")
final class TrainCommand extends Command {
  @CommandLine.Parameters(paramLabel = "DIRECTORY", description = "Where files are left.")
  private Path directory = Path.of("");

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    new Training(console).run(directory);
    return 0;
  }
}
