package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.nbd.NbdDevice;
import oxbow.device.nbd.NbdOptions;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.nbd.client.NbdAddress;

/**
 * Aim (O1): a region whose copy is in flight is discarded, then written; the write stays. The
 * kernel loses it, for the copy lands on top. Method: the same sequence, over a source that takes
 * seconds to read, against a real kernel and against us.
 */
@DisplayName("O1: a discard while a copy is in flight costs no write after it")
class DiscardRaceIT {
  private static final int SIZE_BYTES = 1 << 20;
  private static final int REGION_BYTES = 4096;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  @TempDir Path directory;

  @Test
  void theKernelLosesTheWrite() throws IOException {
    Path destination = Images.sparse(directory.resolve("dest.img"), SIZE_BYTES);
    Path metadata = Images.sparse(directory.resolve("meta.img"), 4 << 20);
    List<Oracle.Disk> disks =
        List.of(
            new Oracle.Disk("src", source(), true),
            Oracle.Disk.of("dst", destination),
            Oracle.Disk.of("meta", metadata));
    Path demo = Tool.own("it/oracle/demos/clone-discard-race.sh");

    String out = Oracle.run(disks, Files.readString(demo)).ok().out();

    assertThat(out.lines())
        .as("what the kernel said; a later one may have been mended")
        .containsExactly("right after the write: WWWW", "after the copy has landed: SSSS");
  }

  @Test
  void weDoNot() throws IOException {
    try (Server slow =
            Server.nbdkit(
                directory.resolve("source.sock"),
                "-r",
                "--filter=delay",
                "file",
                source(),
                "rdelay=4");
        TestClone clone = new TestClone(directory, slow.uri())) {
      clone.start("--no-hydration", "--hydration-threshold", 1, "--hydration-batch-size", 1);
      clone.verb("message", clone.name(), 0, "enable_hydration");
      awaitHydrating(clone, 1);
      clone.verb("message", clone.name(), 0, "disable_hydration");
      byte[] written = region('W');
      try (WorkerDiskPool disks = new WorkerDiskPool(1);
          Engine engine = new Engine(1, disks);
          NbdDevice device = connect(clone, engine)) {
        CompletableFuture<Integer> discarded = discard(device);
        assertThat(clone.status().path("hydratingRegions").asInt()).isEqualTo(1);
        assertThat(discarded).as("the discard waits for the copy").isNotDone();
        assertThat(Requests.await(discarded)).isEqualTo(Errno.OK);
        Requests.write(device, 0, written);
        assertThat(Requests.read(device, 0, REGION_BYTES)).isEqualTo(written);

        awaitHydrating(clone, 0);
        assertThat(Requests.read(device, 0, REGION_BYTES)).isEqualTo(written);
        assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
      }
      clone.kill();
      assertThat(Arrays.copyOf(Files.readAllBytes(clone.destination()), REGION_BYTES))
          .isEqualTo(written);
      JsonNode ranges = Oracle.checkCloneMetadata(clone.metadata()).path("hydrated_ranges");
      assertThat(ranges.path(0).path(0).asLong(-1)).as("%s", ranges).isZero();
    }
  }

  private static void awaitHydrating(TestClone clone, int regions) {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (clone.status().path("hydratingRegions").asInt(-1) != regions) {
      assertThat(System.nanoTime()).as("regions in hydration: %d", regions).isLessThan(deadline);
    }
  }

  private static NbdDevice connect(TestClone clone, Engine engine) throws IOException {
    NbdAddress address = NbdAddress.unix(clone.socket().toString(), clone.name());
    return NbdDevice.open(address, engine, NbdOptions.defaults());
  }

  private static CompletableFuture<Integer> discard(NbdDevice device) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .range(
                Operation.DISCARD, 0, REGION_BYTES, 0, (request, errno) -> done.complete(errno)));
    return done;
  }

  private Path source() throws IOException {
    return Files.write(
        directory.resolve("source.img"),
        "S".repeat(SIZE_BYTES).getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] region(char letter) {
    return String.valueOf(letter).repeat(REGION_BYTES).getBytes(StandardCharsets.US_ASCII);
  }
}
