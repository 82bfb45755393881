package oxbow.job;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.device.watch.WatchedDevice;
import oxbow.format.trace.AccessTrace;
import oxbow.target.clone.CloneTarget;

/** The traces of a clone: one that tells what to hydrate first, and one that is recorded. */
final class CloneTraces implements AutoCloseable {
  /** Null when its order has been given. */
  private @Nullable AccessTrace replayed;

  private final @Nullable TraceRecording recording;

  private CloneTraces(@Nullable AccessTrace replayed, @Nullable TraceRecording recording) {
    this.replayed = replayed;
    this.recording = recording;
  }

  /** Reads the one and begins the other, where they were asked for. Blocks. */
  static CloneTraces open(CloneOrder order, long deviceBytes, Console console)
      throws UserException {
    Path replay = order.hints().replayTrace();
    Path record = order.hints().recordTrace();
    // Read first: the one may be recorded where the other was.
    AccessTrace replayed = replay == null ? null : read(replay, deviceBytes, console);
    return new CloneTraces(
        replayed,
        record == null
            ? null
            : TraceRecording.open(record, deviceBytes, what -> console.say("warning: " + what)));
  }

  private static AccessTrace read(Path path, long deviceBytes, Console console)
      throws UserException {
    try {
      AccessTrace trace = TraceRecording.read(path);
      int beyond = 0;
      long bytes = 0;
      for (int i = 0; i < trace.rangeCount(); i++) {
        long length = lengthWithin(trace, i, deviceBytes);
        beyond += length == 0 ? 1 : 0;
        bytes += length;
      }
      console.say(
          "hydrating first: %d ranges of %s, %s"
              .formatted(trace.rangeCount() - beyond, path, Progress.human(bytes)));
      if (beyond > 0) {
        console.say(
            "warning: %s: %d ranges lie beyond the end of this device and are left out"
                .formatted(path, beyond));
      }
      return trace;
    } catch (IOException failed) {
      throw UserException.failed("clone: --replay-trace " + path, failed)
          .advise("Nothing was changed.");
    }
  }

  /** How much of a range lies within the device; 0 if nothing does. */
  private static long lengthWithin(AccessTrace trace, int index, long deviceBytes) {
    long first = trace.firstSector(index);
    long left = Sectors.fromBytes(deviceBytes) - first;
    return left <= 0 ? 0 : Sectors.toBytes(Math.min(trace.sectorCount(index), left));
  }

  /** Before the target is resumed for the first time. */
  void giveOrder(CloneTarget target) {
    AccessTrace trace = replayed;
    replayed = null;
    for (int i = 0; trace != null && i < trace.rangeCount(); i++) {
      long length = lengthWithin(trace, i, target.lengthBytes());
      if (length > 0) {
        target.hydrateFirst(Sectors.toBytes(trace.firstSector(i)), length);
      }
    }
  }

  /** What is served: the device itself, unless its requests are recorded. */
  BlockDevice served(BlockDevice device) {
    return recording == null ? device : new WatchedDevice(device, recording.touches());
  }

  /** From now on what was recorded stays. */
  void keep() {
    if (recording != null) {
      recording.keep();
    }
  }

  @Override
  public void close() throws IOException {
    if (recording != null) {
      recording.close();
    }
  }
}
