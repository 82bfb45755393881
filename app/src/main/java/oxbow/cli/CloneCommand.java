package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.job.CloneJob;
import oxbow.job.CloneOrder;
import oxbow.job.Patience;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The main job. */
@CommandLine.Command(
    name = "clone",
    sortOptions = false,
    description = {
      "Clone SOURCE into DEST: served over NBD at once, copied in the background.",
      "DEST is created when it does not exist. Run again, it goes on where it stopped."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow clone base.img disk.img --rate 30MiB",
      "  oxbow clone nbd://server/base disk.img --listen unix:/run/disk.nbd --until-hydrated"
    })
final class CloneCommand extends Command {
  private static final long MAX_U32 = 0xFFFFFFFFL;

  @Parameters(index = "0", paramLabel = "SOURCE", description = "What is cloned; only read.")
  String source = "";

  @Parameters(index = "1", paramLabel = "DEST", description = "Where the clone is kept.")
  String destination = "";

  @Option(
      names = "--metadata",
      paramLabel = "ADDR",
      description = "Where is kept what is hydrated. Default: DEST.meta.")
  @Nullable String metadata;

  @Option(
      names = "--region-size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "What is copied at a time: 4KiB to 1GiB. Default: 4KiB; more above 8TiB.")
  @Nullable Long regionSizeBytes;

  @Option(names = "--no-hydration", description = "Do not copy in the background.")
  boolean hasNoHydration;

  @Option(names = "--no-discard-passdown", description = "Do not discard on DEST.")
  boolean hasNoDiscardPassdown;

  @Option(
      names = "--hydrate-on-read",
      description = "Keep in DEST what is read, too. Default: reads of SOURCE leave no trace.")
  boolean hydratesOnRead;

  @Option(
      names = "--record-trace",
      paramLabel = "FILE",
      description = "Write down in FILE in which order the device is touched for the first time.")
  @Nullable Path recordTrace;

  @Option(
      names = "--replay-trace",
      paramLabel = "FILE",
      description = "Hydrate first, and in this order, what such a FILE says.")
  @Nullable Path replayTrace;

  @Option(
      names = "--hydration-threshold",
      paramLabel = "N",
      description = "Regions in hydration at a time. Default: found while running.")
  @Nullable Long hydrationThreshold;

  @Option(
      names = "--hydration-batch-size",
      paramLabel = "N",
      description = "Regions copied in one request. Default: found while running.")
  @Nullable Long hydrationBatchSize;

  @Option(
      names = "--rate",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Copy at most so much per second in the background.")
  @Nullable Long rateBytesPerSecond;

  @Option(
      names = "--source-hold",
      paramLabel = "TIME",
      converter = HoldConverter.class,
      description =
          "How long I/O waits for a SOURCE whose server is away: seconds, forever, or fail. Then it"
              + " fails until SOURCE is back. Default: forever.")
  long sourceHoldNanos = Patience.USUAL.holdNanos();

  @Option(
      names = "--source-timeout",
      paramLabel = "TIME",
      converter = TimeConverter.class,
      description = "A server that says nothing for so long counts as away. Default: 30 s.")
  long sourceTimeoutNanos = Patience.USUAL.silenceNanos();

  @Option(names = "--until-hydrated", description = "End when DEST is a full copy.")
  boolean isUntilHydrated;

  @Option(
      names = "--collapse",
      description = {
        "When DEST is a full copy, serve it itself in the place of the clone, under its clients,",
        "and let the source go."
      })
  boolean isCollapsing;

  @Option(names = "--no-serve", description = "No NBD: just copy, and end then.")
  boolean isNotServed;

  @Option(
      names = "--pad",
      description =
          "Fill a last partial sector of SOURCE up with zeros. Default: it is left out, with a"
              + " warning.")
  boolean isPadded;

  @Option(
      names = "--verify",
      description = "When DEST is a full copy, read it back and compare it with what was copied.")
  boolean isVerified;

  @Option(names = "--force", description = "Take DEST and metadata even if that loses data there.")
  boolean isForced;

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description = "unix:PATH or tcp:HOST:PORT; repeatable. Default: a Unix socket of yours.")
  List<String> listen = List.of();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name of the export, and for the other commands. Default: made from DEST.")
  @Nullable String name;

  @Option(
      names = "--control",
      paramLabel = "PATH",
      description = "Control socket. Default: NAME.sock in the control directory.")
  @Nullable Path control;

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    if (isNotServed && !listen.isEmpty()) {
      throw UserException.wrongUsage("clone", "--no-serve and --listen contradict each other");
    }
    if (isNotServed && recordTrace != null) {
      throw UserException.wrongUsage(
          "clone", "--no-serve and --record-trace contradict each other: nobody touches anything");
    }
    CloneOrder order =
        new CloneOrder(
            source,
            destination,
            metadata,
            optional(regionSizeBytes),
            hasNoHydration,
            hasNoDiscardPassdown,
            unsigned("--hydration-threshold", hydrationThreshold),
            unsigned("--hydration-batch-size", hydrationBatchSize),
            rateBytesPerSecond == null ? 0 : rateBytesPerSecond,
            new Patience(sourceHoldNanos, sourceTimeoutNanos),
            whenDone(),
            !isNotServed,
            isPadded,
            isForced,
            isVerified,
            new CloneOrder.Hints(hydratesOnRead, recordTrace, replayTrace),
            listen,
            name,
            control);
    return new CloneJob(order, console, uri -> showReady(console, uri)).run();
  }

  private CloneOrder.WhenDone whenDone() throws UserException {
    boolean isEnding = isUntilHydrated || isNotServed;
    if (isEnding && isCollapsing) {
      throw UserException.wrongUsage(
          "clone",
          "--collapse and "
              + (isNotServed ? "--no-serve" : "--until-hydrated")
              + " exclude each other");
    }
    return isEnding
        ? CloneOrder.WhenDone.END
        : isCollapsing ? CloneOrder.WhenDone.COLLAPSE : CloneOrder.WhenDone.SERVE;
  }

  private static OptionalLong optional(@Nullable Long value) {
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  private static OptionalLong unsigned(String option, @Nullable Long value) throws UserException {
    if (value != null && (value < 0 || value > MAX_U32)) {
      throw UserException.wrongUsage(
          "clone", option + " " + value + ": Invalid value (0 to " + MAX_U32 + " are allowed)");
    }
    return optional(value);
  }
}
