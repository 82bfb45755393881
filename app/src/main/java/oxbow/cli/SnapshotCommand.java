package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.SnapshotJob;
import oxbow.job.SnapshotOrder;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A writable snapshot, whose changes are kept apart. */
@CommandLine.Command(
    name = "snapshot",
    sortOptions = false,
    description = {
      "Serve a writable snapshot of ORIGIN over NBD, whose changes are kept in STORE.",
      "Run again, it goes on with what STORE holds. ORIGIN must not be written meanwhile but",
      "through --origin-listen; without that it is only read."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow snapshot disk.img changes.cow --create 2GiB",
      "  oxbow snapshot disk.img changes.cow --origin-listen unix:/run/disk.nbd"
    })
final class SnapshotCommand extends Command {
  @Parameters(index = "0", paramLabel = "ORIGIN", description = "What the snapshot is taken of.")
  String origin = "";

  @Parameters(index = "1", paramLabel = "STORE", description = "Where the changes are kept.")
  String store = "";

  @Option(
      names = "--create",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Make the file STORE; of this size, but sparse.")
  @Nullable Long createBytes;

  @Option(
      names = "--chunk-size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "What is copied at a time, in a new store: 512 to 1GiB. Default: 16KiB.")
  @Nullable Long chunkSizeBytes;

  @Option(
      names = "--transient",
      description = "Keep no record of the changes: they are gone when this ends.")
  boolean isTransient;

  @Option(
      names = "--overflow",
      description =
          "When STORE is full, let writes to the snapshot fail. Default: the snapshot is lost.")
  boolean isOverflow;

  @Option(
      names = "--grow",
      arity = "0..1",
      paramLabel = "STEP",
      fallbackValue = "0",
      converter = SizeConverter.class,
      preprocessor = AttachedOnly.class,
      description =
          "Make the file STORE longer when so much of it is in use as --warn-at says. Default"
              + " STEP: as much as it has.")
  @Nullable Long growStepBytes;

  @Option(
      names = "--warn-at",
      paramLabel = "PERCENT",
      description = "Raise an event when so much of STORE is in use. Default: 80.")
  @Nullable Integer warnPercent;

  @Option(names = "--force", description = "Take STORE even if that loses data there.")
  boolean isForced;

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description = "unix:PATH or tcp:HOST:PORT; repeatable. Default: a Unix socket of yours.")
  List<String> listen = List.of();

  @Option(
      names = "--origin-listen",
      paramLabel = "ADDR",
      description =
          "Serve ORIGIN itself there, for writing: what the snapshot needs is copied out first."
              + " Repeatable.")
  List<String> originListen = List.of();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name of the export, and for the other commands. Default: made from STORE.")
  @Nullable String name;

  @Option(
      names = "--origin-name",
      paramLabel = "NAME",
      description = "The same for ORIGIN. Default: made from ORIGIN.")
  @Nullable String originName;

  @Option(
      names = "--control",
      paramLabel = "PATH",
      description = "Control socket. Default: NAME.sock in the control directory.")
  @Nullable Path control;

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    SnapshotOrder order =
        new SnapshotOrder(
            origin,
            store,
            optional(chunkSizeBytes),
            isTransient,
            isOverflow,
            optional(createBytes),
            optional(growStepBytes),
            warnPercent == null ? OptionalInt.empty() : OptionalInt.of(warnPercent),
            isForced,
            listen,
            originListen,
            name,
            originName,
            control);
    return new SnapshotJob(order, console, uri -> showReady(console, uri)).run();
  }

  private static OptionalLong optional(@Nullable Long value) {
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }
}
