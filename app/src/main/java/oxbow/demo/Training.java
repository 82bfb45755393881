package oxbow.demo;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
import oxbow.control.Route;
import oxbow.job.CloneJob;
import oxbow.job.CloneOrder;
import oxbow.job.DeviceOpener;
import oxbow.job.Patience;

/**
 * What the launcher runs while it makes the cache for quick starts: a clone, a client that keeps it
 * busy for a moment, and one that asks how it is. The cache remembers which classes were needed and
 * which methods were hot, so that a server is fast in its first second.
 */
public final class Training {
  private static final String NAME = "training";
  private static final String CONTROL = "control";
  private static final long SIZE_BYTES = 64L << 20;
  private static final int BLOCK_BYTES = 4096;
  private static final int DEPTH = 32;
  private static final int REQUESTS = 400_000;

  private final Console console;

  public Training(Console console) {
    this.console = console;
  }

  /** Works in the directory given, and leaves its files there. Blocks for some seconds. */
  public void run(Path directory) throws UserException, IOException, InterruptedException {
    Path image = directory.resolve("image");
    Files.write(image, new byte[(int) SIZE_BYTES]);
    CloneJob[] job = new CloneJob[1];
    IOException[] failure = new IOException[1];
    job[0] =
        new CloneJob(
            order(directory, image),
            console,
            uri ->
                Thread.ofPlatform()
                    .daemon()
                    .name("training-client")
                    .start(
                        () -> {
                          try {
                            keepBusy(uri);
                            askAround(directory.resolve(CONTROL));
                          } catch (IOException | UserException | ControlException failed) {
                            failure[0] = new IOException(failed);
                          } finally {
                            job[0].stop();
                          }
                        }));
    job[0].run();
    if (failure[0] != null) {
      throw failure[0];
    }
  }

  private static CloneOrder order(Path directory, Path image) {
    return new CloneOrder(
        image.toString(),
        directory.resolve("clone").toString(),
        null,
        OptionalLong.empty(),
        false,
        false,
        OptionalLong.empty(),
        OptionalLong.empty(),
        0,
        Patience.USUAL,
        CloneOrder.WhenDone.SERVE,
        true,
        false,
        false,
        false,
        CloneOrder.Hints.NONE,
        List.of("unix:" + directory.resolve("nbd")),
        NAME,
        directory.resolve(CONTROL));
  }

  /** Both sides of what verbs do: the first request of a process is the only one it makes. */
  private static void askAround(Path control) throws IOException, ControlException {
    ControlClient.ask(control, Route.LS, Map.of());
    ControlClient.ask(control, Route.INFO, Map.of("name", NAME));
    ControlClient.ask(control, Route.STATUS, Map.of("name", NAME, "noflush", true));
    Map<String, Object> message = Map.of("name", NAME, "words", List.of("enable_hydration"));
    ControlClient.ask(control, Route.MESSAGE, message);
  }

  private void keepBusy(String uri) throws IOException, UserException {
    try (DeviceOpener opener = new DeviceOpener(console::say);
        BlockDevice device = opener.openWritable(DeviceOpener.parse(NAME, uri));
        Arena arena = Arena.ofShared()) {
      Semaphore done = new Semaphore(0);
      AtomicInteger left = new AtomicInteger(REQUESTS);
      AtomicInteger firstErrno = new AtomicInteger();
      for (int i = 0; i < DEPTH; i++) {
        MemorySegment data = arena.allocate(BLOCK_BYTES);
        SplittableRandom random = new SplittableRandom(i);
        next(device, new BlockRequest(), data, random, left, firstErrno, done);
      }
      done.acquireUninterruptibly(DEPTH);
      if (firstErrno.get() != Errno.OK) {
        throw new IOException(Errno.describe(firstErrno.get()));
      }
    }
  }

  /** One request after the other, two thirds of them reads, until all have been made. */
  private static void next(
      BlockDevice device,
      BlockRequest request,
      MemorySegment data,
      SplittableRandom random,
      AtomicInteger left,
      AtomicInteger firstErrno,
      Semaphore done) {
    if (left.decrementAndGet() < 0 || firstErrno.get() != Errno.OK) {
      done.release();
      return;
    }
    long at = random.nextLong(SIZE_BYTES / BLOCK_BYTES) * BLOCK_BYTES;
    Operation operation = random.nextInt(3) == 0 ? Operation.WRITE : Operation.READ;
    device.submit(
        request.data(
            operation,
            at,
            data,
            0,
            BLOCK_BYTES,
            0,
            (ended, errno) -> {
              firstErrno.compareAndSet(Errno.OK, errno);
              next(device, ended, data, random, left, firstErrno, done);
            }));
  }
}
