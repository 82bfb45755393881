package oxbow.demo;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
import oxbow.control.Route;
import oxbow.engine.Engine;
import oxbow.job.CloneJob;
import oxbow.job.CloneOrder;
import oxbow.job.DeviceOpener;
import oxbow.job.InspectJob;
import oxbow.job.Patience;
import oxbow.nbd.server.Export;
import oxbow.nbd.server.NbdServer;
import oxbow.nbd.server.ServerOptions;

/**
 * {@code oxbow demo}: a slow server, a clone of what it serves, and a client that uses the clone
 * while it hydrates; at the end every byte is checked. Everything lies in a temporary directory and
 * is removed again.
 */
public final class Demo {
  private static final int DELAY_MILLIS = 20;
  private static final long RATE_BYTES_PER_SECOND = 12L << 20;
  private static final int CHECK_BYTES = 1 << 20;
  private static final long WORK_NANOS = 5_000_000_000L;

  private final Console console;

  public Demo(Console console) {
    this.console = console;
  }

  /**
   * Shows it all; true when everything was as it must be. Blocks for a quarter of a minute or so.
   */
  public boolean run() throws UserException, IOException, InterruptedException {
    Path directory = Files.createTempDirectory("oxbow-demo");
    try {
      return run(directory);
    } finally {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private boolean run(Path directory) throws UserException, IOException, InterruptedException {
    Path image = directory.resolve("image.img");
    console.say(
        "Making an image of %s, %s of it data and the rest holes, in %s."
            .formatted(
                Progress.human(DemoImage.SIZE_BYTES),
                Progress.human(DemoImage.dataBytes()),
                directory));
    DemoImage.write(image);
    try (DeviceOpener opener = new DeviceOpener(console::say);
        BlockDevice file = opener.openReadOnly(DeviceOpener.parse("demo", image.toString()));
        NbdServer server = new NbdServer(opener.engine(), ServerOptions.DEFAULT)) {
      Engine engine = opener.engine();
      server.add(Export.of("image", new SlowDevice(file, engine.nextLoop(), DELAY_MILLIS)));
      Path socket = directory.resolve("image.nbd");
      String source = server.listen(UnixDomainSocketAddress.of(socket)).uri("image");
      console.say(
          "Serving it over NBD from \"far away\": every read takes %d ms.".formatted(DELAY_MILLIS));
      DemoClient client = cloneAndUse(directory, source, opener);
      return check(directory, client);
    }
  }

  private DemoClient cloneAndUse(Path directory, String source, DeviceOpener opener)
      throws UserException, IOException, InterruptedException {
    Path destination = directory.resolve("clone.img");
    Path control = directory.resolve("control.sock");
    CloneOrder order = order(source, destination, directory, control);
    CompletableFuture<DemoClient> client = new CompletableFuture<>();
    CloneJob[] job = new CloneJob[1];
    console.say("");
    console.say("$ oxbow clone '" + source + "' clone.img --rate 12MiB");
    job[0] =
        new CloneJob(
            order,
            console,
            uri -> {
              console.say("ready " + uri);
              Thread.ofPlatform()
                  .daemon()
                  .name("demo-client")
                  .start(() -> use(uri, control, opener, client, job[0]));
            });
    job[0].run();
    try {
      return client.get();
    } catch (ExecutionException failed) {
      throw UserException.failed("demo", new IOException(failed.getCause()));
    }
  }

  private static CloneOrder order(String source, Path destination, Path directory, Path control) {
    return new CloneOrder(
        source,
        destination.toString(),
        null,
        OptionalLong.empty(),
        false,
        false,
        OptionalLong.empty(),
        OptionalLong.empty(),
        RATE_BYTES_PER_SECOND,
        Patience.USUAL,
        CloneOrder.WhenDone.SERVE,
        true,
        false,
        false,
        false,
        CloneOrder.Hints.NONE,
        List.of("unix:" + directory.resolve("clone.nbd")),
        "demo",
        control);
  }

  /** Uses the clone for a while, waits until it is hydrated, and ends the job. */
  private void use(
      String uri,
      Path control,
      DeviceOpener opener,
      CompletableFuture<DemoClient> result,
      CloneJob job) {
    try (BlockDevice device = opener.openWritable(DeviceOpener.parse("demo", uri));
        BlockingDevice blocking = new BlockingDevice(device)) {
      DemoClient client = new DemoClient(blocking, console);
      client.introduce();
      CompletableFuture<Void> hydrated =
          CompletableFuture.runAsync(
              () -> awaitEvent(control), task -> Thread.ofPlatform().daemon().start(task));
      long end = System.nanoTime() + WORK_NANOS;
      client.work(() -> hydrated.isDone() || System.nanoTime() - end > 0);
      hydrated.join();
      result.complete(client);
    } catch (IOException | UserException | RuntimeException failed) {
      result.completeExceptionally(failed);
    } finally {
      job.stop();
    }
  }

  private static void awaitEvent(Path control) {
    try {
      ControlClient.ask(control, Route.WAIT, Map.of("name", "demo", "event", 0));
    } catch (IOException | ControlException failed) {
      throw new CompletionException(failed);
    }
  }

  private boolean check(Path directory, DemoClient client)
      throws UserException, IOException, InterruptedException {
    console.say("");
    Path clone = directory.resolve("clone.img");
    try (FileChannel file = FileChannel.open(clone, StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(CHECK_BYTES);
      for (int at = 0; at < DemoImage.SIZE_BYTES; at += CHECK_BYTES) {
        bytes.clear();
        while (bytes.hasRemaining() && file.read(bytes, (long) at + bytes.position()) >= 0) {
          // A read may be short.
        }
        int differs = Arrays.mismatch(bytes.array(), client.expected(at, CHECK_BYTES));
        if (differs >= 0) {
          throw UserException.failed("demo", "clone.img is wrong at byte " + (at + differs));
        }
      }
    }
    console.say(
        "Checked every byte of clone.img: it is the image with what the client wrote on top.");
    boolean isClean = new InspectJob(clone + ".meta", true, console).run();
    console.say(isClean ? "Done. Everything is removed again." : "The metadata is damaged.");
    return isClean;
  }
}
