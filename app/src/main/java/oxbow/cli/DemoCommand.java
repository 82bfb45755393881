package oxbow.cli;

import java.io.IOException;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.demo.Demo;
import picocli.CommandLine;

/** Shows the main job. */
@CommandLine.Command(
    name = "demo",
    description = "Clone an image it makes itself from a slow server, and use it meanwhile.",
    footer = {"", "Example:", "  oxbow demo"})
final class DemoCommand extends Command {
  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    return new Demo(console).run() ? 0 : UserException.FAILED;
  }
}
