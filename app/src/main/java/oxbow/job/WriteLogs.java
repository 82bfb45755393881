package oxbow.job;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.format.logwrites.LogSuper;

/**
 * The files that log-writes addresses write to. Who names the same path twice gets one log for
 * both. Blocks.
 */
final class WriteLogs {
  /** A new log is sparse: as long as it may become, taking only the space it needs. */
  private static final long SIZE_BYTES = 1L << 36;

  private final FileOpener files;
  private final Map<Path, FileDevice> open = new HashMap<>();

  WriteLogs(FileOpener files) {
    this.files = files;
  }

  /**
   * Opens a log to begin it anew, creating it if it does not exist.
   *
   * @throws IOException also when what is there is not empty and no log
   */
  synchronized BlockDevice open(String path, boolean isWritable) throws IOException {
    Path key = Path.of(path).toAbsolutePath().normalize();
    FileDevice log = open.get(key);
    if (log == null) {
      log = openNew(Path.of(path));
      open.put(key, log);
    }
    return log;
  }

  private FileDevice openNew(Path path) throws IOException {
    if (Files.notExists(path)) {
      return files.create(path, SIZE_BYTES);
    }
    if (Files.isRegularFile(path) && Files.size(path) == 0) {
      return files.createInEmpty(path, SIZE_BYTES);
    }
    FileDevice device = files.openWritable(path, FileOpener.OddTail.DROP);
    try (BlockingDevice io = new BlockingDevice(device)) {
      checkOverwritable(io);
      return device;
    } catch (IOException | RuntimeException refused) {
      device.close();
      throw refused;
    }
  }

  /** The kernel overwrites whatever is there; a mistyped path must not cost an image (O11). */
  private static void checkOverwritable(BlockingDevice io) throws IOException {
    if (io.sizeBytes() < LogSuper.MIN_SECTOR_BYTES) {
      throw new IOException(io.address() + ": too small for a log");
    }
    ByteBuffer sector = ByteBuffer.allocate(LogSuper.MIN_SECTOR_BYTES);
    io.read(0, sector);
    boolean isZero = sector.flip().mismatch(ByteBuffer.allocate(sector.limit())) < 0;
    if (!isZero && LogSuper.decode(sector.array(), 0).magic() != LogSuper.MAGIC) {
      throw new IOException(io.address() + ": holds data and is no write log; nothing was changed");
    }
  }

  /**
   * After the devices that write to them.
   *
   * @throws IOException the last failure, after all have been tried
   */
  synchronized void close() throws IOException {
    IOException failure = null;
    for (FileDevice device : open.values()) {
      try {
        device.close();
      } catch (IOException failed) {
        failure = failed;
      }
    }
    open.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
