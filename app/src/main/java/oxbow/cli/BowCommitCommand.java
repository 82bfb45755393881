package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.job.BowCommitJob;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Commits a checkpoint. */
@CommandLine.Command(
    name = "commit",
    description = "Keep what was written since a checkpoint, and forget what was before.",
    footer = {
      "",
      "Examples:",
      "  oxbow bow commit disk.img",
      "  oxbow bow commit --offline /srv/disk.img"
    })
final class BowCommitCommand extends BowVerbCommand {
  @Parameters(
      index = "0",
      paramLabel = "NAME",
      description = "A device that is served; with --offline a DEVICE that nobody uses.")
  String device = "";

  @Option(names = "--offline", description = "The device is one that no process serves.")
  boolean isOffline;

  @Option(
      names = "--yes",
      description = "With --offline: do not ask even if the header of the log is damaged.")
  boolean isAgreed;

  @Override
  String name() {
    return "bow commit";
  }

  @Override
  int run(Console console) throws UserException, IOException {
    if (isOffline) {
      if (control != null) {
        throw UserException.wrongUsage(name(), "--control and --offline contradict each other");
      }
      new BowCommitJob(device, isAgreed, console).run();
    } else {
      commit(console);
    }
    return 0;
  }

  private void commit(Console console) throws UserException, IOException {
    if (isAgreed) {
      throw UserException.wrongUsage(name(), "--yes needs --offline");
    }
    if (!ControlDirectory.isName(device)) {
      throw UserException.failed(name() + " " + device, "Device not found")
          .advise(
              "To commit a device that no process serves: oxbow bow commit --offline " + device);
    }
    Map<String, @Nullable Object> now = carryOut(place(device), "commit", "committing", 2);
    if (console.isJson()) {
      console.result(now);
    } else {
      console.result(device + ": committed: everything written since the checkpoint is kept");
    }
  }

  @Override
  String adviceIfMissing(Path socket) {
    return super.adviceIfMissing(socket)
        + " To commit a device that no process serves: oxbow bow commit --offline DEVICE";
  }
}
