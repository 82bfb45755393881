package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.job.DeviceOpener;

/**
 * Aim: with {@code --collapse} a clone becomes its destination, and its clients notice nothing but
 * a pause. Method: processes of their own; clients that know every byte.
 */
class CloneCollapseTest {
  private static final int SIZE_BYTES = 8 << 20;
  private static final int BLOCK_BYTES = 4096;
  private static final int CLIENTS = 3;
  private static final int ROUNDS_AFTERWARDS = 100;

  private final long seed = Long.getLong("oxbow.seed", System.nanoTime());
  private final byte[] model = new byte[SIZE_BYTES];
  private Path directory;
  private Path source;
  private Path destination;

  @BeforeEach
  void makeSource(@TempDir Path temporary) throws Exception {
    directory = temporary;
    destination = directory.resolve("dest.img");
    new Random(seed).nextBytes(model);
    source = Files.write(directory.resolve("source.img"), model);
  }

  @Test
  void clientsGoOnWhileTheDestinationTakesThePlaceOfTheClone() throws Exception {
    try (Programs.Running clone =
        start("clone", "delay:2:" + source, destination, "--collapse", "--rate", "4MiB")) {
      String ready = clone.awaitOutput("ready ");
      AtomicBoolean isCollapsed = new AtomicBoolean();
      CountDownLatch begun = new CountDownLatch(CLIENTS);
      List<CompletableFuture<Void>> clients = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(client(ready, i, isCollapsed, begun));
      }
      assertThat(begun.await(Programs.PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(verb("table")).as("while they work").contains(" clone ");
      awaitCollapse(clone);
      assertThat(verb("info", "-c", "--noheadings", "-o", "events")).isNotEqualTo("0\n");
      isCollapsed.set(true);
      for (CompletableFuture<Void> each : clients) {
        each.get(Programs.PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
      assertThat(verb("table")).isEqualTo("0 16384 linear " + destination + " 0\n");
      assertThat(verb("deps")).isEqualTo("1 dependencies\t: (" + destination + ")\n");
      assertThat(openFiles(clone)).contains(destination).doesNotContain(source, metadata());
      assertThat(isFree(metadata())).isTrue();
      assertThat(isFree(destination)).as("it is in use").isFalse();
      stop(clone);
      assertThat(clone.err()).contains("the clone has become " + destination);
    }
    assertThat(Arrays.mismatch(Files.readAllBytes(destination), model))
        .as("first wrong byte; reproduce with -Doxbow.seed=" + seed)
        .isEqualTo(-1);
  }

  /** Reads and writes blocks of its own until some time after the collapse. */
  private CompletableFuture<Void> client(
      String ready, int number, AtomicBoolean isCollapsed, CountDownLatch begun) {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    Thread.ofPlatform()
        .start(
            () -> {
              try (NbdClient client = new NbdClient(ready)) {
                Random random = new Random(seed + 1 + number);
                int left = ROUNDS_AFTERWARDS;
                while (left > 0) {
                  readOrWrite(client, number, random);
                  begun.countDown();
                  left -= isCollapsed.get() ? 1 : 0;
                }
                ended.complete(null);
              } catch (Exception | AssertionError failed) {
                ended.completeExceptionally(failed);
              }
            });
    return ended;
  }

  private void readOrWrite(NbdClient client, int number, Random random) throws IOException {
    int block = random.nextInt(SIZE_BYTES / BLOCK_BYTES / CLIENTS) * CLIENTS + number;
    int begin = block * BLOCK_BYTES + random.nextInt(4) * 512;
    int length = 512 * (1 + random.nextInt(4));
    switch (random.nextInt(16)) {
      case 0 -> client.flush();
      case 1, 2, 3 -> {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        client.write(begin, bytes);
        System.arraycopy(bytes, 0, model, begin, length);
      }
      default ->
          assertThat(client.read(begin, length))
              .as("reproduce with -Doxbow.seed=" + seed)
              .isEqualTo(Arrays.copyOfRange(model, begin, begin + length));
    }
  }

  @Test
  void aFullCopyCollapsesAtOnce() throws Exception {
    assertThat(Cli.run("clone", source, destination, "--no-serve").status()).isZero();
    try (Programs.Running clone = start("clone", source, destination, "--collapse")) {
      String ready = clone.awaitOutput("ready ");
      awaitCollapse(clone);
      try (NbdClient client = new NbdClient(ready)) {
        client.write(0, new byte[BLOCK_BYTES]);
      }
      stop(clone);
    }
    Arrays.fill(model, 0, BLOCK_BYTES, (byte) 0);
    assertThat(Arrays.mismatch(Files.readAllBytes(destination), model)).isEqualTo(-1);
    assertThat(Files.readAllBytes(source)).as("nothing was written there").isNotEqualTo(model);
  }

  @Test
  void aCollapseThatCannotBeNowIsTriedAgain() throws Exception {
    assertThat(Cli.run("clone", source, destination, "--no-serve").status()).isZero();
    try (Programs.Running clone =
        start(
            "clone",
            source,
            "flakey:0,1,operations,flush:" + destination,
            "--metadata",
            metadata(),
            "--collapse",
            "--name",
            "dest.img")) {
      String ready = clone.awaitOutput("ready ");
      clone.awaitErr("oxbow: clone: collapse: ");
      assertThat(clone.err()).contains("The clone goes on as it is.");
      assertThat(verb("table")).contains(" clone ");
      try (NbdClient client = new NbdClient(ready)) {
        client.write(0, new byte[BLOCK_BYTES]);
        assertThat(client.read(0, BLOCK_BYTES)).isEqualTo(new byte[BLOCK_BYTES]);
        Cli healed = Cli.run("message", "dest.img-dest", "0", "heal", "--control", control());
        assertThat(healed.status()).as(healed.err()).isZero();
        awaitCollapse(clone);
        assertThat(client.read(0, BLOCK_BYTES)).isEqualTo(new byte[BLOCK_BYTES]);
      }
      stop(clone);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--until-hydrated", "--no-serve"})
  void whatEndsWithTheCopyDoesNotCollapse(String other) {
    Cli refused = Cli.run("clone", source, destination, "--collapse", other);
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.errLines().getFirst())
        .isEqualTo("oxbow: clone: --collapse and " + other + " exclude each other");
    assertThat(destination).doesNotExist();
  }

  private void awaitCollapse(Programs.Running clone) throws Exception {
    clone.awaitErr("the clone has become ");
    assertThat(verb("table")).contains(" linear ");
  }

  private void stop(Programs.Running clone) throws Exception {
    clone.signal("TERM");
    assertThat(clone.await()).as(clone.err()).isZero();
    assertThat(clone.err()).contains(" is a full copy");
  }

  private Path metadata() {
    return directory.resolve("dest.img.meta");
  }

  private Path control() {
    return directory.resolve("oxbow/dest.img.sock");
  }

  private String verb(String verb, Object... words) {
    List<Object> all = new ArrayList<>(List.of(verb));
    all.addAll(List.of(words));
    all.addAll(List.of("dest.img", "--control", control()));
    Cli answer = Cli.run(all.toArray());
    assertThat(answer.status()).as(answer.err()).isZero();
    return answer.out();
  }

  /** What a process has open, as far as it is still there. */
  private static List<Path> openFiles(Programs.Running running) throws IOException {
    List<Path> open = new ArrayList<>();
    try (Stream<Path> descriptors =
        Files.list(Path.of("/proc", Long.toString(running.process().pid()), "fd"))) {
      for (Path each : descriptors.toList()) {
        if (Files.exists(each)) {
          open.add(Files.readSymbolicLink(each));
        }
      }
    }
    return open;
  }

  private static boolean isFree(Path path) throws Exception {
    try (DeviceOpener other = new DeviceOpener(_ -> {})) {
      other.openWritable(DeviceOpener.parse("test", path.toString())).close();
      return true;
    } catch (IOException inUse) {
      assertThat(inUse).hasMessageContaining("in use by another process");
      return false;
    }
  }

  private Programs.Running start(Object... words) throws Exception {
    return Programs.start(Programs.oxbow(directory, words));
  }
}
