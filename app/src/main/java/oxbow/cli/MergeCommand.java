package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.MergeJob;
import oxbow.job.MergeOrder;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a snapshot's changes the origin's. */
@CommandLine.Command(
    name = "merge",
    sortOptions = false,
    description = {
      "Merge the changes in STORE into ORIGIN, and leave STORE empty.",
      "Stopped before the end, it goes on when it is run again; until it has finished, ORIGIN must",
      "not be used by itself."
    },
    footer = {"", "Example:", "  oxbow merge disk.img changes.cow"})
final class MergeCommand extends Command {
  @Parameters(index = "0", paramLabel = "ORIGIN", description = "What the snapshot was taken of.")
  String origin = "";

  @Parameters(index = "1", paramLabel = "STORE", description = "Where its changes are kept.")
  String store = "";

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description =
          "Serve the merging device meanwhile: unix:PATH or tcp:HOST:PORT; repeatable. Default: it"
              + " is not served.")
  List<String> listen = List.of();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name of the export, and for the other commands. Default: made from ORIGIN.")
  @Nullable String name;

  @Option(
      names = "--control",
      paramLabel = "PATH",
      description = "Control socket. Default: NAME.sock in the control directory.")
  @Nullable Path control;

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    MergeOrder order = new MergeOrder(origin, store, listen, name, control);
    return new MergeJob(order, console, uri -> showReady(console, uri)).run();
  }
}
