package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.console.Json;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.nbd.server.Export;
import oxbow.nbd.server.NbdServer;
import oxbow.nbd.server.ServerOptions;

/**
 * Aim: a clone can be started, used, stopped in any way and gone on with. Method: processes of
 * their own, which get real signals; {@code verify} says whether the copy is right.
 */
class CloneProcessTest {
  private static final int SIZE_BYTES = 32 << 20;

  private Path directory = Path.of("");
  private Path source = Path.of("");
  private Path destination = Path.of("");

  @BeforeEach
  void makeSource(@TempDir Path temporary) throws Exception {
    directory = temporary;
    source = directory.resolve("source.img");
    destination = directory.resolve("dest.img");
    byte[] data = new byte[SIZE_BYTES / 2];
    new Random(11).nextBytes(data);
    try (RandomAccessFile file = new RandomAccessFile(source.toFile(), "rw")) {
      file.setLength(SIZE_BYTES);
      file.write(data, 0, data.length / 2);
      file.seek(SIZE_BYTES - data.length / 2);
      file.write(data, data.length / 2, data.length / 2);
    }
  }

  @Test
  void standardOutputHasTheReadyLineAndNothingElse() throws Exception {
    Path socket = directory.resolve("oxbow/dest.img.nbd");
    try (Programs.Running clone = start("clone", source, destination, "--until-hydrated")) {
      assertThat(clone.awaitOutput("ready "))
          .isEqualTo("ready nbd+unix:///dest.img?socket=" + socket);
      assertThat(clone.await()).as(clone.err()).isZero();
      assertThat(clone.process().inputReader().readLine()).isNull();
      assertThat(clone.err()).contains("dest.img is a full copy");
    }
    assertThat(socket).doesNotExist();
    assertThat(directory.resolve("oxbow/dest.img.sock")).doesNotExist();
    assertSame(source, destination);
  }

  @Test
  void theCopyIsAsSparseAsItsSource() throws Exception {
    assertThat(Cli.run("clone", source, destination, "--no-serve").status()).isZero();
    long sourceBlocks = blocks(source);
    assertThat(blocks(destination)).isLessThan(sourceBlocks + sourceBlocks / 10);
  }

  @Test
  @DisplayName("Z4: an orderly end is a suspend: all is committed, and the same command goes on")
  void sigtermEndsInOrderAndTheSameCommandGoesOn() throws Exception {
    Object[] words = {"clone", source, destination, "--rate", "4MiB"};
    try (Programs.Running clone = start(words)) {
      clone.awaitOutput("ready ");
      awaitHydrated("dest.img", 1);
      clone.signal("TERM");
      assertThat(clone.await()).as(clone.err()).isZero();
      assertThat(clone.err()).contains("the same command goes on from here");
    }
    try (Programs.Running clone = start("clone", source, destination, "--until-hydrated")) {
      assertThat(clone.await()).as(clone.err()).isZero();
      assertThat(clone.err()).containsPattern("resuming: [0-9]+ % of 32 MiB hydrated");
    }
    assertSame(source, destination);
  }

  @Test
  void sigintIsTheSame() throws Exception {
    try (Programs.Running clone = start("clone", source, destination, "--no-hydration")) {
      clone.awaitOutput("ready ");
      clone.signal("INT");
      assertThat(clone.await()).as(clone.err()).isZero();
      assertThat(clone.err()).contains("stopped: 0 % hydrated");
    }
  }

  @Test
  void aSecondSignalEndsItAtOnce() throws Exception {
    Path socket = directory.resolve("source.sock");
    try (WorkerDiskPool disks = new WorkerDiskPool(1);
        Engine engine = new Engine(1, disks);
        NbdServer server = new NbdServer(engine, ServerOptions.DEFAULT);
        SilentDevice silent = new SilentDevice()) {
      server.add(Export.of("disk", silent));
      server.listen(UnixDomainSocketAddress.of(socket));
      try (Programs.Running clone =
          start("clone", "nbd+unix:///disk?socket=" + socket, destination)) {
        clone.awaitOutput("ready ");
        silent.awaitRead();
        clone.signal("TERM");
        assertThat(clone.process().waitFor(500, TimeUnit.MILLISECONDS)).isFalse();
        clone.signal("TERM");
        assertThat(clone.await()).isEqualTo(128 + 15);
      }
      silent.answer();
    }
  }

  @Test
  void afterSigkillTheSameCommandGoesOnAtAnyMoment() throws Exception {
    long seed = Long.getLong("oxbow.seed", 5);
    Random random = new Random(seed);
    for (int round = 0; round < 8; round++) {
      try (Programs.Running clone = start("clone", source, destination, "--rate", "16MiB")) {
        // Anywhere from before the first file exists to the midst of hydration.
        clone.process().waitFor(random.nextInt(1200), TimeUnit.MILLISECONDS);
        clone.signal("KILL");
        clone.await();
        assertThat(clone.err()).as("reproduce with -Doxbow.seed=" + seed).doesNotContain("oxbow: ");
      }
    }
    try (Programs.Running clone = start("clone", source, destination, "--until-hydrated")) {
      assertThat(clone.await()).as(clone.err()).isZero();
    }
    assertSame(source, destination);
  }

  @Test
  void whatACrashLeavesOfTheCreationIsABeginning() throws Exception {
    Files.createFile(destination);
    assertThat(Cli.run("clone", source, destination, "--no-serve").status()).isZero();
    Path second = directory.resolve("second.img");
    try (RandomAccessFile file = new RandomAccessFile(second.toFile(), "rw")) {
      file.setLength(SIZE_BYTES);
    }
    Files.createFile(directory.resolve("second.img.meta"));
    assertThat(Cli.run("clone", source, second, "--no-serve").status()).isZero();
    assertSame(source, second);
  }

  @Test
  void withJsonEveryLineOfOutputIsAnObject() throws Exception {
    try (Programs.Running clone =
        start("clone", source, destination, "--until-hydrated", "--json")) {
      assertThat(clone.await()).as(clone.err()).isZero();
      List<String> lines = clone.process().inputReader().lines().toList();
      assertThat(lines).hasSizeGreaterThanOrEqualTo(3);
      for (String line : lines) {
        assertThat(Json.object(line)).containsKey("event");
      }
      assertThat(Json.object(lines.getFirst())).containsEntry("event", "ready").containsKey("uri");
      assertThat(Json.object(lines.getLast()))
          .containsEntry("event", "stopped")
          .containsEntry("done", true);
    }
  }

  @Test
  void theVerbsFindTheDeviceByItsName() throws Exception {
    try (Programs.Running clone =
        start("clone", source, destination, "--name", "c", "--no-hydration")) {
      String uri = clone.awaitOutput("ready ").substring("ready ".length());
      assertThat(verb("ls")).isEqualTo("c\t(" + uri + ")\n");
      assertThat(verb("table", "c"))
          .isEqualTo(
              "0 65536 clone "
                  + destination
                  + ".meta "
                  + destination
                  + " "
                  + source
                  + " 8 1 no_hydration\n");
      assertThat(verb("status", "c"))
          .matches(
              "0 65536 clone 8 [0-9]+/256 8 0/8192 0 1 no_hydration"
                  + " 4 hydration_threshold [0-9]+ hydration_batch_size [0-9]+ rw\n");
      assertThat(verb("deps", "c"))
          .isEqualTo(
              "3 dependencies\t: ("
                  + source
                  + ") ("
                  + destination
                  + ") ("
                  + destination
                  + ".meta)\n");
      assertThat(verb("message", "c", "0", "enable_hydration")).isEmpty();
      assertThat(verb("wait", "c", "0")).isEmpty();
      assertThat(verb("info", "-c", "--noheadings", "-o", "events", "c")).isEqualTo("1\n");
      Map<String, ?> status = Json.object(verb("status", "c", "--json"));
      assertThat(status.toString()).contains("hydratedRegions=8192", "mode=rw", "done=true");
      clone.signal("TERM");
      assertThat(clone.await()).as(clone.err()).isZero();
      assertThat(clone.err()).contains("is a full copy now; it is served until stopped");
    }
    assertThat(verb("ls")).isEqualTo("No devices found\n");
  }

  @Test
  void theLayersBelowADeviceAreFoundByTheirNamesToo() throws Exception {
    String layered = "flakey:1,0:" + source;
    try (Programs.Running clone =
        start("clone", layered, destination, "--name", "c", "--no-hydration")) {
      clone.awaitOutput("ready ");
      assertThat(verb("table", "c-source")).startsWith("0 65536 flakey ");
      assertThat(verb("message", "c-source", "0", "fail")).isEmpty();
      assertThat(verb("status")).contains("c: 0 65536 clone ").contains("c-source: 0 65536 flakey");
      clone.signal("TERM");
      assertThat(clone.await()).as(clone.err()).isZero();
    }
  }

  @Test
  void aDeadSocketIsPassedOver() throws Exception {
    try (Programs.Running clone =
        start("clone", source, destination, "--name", "c", "--no-hydration")) {
      clone.awaitOutput("ready ");
      clone.signal("KILL");
      clone.await();
    }
    assertThat(directory.resolve("oxbow/c.sock")).exists();
    assertThat(verb("ls")).isEqualTo("No devices found\n");
    try (Programs.Running clone = start("clone", source, destination, "--name", "c")) {
      clone.awaitOutput("ready ");
      assertThat(verb("ls")).startsWith("c\t");
    }
  }

  @Test
  void twoImagesOfOneNameGetTwoNames() throws Exception {
    Path other = Files.createDirectory(directory.resolve("sub")).resolve("dest.img");
    try (Programs.Running one = start("clone", source, destination);
        Programs.Running two = startAfter(one, "clone", source, other)) {
      two.awaitOutput("ready nbd+unix:///dest.img-2?");
    }
  }

  @Test
  @DisplayName("O9: a job that cannot be finished says why and fails")
  void aSourceThatFailsEndsTheJobWithAReason() throws Exception {
    Cli failed = Cli.run("clone", "error:1MiB", destination, "--no-serve");
    assertThat(failed.status()).isEqualTo(1);
    assertThat(failed.err())
        .contains("oxbow: clone: not fully hydrated: ")
        .contains("Input/output error")
        .contains("The same command goes on");
  }

  @Test
  @DisplayName("O12: the end of an image that is no whole sector is left out, and that is said")
  void anOddEndIsNamed() throws Exception {
    Path odd = Files.write(directory.resolve("odd.img"), new byte[1000]);
    Cli cloned = Cli.run("clone", odd, destination, "--no-serve");
    assertThat(cloned.status()).isZero();
    assertThat(cloned.err()).contains("the last 488 bytes are no whole sector");
    assertThat(destination).hasSize(512);
  }

  @Test
  @DisplayName("O12: on request it is filled up with zeros instead")
  void anOddEndIsPadded() throws Exception {
    byte[] contents = new byte[1000];
    Arrays.fill(contents, (byte) 7);
    Path odd = Files.write(directory.resolve("odd.img"), contents);
    Cli cloned = Cli.run("clone", odd, destination, "--no-serve", "--pad");
    assertThat(cloned.status()).as(cloned.err()).isZero();
    assertThat(Files.readAllBytes(destination)).isEqualTo(Arrays.copyOf(contents, 1024));
  }

  private Programs.Running start(Object... words) throws Exception {
    return Programs.start(Programs.oxbow(directory, words));
  }

  private Programs.Running startAfter(Programs.Running other, Object... words) throws Exception {
    other.awaitOutput("ready nbd+unix:///dest.img?");
    return start(words);
  }

  private String verb(Object... words) throws Exception {
    try (Programs.Running run = start(words)) {
      String out = String.join("\n", run.process().inputReader().lines().toList());
      assertThat(run.await()).as(run.err()).isZero();
      return out.isEmpty() ? out : out + "\n";
    }
  }

  private void awaitHydrated(String name, long regions) throws Exception {
    Path control = directory.resolve("oxbow/" + name + ".sock");
    Pattern field = Pattern.compile("\"hydratedRegions\":([0-9]+)");
    for (long hydrated = 0; hydrated < regions; ) {
      Matcher status = field.matcher(Cli.run("status", name, "--json", "--control", control).out());
      hydrated = status.find() ? Long.parseLong(status.group(1)) : 0;
    }
  }

  private static void assertSame(Path a, Path b) {
    Cli verified = Cli.run("verify", a, b);
    assertThat(verified.status()).as(verified.out() + verified.err()).isZero();
  }

  private static long blocks(Path path) throws Exception {
    Process du = new ProcessBuilder("du", "-k", path.toString()).redirectErrorStream(true).start();
    String size = du.inputReader().readLine();
    return Long.parseLong(size.substring(0, size.indexOf('\t')));
  }
}
