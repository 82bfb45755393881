package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.BowJob;
import oxbow.job.BowOrder;
import oxbow.target.bow.WhenFull;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Serves a device through backup-on-write, and is the group of commands about it. The words after
 * {@code bow} are commands before they are devices: a device that is called like one of them is
 * written {@code ./restore} or {@code file:restore}.
 */
@CommandLine.Command(
    name = "bow",
    sortOptions = false,
    description = {
      "Serve DEVICE over NBD so that all after a checkpoint can be taken back: backup on write.",
      "What is overwritten is copied into space that its file system does not use; discards",
      "(fstrim) tell which. The commands below begin and end a checkpoint.",
      ""
    },
    commandListHeading = "%nCommands:%n",
    subcommands = {
      BowCheckpointCommand.class,
      BowCommitCommand.class,
      BowStateCommand.class,
      BowRestoreCommand.class
    },
    footer = {
      "",
      "Examples:",
      "  oxbow bow disk.img --free-from-ext4",
      "  oxbow bow checkpoint disk.img",
      "  oxbow bow commit disk.img"
    })
final class BowCommand extends Command {
  // Not needed with a command; without one that is looked at below.
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "What is served; nobody else may write to it.")
  @Nullable String device;

  @Option(
      names = "--block-size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "What is saved at a time: 512 to 4096. Default: 4096.")
  @Nullable Long blockBytes;

  @Option(
      names = "--free-list",
      paramLabel = "FILE",
      description = "What is free: a line for each range, OFFSET LENGTH.")
  @Nullable Path freeList;

  @Option(
      names = "--free-from-ext4",
      description =
          "Read what is free from the ext2, ext3 or ext4 file system on DEVICE, which must not be"
              + " mounted.")
  boolean isFreeFromExt;

  @Option(
      names = "--when-full",
      paramLabel = "WHAT",
      converter = WhenFullConverter.class,
      description =
          "When there is no room for a copy: fail (the write fails), commit (the checkpoint is"
              + " committed) or stop (so do all that need one). Default: fail.")
  WhenFull whenFull = WhenFull.FAIL;

  @Option(
      names = "--warn-at",
      paramLabel = "PERCENT",
      description = "Raise an event when so much of the room for copies is used. Default: 80.")
  int warnPercent = 80;

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description = "unix:PATH or tcp:HOST:PORT; repeatable. Default: a Unix socket of yours.")
  List<String> listen = List.of();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name of the export, and for the other commands. Default: made from DEVICE.")
  @Nullable String name;

  @Option(
      names = "--control",
      paramLabel = "PATH",
      description = "Control socket. Default: NAME.sock in the control directory.")
  @Nullable Path control;

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    String served = device;
    if (served == null) {
      throw UserException.wrongUsage(
              name(), "Missing required parameter: DEVICE, or one of the commands")
          .advise("See: oxbow help bow");
    }
    BowOrder order =
        new BowOrder(
            served,
            blockBytes == null ? OptionalLong.empty() : OptionalLong.of(blockBytes),
            freeList,
            isFreeFromExt,
            whenFull,
            warnPercent,
            listen,
            name,
            control);
    return new BowJob(order, console, uri -> showReady(console, uri)).run();
  }
}
