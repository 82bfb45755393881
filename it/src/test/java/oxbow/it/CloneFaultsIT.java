package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.format.pdata.BlockKind;

/**
 * Aim: a source that is killed, stopped or replaced under a running clone is named, and costs
 * nobody wrong data. Method: the real program over a real nbdkit, which gets real signals; foreign
 * clients verify what they read.
 */
class CloneFaultsIT {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 16 * MIB;
  private static final int CLIENTS = 3;

  @TempDir Path directory;

  private Path source = Path.of("");
  private Path model = Path.of("");
  private Path socket = Path.of("");
  private final List<Server> servers = new ArrayList<>();
  private TestClone clone = new TestClone(Path.of(""), "");

  @BeforeEach
  void serve() throws IOException {
    source = Images.random(directory.resolve("source.img"), 0, SIZE, 5);
    qemuIo("write -P 0x21 4M 1M", source).ok();
    model = Files.copy(source, directory.resolve("model.img"));
    socket = directory.resolve("source.sock");
    Server nbdkit = serve(source);
    clone = new TestClone(directory, nbdkit.uri());
  }

  private Server serve(Path image) throws IOException {
    // What a killed server leaves behind.
    Files.deleteIfExists(socket);
    Files.deleteIfExists(Path.of(socket + ".pid"));
    Server nbdkit = Server.nbdkit(socket, "-r", "file", image);
    servers.add(nbdkit);
    return nbdkit;
  }

  @AfterEach
  void end() {
    for (Server each : servers) {
      if (each.handle().isAlive()) {
        signal(each, "CONT");
      }
      each.close();
    }
    clone.close();
  }

  private static void signal(Server server, String name) {
    Proc.of("kill", "-" + name, server.handle().pid()).run().ok();
  }

  private static Proc.Result qemuIo(String command, Object image) {
    Path qemuIo = Tool.require("qemu-io", "qemu-utils");
    return Proc.of(qemuIo, "-f", "raw", "-c", command, "-c", "flush", image).run();
  }

  private CompletableFuture<Proc.Result> start(String command) {
    String uri = clone.uri();
    // A thread for each: the common pool of a small machine would run one after the other.
    return CompletableFuture.supplyAsync(
        () -> qemuIo(command, uri), task -> Thread.ofPlatform().daemon().start(task));
  }

  private static void assertSucceeds(CompletableFuture<Proc.Result> client) throws Exception {
    Proc.Result result = client.get(90, TimeUnit.SECONDS).ok();
    assertThat(result.out()).doesNotContainIgnoringCase("fail");
  }

  private static void assertFails(Proc.Result result) {
    assertThat(result.toString()).contains("Input/output error");
  }

  /** The source as {@code status --json} has it. */
  private JsonNode sourceHealth() {
    for (JsonNode device : clone.status().path("devices")) {
      if (device.path("role").asText().equals("source")) {
        return device;
      }
    }
    throw new AssertionError("no source in the status");
  }

  private JsonNode awaitSource(Predicate<JsonNode> wanted) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      JsonNode health = sourceHealth();
      if (wanted.test(health)) {
        return health;
      }
      assertThat(System.nanoTime()).as("too late: %s", health).isLessThan(deadline);
    }
  }

  /** Events of devices come with the next tick of a second. */
  private void awaitEvent(String what) {
    Pattern event = Pattern.compile("event [0-9]+: " + what);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    String told = clone.server().standardError();
    while (!event.matcher(told).find()) {
      assertThat(System.nanoTime()).as("too late: %s", told).isLessThan(deadline);
      Thread.onSpinWait();
      told = clone.server().standardError();
    }
  }

  private void awaitClients(int count) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      String info = clone.verb("info", clone.name(), "--json");
      if (new ObjectMapper().readTree(info).path("openCount").asInt() >= count) {
        return;
      }
      assertThat(System.nanoTime()).as("too late: %s", info).isLessThan(deadline);
    }
  }

  private JsonNode awaitSource(String state) {
    return awaitSource(health -> health.path("state").asText().equals(state));
  }

  @Test
  void aServerThatIsStoppedIsNamedAndReadsWaitUntilItGoesOn() throws Exception {
    clone.start("--no-hydration", "--source-timeout", "1s");
    String well = clone.verb("status", clone.name());
    assertThat(well).endsWith(" rw\n");

    signal(servers.getFirst(), "STOP");
    CompletableFuture<Proc.Result> read = start("read -P 0x21 4M 1M");
    JsonNode away = awaitSource("away");

    assertThat(away.path("why").asText()).containsAnyOf("no answer for ", "no NBD handshake");
    assertThat(away.path("held").asLong()).isPositive();
    assertThat(clone.verb("status", clone.name()))
        .startsWith(well.stripTrailing())
        .containsPattern(" rw source_away [0-9]+s held [0-9]+\n$");
    assertThat(read).isNotDone();
    awaitEvent("source nbd.* away for [0-9]+ s");

    signal(servers.getFirst(), "CONT");
    assertSucceeds(read);
    awaitSource("good");
    assertThat(clone.verb("status", clone.name())).isEqualTo(well);
    awaitEvent("source nbd.* is back");
    finish();
  }

  @Test
  void threeClientsAndHydrationGoOnWhenTheServerComesBack() throws Exception {
    clone.start("--rate", "1MiB");
    servers.getFirst().kill();
    awaitSource("away");
    List<CompletableFuture<Proc.Result>> clients = new ArrayList<>();
    clients.add(start("read -P 0x21 4M 1M"));
    clients.add(start("write -P 0x41 8000001 77777"));
    clients.add(start("write -P 0x42 12000001 300000"));
    awaitClients(CLIENTS);
    awaitSource(health -> health.path("held").asLong() > 0);
    assertThat(clients).noneMatch(CompletableFuture::isDone);

    serve(source);

    for (CompletableFuture<Proc.Result> client : clients) {
      assertSucceeds(client);
    }
    qemuIo("write -P 0x41 8000001 77777", model).ok();
    qemuIo("write -P 0x42 12000001 300000", model).ok();
    Path copy = directory.resolve("copy.img");
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), clone.uri(), copy).run().ok();
    Images.assertSameContent(copy, model);
    finish();
  }

  @Test
  void aLimitChangedWhileRunningReleasesWhatIsHeld() throws Exception {
    clone.start("--no-hydration");
    qemuIo("write -P 0x31 1M 8k", clone.uri()).ok();
    qemuIo("write -P 0x31 1M 8k", model).ok();
    servers.getFirst().kill();
    CompletableFuture<Proc.Result> read = start("read -P 0x21 4M 1M");
    awaitSource(
        health -> health.path("state").asText().equals("away") && health.path("held").asLong() > 0);

    clone.verb("message", clone.name(), 0, "source_hold", "fail");

    assertFails(read.get(90, TimeUnit.SECONDS));
    assertThat(awaitSource("failing").path("holdSeconds").asLong(-1)).isZero();
    assertThat(clone.verb("status", clone.name())).containsPattern(" rw source_failing [0-9]+s\n$");
    assertFails(qemuIo("write -P 0x32 2097153 5", clone.uri()));
    qemuIo("read -P 0x31 1M 8k", clone.uri()).ok();

    clone.verb("message", clone.name(), 0, "source_hold", "forever");
    read = start("read -P 0x21 4M 1M");
    serve(source);
    assertSucceeds(read);
    finish();
  }

  @Test
  void withoutAHoldRequestsFailAndHydrationGoesOnByItself() throws Exception {
    clone.start("--rate", "512KiB", "--source-hold", "fail");
    servers.getFirst().kill();
    awaitSource("failing");
    assertFails(qemuIo("read -P 0x21 0 16M", clone.uri()));

    serve(source);

    awaitSource("good");
    qemuIo("read -P 0x21 4M 1M", clone.uri()).ok();
    finish();
  }

  @Test
  void aServerThatComesBackSmallerIsRefusedClearly() throws Exception {
    clone.start("--no-hydration");
    qemuIo("write -P 0x31 1M 8k", clone.uri()).ok();
    servers.getFirst().kill();
    CompletableFuture<Proc.Result> read = start("read -P 0x21 4M 1M");
    serve(Images.random(directory.resolve("other.img"), 0, MIB, 9));

    JsonNode gone = awaitSource("gone");

    assertThat(gone.path("why").asText())
        .isEqualTo("the export has shrunk from 16777216 to 1048576 bytes");
    assertFails(read.get(90, TimeUnit.SECONDS));
    qemuIo("read -P 0x31 1M 8k", clone.uri()).ok();
    assertThat(clone.status().path("mode").asText()).isEqualTo("rw");
    clone.stop();
  }

  @Test
  void stoppingDoesNotWaitForAServerThatIsGone() throws Exception {
    clone.start("--no-hydration");
    qemuIo("write -P 0x31 1M 8k", clone.uri()).ok();
    servers.getFirst().kill();
    CompletableFuture<Proc.Result> read = start("read -P 0x21 4M 1M");
    awaitSource(health -> health.path("held").asLong() > 0);

    clone.stop();

    assertThat(read.get(90, TimeUnit.SECONDS).status()).isNotZero();
  }

  @Test
  void aFlippedBitInAnyKindOfMetadataBlockIsRefusedInOneLine() throws Exception {
    clone.start("--no-hydration");
    clone.stop();
    byte[] metadata = Files.readAllBytes(clone.metadata());
    List<String> kinds = new ArrayList<>();
    for (int nr = 0; nr < 32; nr++) {
      int at = nr * BlockKind.SIZE_BYTES;
      String kind =
          nr == 0 ? "superblock" : BlockKind.of(metadata, at, nr).map(Enum::name).orElse("");
      if (kind.isEmpty()) {
        continue;
      }
      kinds.add(kind);
      flipBit(at + 40);
      String damaged = Images.sha256(clone.metadata());
      Proc.Result refused =
          Proc.of(Tool.own("oxbow"), clone.words("--no-serve").toArray()).run().status(1);
      assertThat(refused.err().lines().findFirst())
          .get()
          .asString()
          .startsWith("oxbow: clone: ")
          .contains(clone.metadata().toString())
          .containsIgnoringCase("check");
      assertThat(refused.err().lines().count()).isLessThanOrEqualTo(2);
      assertThat(Images.sha256(clone.metadata())).as("nothing is changed").isEqualTo(damaged);
      flipBit(at + 40);
    }
    assertThat(kinds)
        .contains("superblock", "BTREE_NODE", "ARRAY_BLOCK", "SPACE_MAP_INDEX", "SPACE_MAP_BITMAP");
    finishOffline();
  }

  private void flipBit(long offsetBytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(clone.metadata().toFile(), "rw")) {
      file.seek(offsetBytes);
      int old = file.read();
      file.seek(offsetBytes);
      file.write(old ^ 4);
    }
  }

  /** Stops in order, goes on to the end, and looks at DEST alone. */
  private void finish() {
    clone.stop();
    finishOffline();
  }

  private void finishOffline() {
    clone.finish();
    Images.assertSameContent(clone.destination(), model);
  }
}
