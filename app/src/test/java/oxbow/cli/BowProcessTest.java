package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.console.Json;

/**
 * Aim: a device is served, checkpointed, and committed or put back, by commands alone, and whatever
 * happens is told. Method: processes of their own, which get real signals, and a client over NBD
 * that knows what it wrote.
 */
class BowProcessTest {
  private static final int SIZE_BYTES = 4 << 20;

  /** What lies behind is free in all tests that have a list. */
  private static final int USED_BYTES = 2 << 20;

  private Path directory = Path.of("");
  private Path disk = Path.of("");
  private Path list = Path.of("");
  private byte[] before = {};

  @BeforeEach
  void makeDisk(@TempDir Path temporary) throws Exception {
    directory = temporary;
    disk = directory.resolve("disk.img");
    list = Files.writeString(directory.resolve("free.txt"), USED_BYTES + " 2MiB\n");
    before = pattern(13, SIZE_BYTES);
    Files.write(disk, before);
  }

  @Test
  void aCheckpointIsPutBackAfterAKill() throws Exception {
    byte[] atCheckpoint = written(before, 5001, pattern(1, 3));
    try (Programs.Running bow = start("bow", disk, "--free-list", list)) {
      String ready = bow.awaitOutput("ready ");
      assertThat(ready)
          .isEqualTo("ready nbd+unix:///disk.img?socket=" + directory + "/oxbow/disk.img.nbd");
      assertThat(bow.err())
          .contains("learnt: 2 MiB are free; 2 MiB by " + list)
          .contains("is lost if this ends before: oxbow bow checkpoint disk.img");
      assertThat(verb("status", "disk.img")).isEqualTo("0 8192 bow trim 2097152 0 0 0 0 2097152\n");
      assertThat(verb("table", "disk.img")).isEqualTo("0 8192 bow " + disk + "\n");
      assertThat(verb("deps", "disk.img")).isEqualTo("1 dependencies\t: (" + disk + ")\n");
      assertThat(verb("bow", "state", "disk.img")).isEqualTo("0 trim\n");
      try (NbdClient client = new NbdClient(ready)) {
        client.write(5001, pattern(1, 3));
        assertThat(verb("bow", "checkpoint", "disk.img"))
            .isEqualTo("disk.img: checkpoint; there is room for copies of 2.0 MiB\n");
        assertThat(verb("bow", "state", "disk.img")).isEqualTo("1 checkpoint\n");
        byte[] expected = atCheckpoint;
        Random random = new Random(2);
        for (int i = 0; i < 60; i++) {
          byte[] ours = pattern(i, i % 3 == 0 ? 1 : 1 + random.nextInt(20_000));
          int at = random.nextInt(USED_BYTES - ours.length);
          client.write(at, ours);
          expected = written(expected, at, ours);
        }
        client.write(0, pattern(99, 5000));
        expected = written(expected, 0, pattern(99, 5000));
        client.flush();
        assertThat(used(client.read(0, SIZE_BYTES))).isEqualTo(used(expected));
      }
      assertThat(verb("info", "disk.img")).contains("Event number:      1\n");
      bow.signal("KILL");
      bow.await();
    }
    Cli served = Cli.run("bow", disk);
    assertThat(served.status()).isEqualTo(1);
    assertThat(served.errLines().getFirst())
        .startsWith("oxbow: bow: Error opening device: " + disk + ": holds a checkpoint")
        .contains("oxbow bow restore " + disk)
        .contains("oxbow bow commit --offline " + disk);
    Cli restored = Cli.run("bow", "restore", disk);
    assertThat(restored.status()).as(restored.err()).isZero();
    assertThat(used(Files.readAllBytes(disk))).isEqualTo(used(atCheckpoint));
  }

  @Test
  void aCheckpointIsCommittedWhileItIsServed() throws Exception {
    byte[] ours = pattern(3, 200_000);
    try (Programs.Running bow = start("bow", disk, "--free-list", list, "--block-size", 512)) {
      try (NbdClient client = new NbdClient(bow.awaitOutput("ready "))) {
        verb("bow", "checkpoint", "disk.img");
        client.write(100, ours);
        assertThat(verb("table", "disk.img"))
            .isEqualTo("0 8192 bow " + disk + " 1 block_size:512\n");
        assertThat(verb("bow", "commit", "disk.img"))
            .isEqualTo("disk.img: committed: everything written since the checkpoint is kept\n");
        assertThat(verb("bow", "state", "disk.img")).isEqualTo("2 committed\n");
        client.write(USED_BYTES - 10, pattern(4, 10));
      }
      stop(bow);
      assertThat(bow.err())
          .contains("event 1: checkpoint\n")
          .contains("event 2: committed\n")
          .contains("stopped: the checkpoint is committed; " + disk + " holds everything");
    }
    byte[] expected = written(written(before, 100, ours), USED_BYTES - 10, pattern(4, 10));
    assertThat(used(Files.readAllBytes(disk))).isEqualTo(used(expected));
    assertThat(Cli.run("bow", "restore", disk).out()).contains("nothing to do");
  }

  @Test
  @DisplayName("O33: an end before the checkpoint forgets what was learnt, and says so")
  void anEndBeforeTheCheckpoint() throws Exception {
    try (Programs.Running bow = start("bow", disk, "--free-list", list, "--name", "d")) {
      bow.awaitOutput("ready nbd+unix:///d?");
      stop(bow);
      assertThat(bow.err())
          .contains("stopped: no checkpoint was made; ")
          .contains("what was learnt of free space (2 MiB) is forgotten");
    }
    assertThat(Files.readAllBytes(disk)).isEqualTo(before);
  }

  @Test
  void anEndAfterTheCheckpointLeavesItAndNamesBothWaysOut() throws Exception {
    try (Programs.Running bow = start("bow", disk, "--free-list", list, "--json")) {
      String uri = String.valueOf(Json.object(bow.awaitOutput("{\"event\":\"learnt\"")).get("uri"));
      assertThat(uri).isEqualTo("null");
      uri = String.valueOf(Json.object(bow.awaitOutput("{\"event\":\"ready\"")).get("uri"));
      try (NbdClient client = new NbdClient("ready " + uri)) {
        Map<String, @Nullable Object> made =
            Json.object(verb("bow", "checkpoint", "disk.img", "--json"));
        assertThat(made)
            .containsEntry("state", "checkpoint")
            .containsEntry("stateNumber", 1L)
            .containsEntry("gainedBytes", 2L << 20)
            .containsEntry("freeBytes", (2L << 20) - 3 * 4096)
            .containsEntry("logEntries", 1L)
            .containsEntry("whenFull", "fail")
            .containsEntry("failed", false)
            .containsEntry("reason", null);
        client.write(4096, pattern(5, 8192));
      }
      assertThat(Json.object(bow.awaitOutput("{\"event\":\"event\"")))
          .containsEntry("why", "checkpoint");
      stop(bow);
      assertThat(Json.object(bow.awaitOutput("{\"event\":\"stopped\"")))
          .containsEntry("state", "checkpoint")
          .containsEntry("logEntries", 2L);
      assertThat(bow.err())
          .contains("stopped: " + disk + " holds a checkpoint (12 KiB saved): put it back with: ")
          .contains("oxbow bow restore " + disk)
          .contains("oxbow bow commit --offline " + disk);
    }
    assertThat(Cli.run("bow", "commit", "--offline", disk).status()).isZero();
    assertThat(used(Files.readAllBytes(disk)))
        .isEqualTo(used(written(before, 4096, pattern(5, 8192))));
  }

  @Test
  void aTransitionThatCannotBeginOrFailsIsToldByTheCommandThatAskedForIt() throws Exception {
    String layered = "flakey:1,0,error_writes:" + disk;
    try (Programs.Running bow = start("bow", layered, "--name", "d")) {
      bow.awaitOutput("ready ");
      assertThat(refused("bow", "checkpoint", "d"))
          .startsWith("oxbow: bow checkpoint d: no checkpoint can begin: no space: 0 blocks are");
      assertThat(refused("bow", "commit", "d"))
          .startsWith("oxbow: bow commit d: nothing can be committed: it is in state trim");
      verb("message", "d", 0, "free", 4096, 4096);
      verb("message", "d-device", 0, "fail");
      assertThat(refused("bow", "checkpoint", "d"))
          .isEqualTo("oxbow: bow checkpoint d: checkpoint failed: Input/output error\n");
      assertThat(verb("bow", "state", "d"))
          .isEqualTo("0 trim (checkpoint failed: Input/output error)\n");
      verb("message", "d-device", 0, "heal");
      verb("bow", "checkpoint", "d");
      assertThat(refused("bow", "checkpoint", "d"))
          .contains("no checkpoint can begin: it is in state checkpoint");
      assertThat(refused("bow", "state", "d-device"))
          .isEqualTo(
              "oxbow: bow state d-device: the device is no bow device: its target is flakey\n");
      stop(bow);
    }
  }

  @Test
  void aLogThatCannotBeWrittenIsAFailureAtTheEnd() throws Exception {
    String layered = "flakey:1,0,operations,write,range,0,8:" + disk;
    try (Programs.Running bow = start("bow", layered, "--name", "d", "--free-list", list)) {
      try (NbdClient client = new NbdClient(bow.awaitOutput("ready "))) {
        verb("bow", "checkpoint", "d");
        client.write(8192, pattern(6, 4096));
        client.flush();
        // Copies are still written, and block 0 is not.
        verb("message", "d-device", 0, "fail");
        assertThatThrownBy(() -> client.write(40960, pattern(7, 4096)))
            .isInstanceOf(IOException.class);
        assertThatThrownBy(client::flush).isInstanceOf(IOException.class);
        verb("message", "d-device", 0, "heal");
      }
      bow.signal("TERM");
      assertThat(bow.await()).as(bow.err()).isEqualTo(1);
      assertThat(bow.err())
          .contains("oxbow: bow: the log could not be written: Input/output error")
          .contains(layered + " holds a checkpoint: put it back with: oxbow bow restore");
    }
    assertThat(Cli.run("bow", "restore", disk).status()).isZero();
    assertThat(used(Files.readAllBytes(disk))).isEqualTo(used(before));
  }

  @Test
  void aFullDeviceFailsWritesAndKeepsTheCheckpoint() throws Exception {
    Files.writeString(list, "3MiB 64KiB\n");
    try (Programs.Running bow =
        start("bow", disk, "--free-list", list, "--warn-at", 50, "--json")) {
      bow.awaitOutput("{\"event\":\"learnt\"");
      String uri = String.valueOf(Json.object(bow.awaitOutput("{")).get("uri"));
      try (NbdClient client = new NbdClient("ready " + uri)) {
        verb("bow", "checkpoint", "disk.img");
        assertThat(Json.object(bow.awaitOutput("{"))).containsEntry("why", "checkpoint");
        client.write(4096, pattern(1, 7 * 4096));
        assertThat(String.valueOf(Json.object(bow.awaitOutput("{")).get("why")))
            .startsWith("space for copies is ");
        assertThatThrownBy(() -> client.write(1 << 20, pattern(2, 64 << 10)))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("No space left on device");
        client.write(4096, pattern(3, 4096));
      }
      stop(bow);
    }
    assertThat(Cli.run("bow", "restore", disk).status()).isZero();
    assertThat(used(Files.readAllBytes(disk))).isEqualTo(used(before));
  }

  @Test
  void aFullDeviceCommitsWhereThatIsThePolicy() throws Exception {
    Files.writeString(list, "3MiB 64KiB\n");
    byte[] ours = pattern(2, 256 << 10);
    try (Programs.Running bow = start("bow", "--when-full", "commit", disk, "--free-list", list)) {
      try (NbdClient client = new NbdClient(bow.awaitOutput("ready "))) {
        verb("bow", "checkpoint", "disk.img");
        client.write(1 << 20, ours);
        assertThat(verb("bow", "state", "disk.img")).isEqualTo("2 committed\n");
      }
      stop(bow);
      assertThat(bow.err())
          .contains("no space for copies: the checkpoint is committed\n")
          .contains(": committed\n");
    }
    assertThat(used(Files.readAllBytes(disk))).isEqualTo(used(written(before, 1 << 20, ours)));
  }

  @Test
  void aFullDeviceStopsWhereThatIsThePolicy() throws Exception {
    Files.writeString(list, "3MiB 64KiB\n");
    try (Programs.Running bow = start("bow", disk, "--free-list", list, "--when-full=stop")) {
      try (NbdClient client = new NbdClient(bow.awaitOutput("ready "))) {
        verb("bow", "checkpoint", "disk.img");
        client.write(4096, pattern(1, 4096));
        assertThatThrownBy(() -> client.write(1 << 20, pattern(2, 256 << 10)))
            .isInstanceOf(IOException.class);
        // There would be room for this one.
        assertThatThrownBy(() -> client.write(8192, pattern(3, 512)))
            .isInstanceOf(IOException.class);
        client.write(4096, pattern(4, 512));
        client.flush();
      }
      stop(bow);
      assertThat(bow.err()).contains("no space for copies: writes that need some fail until");
    }
    assertThat(Cli.run("bow", "restore", disk).status()).isZero();
    assertThat(used(Files.readAllBytes(disk))).isEqualTo(used(before));
  }

  @Test
  void aDeviceThatIsCalledLikeACommandIsWrittenAsAPath() throws Exception {
    Files.copy(disk, directory.resolve("restore"));
    ProcessBuilder builder = Programs.oxbow(directory, "bow", "./restore");
    try (Programs.Running bow = Programs.start(builder.directory(directory.toFile()))) {
      bow.awaitOutput("ready nbd+unix:///restore?");
      assertThat(verb("bow", "state", "restore")).isEqualTo("0 trim\n");
      stop(bow);
    }
  }

  private Programs.Running start(Object... words) throws IOException {
    return Programs.start(Programs.oxbow(directory, words));
  }

  private static void stop(Programs.Running running) throws Exception {
    running.signal("TERM");
    assertThat(running.await()).as(running.err()).isZero();
  }

  /** The output of a command that must succeed. */
  private String verb(Object... words) throws Exception {
    Process process = Programs.oxbow(directory, words).start();
    String out = process.inputReader().readAllAsString();
    String err = process.errorReader().readAllAsString();
    assertThat(process.waitFor()).as(err).isZero();
    return out;
  }

  /** What a command says that must fail. */
  private String refused(Object... words) throws Exception {
    Process process = Programs.oxbow(directory, words).start();
    String out = process.inputReader().readAllAsString();
    String err = process.errorReader().readAllAsString();
    assertThat(process.waitFor()).as(err).isEqualTo(1);
    assertThat(out).isEmpty();
    return err;
  }

  private static byte[] used(byte[] device) {
    return Arrays.copyOf(device, USED_BYTES);
  }

  private static byte[] pattern(long seed, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static byte[] written(byte[] to, int offsetBytes, byte[] bytes) {
    byte[] changed = to.clone();
    System.arraycopy(bytes, 0, changed, offsetBytes, bytes.length);
    return changed;
  }
}
