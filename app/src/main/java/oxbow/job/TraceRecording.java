package oxbow.job;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.device.watch.FirstTouches;
import oxbow.format.trace.AccessTrace;

/**
 * Writes down in which order a device is touched for the first time, a few times a second, so that
 * a kill loses no more than a moment. A trace that is there already is gone on with. What goes
 * wrong while recording is told once, and ends the recording, not the job.
 */
final class TraceRecording implements AutoCloseable {
  private static final String WHAT = "clone: --record-trace ";
  private static final long INTERVAL_MILLIS = 200;

  private final Path path;
  private final boolean isNew;
  private final FileChannel file;
  private final FirstTouches touches;
  private final Consumer<String> warnings;
  private final CountDownLatch isEnding = new CountDownLatch(1);
  private final Thread writer;
  private final StringBuilder text = new StringBuilder();
  private int rangesLeft;
  private boolean isKept;

  private TraceRecording(
      Path path,
      boolean isNew,
      FileChannel file,
      FirstTouches touches,
      int rangesLeft,
      Consumer<String> warnings) {
    this.path = path;
    this.isNew = isNew;
    this.file = file;
    this.touches = touches;
    this.rangesLeft = rangesLeft;
    this.warnings = warnings;
    this.writer = Thread.ofPlatform().daemon().name("trace").start(this::write);
  }

  /**
   * Begins, or goes on. What is no trace is left as it is. Blocks.
   *
   * @param warnings told, on a thread of the recording's own, why it has ended before its time
   */
  static TraceRecording open(Path path, long deviceBytes, Consumer<String> warnings)
      throws UserException {
    FirstTouches touches = new FirstTouches(deviceBytes);
    boolean isNew = Files.notExists(path);
    try {
      int ranges = 0;
      long wholeBytes = 0;
      if (!isNew && Files.size(path) > 0) {
        AccessTrace before = read(path);
        checkDevice(before, path, deviceBytes);
        for (int i = 0; i < before.rangeCount(); i++) {
          long offset = Sectors.toBytes(before.firstSector(i));
          if (offset < deviceBytes) {
            touches.skip(offset, Sectors.toBytes(before.sectorCount(i)));
          }
        }
        ranges = before.rangeCount();
        wholeBytes = before.wholeBytes();
      }
      FileChannel file =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      file.truncate(wholeBytes).position(wholeBytes);
      if (wholeBytes == 0) {
        writeAll(file, AccessTrace.header(Sectors.fromBytes(deviceBytes)));
      }
      int left = AccessTrace.MAX_RANGES - ranges;
      return new TraceRecording(path, isNew, file, touches, left, warnings);
    } catch (IOException failed) {
      throw UserException.failed(WHAT + path, failed).advise("Nothing was changed.");
    }
  }

  /** Reads a trace to its end. Blocks. */
  static AccessTrace read(Path path) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      return AccessTrace.read(in);
    }
  }

  private static void checkDevice(AccessTrace before, Path path, long deviceBytes)
      throws UserException {
    long sectors = Sectors.fromBytes(deviceBytes);
    if (before.deviceSectors() != sectors) {
      throw UserException.failed(
              WHAT + path,
              "is of a device of %d sectors, this one has %d"
                  .formatted(before.deviceSectors(), sectors))
          .advise("Nothing was changed. Another file begins a new trace.");
    }
  }

  /** Whom the device is to tell of its requests. */
  FirstTouches touches() {
    return touches;
  }

  /** From now on the file stays. */
  void keep() {
    isKept = true;
  }

  private void write() {
    try {
      do {
        append();
      } while (rangesLeft > 0 && !isEnding.await(INTERVAL_MILLIS, TimeUnit.MILLISECONDS));
      append();
      if (rangesLeft == 0) {
        warnings.accept(path + ": the trace is full; later touches are not recorded");
      }
    } catch (IOException failed) {
      warnings.accept(path + ": recording has ended: " + UserException.reason(failed));
    } catch (InterruptedException nobodyDoesThat) {
      Thread.currentThread().interrupt();
    }
  }

  private void append() throws IOException {
    touches.drain(
        (offsetBytes, lengthBytes) -> {
          if (rangesLeft > 0) {
            rangesLeft--;
            // The last block of a device may end within it, but never within a sector.
            text.append(
                AccessTrace.line(Sectors.fromBytes(offsetBytes), Sectors.fromBytes(lengthBytes)));
          }
        });
    if (!text.isEmpty()) {
      writeAll(file, text.toString());
      text.setLength(0);
    }
  }

  private static void writeAll(FileChannel file, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
  }

  /** Writes what is left; removes a new file if it was not to be kept. Blocks. */
  @Override
  public void close() throws IOException {
    isEnding.countDown();
    try {
      writer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    file.close();
    if (isNew && !isKept) {
      Files.deleteIfExists(path);
    }
  }
}
