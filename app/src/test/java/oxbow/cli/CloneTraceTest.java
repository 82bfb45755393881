package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockingDevice;
import oxbow.block.Operation;
import oxbow.device.mem.MemDevice;
import oxbow.device.watch.WatchedDevice;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.nbd.server.Export;
import oxbow.nbd.server.NbdServer;
import oxbow.nbd.server.ServerOptions;

/**
 * Aim: what one clone records another hydrates first, and reads hydrate where they are told to.
 * Method: real commands, over a source that notes the order in which it is read.
 */
class CloneTraceTest {
  private static final int REGION = 4096;
  private static final int SIZE_BYTES = 256 * REGION;

  private final WorkerDiskPool disks = new WorkerDiskPool();
  private final Engine engine;
  private final NbdServer server;
  private final MemDevice image = new MemDevice(SIZE_BYTES);
  private final List<Long> readAt = Collections.synchronizedList(new ArrayList<>());
  private Path directory = Path.of("");
  private String source = "";

  CloneTraceTest() throws IOException {
    engine = new Engine(1, disks);
    server = new NbdServer(engine, ServerOptions.DEFAULT);
  }

  @BeforeEach
  void serveTheSource(@TempDir Path temporary) throws IOException {
    directory = temporary;
    byte[] data = new byte[SIZE_BYTES];
    new Random(3).nextBytes(data);
    try (BlockingDevice io = new BlockingDevice(image)) {
      io.write(0, ByteBuffer.wrap(data));
    }
    Path socket = directory.resolve("source.sock");
    WatchedDevice noted =
        new WatchedDevice(
            image,
            (operation, offset, length) -> {
              if (operation == Operation.READ) {
                readAt.add(offset);
              }
            });
    server.add(Export.of("disk", noted));
    server.listen(UnixDomainSocketAddress.of(socket));
    source = "nbd+unix:///disk?socket=" + socket;
  }

  @AfterEach
  void stopServing() throws IOException {
    server.close();
    engine.close();
    disks.close();
    image.close();
  }

  @Test
  void whatOneCloneRecordsAnotherHydratesFirst() throws Exception {
    Path trace = directory.resolve("boot.trace");
    Object[] recording = {
      "clone", source, file("a.img"), "--no-hydration", "--record-trace", trace
    };
    try (Programs.Running clone = start(recording)) {
      touch(clone, 200, 3, 5, 90);
      awaitLines(trace, 5);
      clone.signal("KILL");
      clone.await();
    }
    assertThat(Files.readAllLines(trace))
        .containsExactly("oxbow-trace 1 2048", "1600 8", "24 8", "40 8", "720 8");
    Files.writeString(trace, Files.readString(trace) + "1 cut");
    // The same command goes on, with what is new.
    try (Programs.Running clone = start(recording)) {
      touch(clone, 200, 17);
      clone.signal("TERM");
      assertThat(clone.await()).as(clone.err()).isZero();
    }
    assertThat(Files.readAllLines(trace)).hasSize(6).endsWith("136 8");

    readAt.clear();
    assertThat(
            Cli.run(
                    "clone",
                    source,
                    file("b.img"),
                    "--no-serve",
                    "--hydration-threshold=1",
                    "--replay-trace",
                    trace)
                .status())
        .isZero();
    List<Long> regions = readAt.stream().map(at -> at / REGION).toList();
    // Before anything else the command looks whether the source holds a checkpoint.
    assertThat(regions).startsWith(0L, 200L, 3L, 5L, 90L, 17L, 0L, 1L, 2L, 4L).hasSize(257);
    assertThat(Cli.run("verify", source, file("b.img")).status()).isZero();
  }

  @Test
  void readsHydrateWhereTheyAreToldTo() throws Exception {
    try (Programs.Running clone =
        start("clone", source, file("c.img"), "--no-hydration", "--hydrate-on-read")) {
      touch(clone, 7, 7, 9, 7);
      clone.signal("TERM");
      assertThat(clone.await()).as(clone.err()).isZero();
      assertThat(clone.err()).contains("(8 KiB copied)");
    }
  }

  @Test
  void aFileThatIsNoTraceIsRefusedAndNothingIsMade() throws Exception {
    Path garbage = Files.writeString(directory.resolve("garbage"), "QFI\n");
    for (String option : List.of("--replay-trace", "--record-trace")) {
      Cli result = Cli.run("clone", source, file("d.img"), option, garbage, "--until-hydrated");
      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err())
          .contains("oxbow: clone: " + option + " " + garbage + ": line 1: not a trace")
          .contains("Nothing was changed.");
    }
    assertThat(Files.readString(garbage)).isEqualTo("QFI\n");
    assertThat(file("d.img")).doesNotExist();
    assertThat(Cli.run("clone", source, file("d.img"), "--replay-trace", file("none")).status())
        .isEqualTo(1);
  }

  @Test
  void aTraceOfALargerDeviceIsUsedAsFarAsItFits() throws Exception {
    Path trace = file("large.trace");
    Files.writeString(trace, "oxbow-trace 1 1000000\n999 1\n2048 8\n2040 100\n");
    Cli result =
        Cli.run(
            "clone",
            source,
            file("e.img"),
            "--no-serve",
            "--hydration-threshold=1",
            "--replay-trace",
            trace);
    assertThat(result.status()).as(result.err()).isZero();
    assertThat(result.err()).contains("warning: " + trace + ": 1 ranges lie beyond the end");
    assertThat(readAt).startsWith(0L, 124L * REGION, 255L * REGION, 0L);
    Cli other =
        Cli.run("clone", source, file("f.img"), "--until-hydrated", "--record-trace", trace);
    assertThat(other.status()).isEqualTo(1);
    assertThat(other.err()).contains("is of a device of 1000000 sectors, this one has 2048");
  }

  @Test
  void noServeAndRecordTraceContradictEachOther() throws Exception {
    Cli result = Cli.run("clone", source, file("g.img"), "--no-serve", "--record-trace", file("t"));
    assertThat(result.status()).isEqualTo(2);
    assertThat(file("t")).doesNotExist();
  }

  @Test
  void aNewTraceOfACloneThatWasRefusedIsNotLeftBehind() throws Exception {
    Cli result =
        Cli.run(
            "clone",
            source,
            file("h.img"),
            "--record-trace",
            file("t"),
            "--listen=unix:" + directory.resolve("none/sock"));
    assertThat(result.status()).isEqualTo(1);
    assertThat(file("t")).doesNotExist();
  }

  private Path file(String name) {
    return directory.resolve(name);
  }

  private Programs.Running start(Object... words) throws IOException {
    return Programs.start(Programs.oxbow(directory, words));
  }

  /** Reads a sector of each of these regions, one after the other. */
  private static void touch(Programs.Running clone, int... regions) throws Exception {
    try (NbdClient client = new NbdClient(clone.awaitOutput("ready "))) {
      for (int region : regions) {
        client.read((long) region * REGION, 512);
      }
    }
  }

  private static void awaitLines(Path trace, int count) throws Exception {
    long deadline = System.nanoTime() + Programs.PATIENCE_SECONDS * 1_000_000_000L;
    while (Files.readString(trace, StandardCharsets.US_ASCII).lines().count() < count) {
      assertThat(System.nanoTime()).as("%s has %s lines", trace, count).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}
