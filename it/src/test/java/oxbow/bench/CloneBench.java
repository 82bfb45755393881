package oxbow.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.device.mem.MemDevice;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.mapped.MappedDevice;
import oxbow.target.TargetException;
import oxbow.target.clone.CloneArgs;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.CloneOptions;
import oxbow.target.clone.CloneTarget;
import oxbow.target.clone.CloneTargetType;

/** A clone as benchmarks need it: over memory or over files, with metadata in memory. */
final class CloneBench implements AutoCloseable {
  private static final long REGION_SECTORS = 8;

  final MappedDevice device;
  private final WorkerDiskPool pool = new WorkerDiskPool();
  private final Engine engine = new Engine(1, pool);
  private final MemDevice source;
  final BlockDevice destination;
  private final MemDevice metadataDevice;
  private final BlockingDevice metadataIo;
  private final CountDownLatch done = new CountDownLatch(1);
  private final Path directory;

  /**
   * A resumed clone whose source, in memory, begins with so many bytes of data; the rest is a hole.
   *
   * @param where "memory" or "file": what the destination is
   */
  CloneBench(String where, long bytes, long dataBytes, boolean hasHydration) throws IOException {
    boolean isInFiles = where.equals("file");
    directory = Files.createTempDirectory("oxbow-bench");
    FileOpener files = new FileOpener(pool);
    @Nullable FileDevice file =
        isInFiles ? files.create(directory.resolve("destination"), bytes) : null;
    destination = file == null ? new MemDevice(bytes) : file;
    source = new MemDevice(bytes);
    fill(source, dataBytes);
    long regions = Sectors.fromBytes(bytes) / REGION_SECTORS;
    metadataDevice = new MemDevice(CloneMetadata.worstCaseBytes(regions));
    metadataIo = new BlockingDevice(metadataDevice);
    try {
      CloneArgs args = CloneArgs.of("m", "d", "s", REGION_SECTORS, !hasHydration, false, 1, 1);
      CloneTarget target =
          CloneTargetType.open(
              args,
              CloneOptions.FOREGROUND,
              bytes,
              destination,
              source,
              CloneMetadata.format(metadataIo, Sectors.fromBytes(bytes), REGION_SECTORS));
      device =
          new MappedDevice("bench", target, engine.nextLoop(), engine.blocking(), new CountDown());
    } catch (TargetException e) {
      throw new IOException(e);
    }
    device.resume();
  }

  private static void fill(MemDevice device, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ones = arena.allocate(1 << 20).fill((byte) 1);
      for (long at = 0; at < bytes; at += ones.byteSize()) {
        device.writeNow(at, ones, 0, (int) ones.byteSize());
      }
    }
  }

  void awaitHydrated() throws InterruptedException {
    if (!done.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException("not hydrated: " + device.status(true));
    }
  }

  private final class CountDown implements MappedDevice.Listener {
    @Override
    public void event(long number, String why) {
      if (why.equals("hydration completed")) {
        done.countDown();
      }
    }

    @Override
    public void warning(String what) {
      throw new IllegalStateException(what);
    }
  }

  @Override
  public void close() throws IOException {
    if (!device.suspend(TimeUnit.SECONDS.toNanos(60))) {
      throw new IOException("cannot be suspended: " + device.status(true));
    }
    device.close();
    metadataIo.close();
    metadataDevice.close();
    source.close();
    destination.close();
    engine.close();
    pool.close();
    Files.deleteIfExists(directory.resolve("destination"));
    Files.delete(directory);
  }
}
