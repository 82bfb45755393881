package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Aim: what is wrong with what the daemon remembers, or with what its devices lie on, is said in
 * one clear line, and nothing is overwritten. Method: the real program, with state made by hand.
 */
class DaemonStateTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private Path state = Path.of("");
  private Path devices = Path.of("");

  @BeforeEach
  void name() throws IOException {
    state = Files.createDirectory(directory.resolve("state"));
    devices = state.resolve("devices.json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "{\"devices\":[]}",
        "{\"version\":2,\"devices\":[]}",
        "{\"version\":1}",
        "{\"version\":1,\"devices\":[1]}",
        "{\"version\":1,\"devices\":[{\"readOnly\":false,\"suspended\":false,\"exports\":[]}]}",
        "{\"version\":1,\"devices\":[{\"name\":\"v\",\"readOnly\":false,\"suspended\":false,"
            + "\"table\":\"0 8\",\"exports\":[]}]}"
      })
  void stateThatIsNotUnderstoodIsNotOverwritten(String content) throws IOException {
    Files.writeString(devices, content);
    Cli refused = Cli.run("daemon", "--state", state, "--control", control());
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.out()).isEmpty();
    assertThat(refused.errLines()).hasSize(2);
    assertThat(refused.errLines().getFirst()).startsWith("oxbow: daemon: state: " + devices);
    assertThat(refused.errLines().getLast()).contains("Nothing was changed");
    assertThat(devices).hasContent(content);
    assertThat(control()).doesNotExist();
  }

  @Test
  void aStateDirectoryThatIsAFileIsNamed() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    Cli refused = Cli.run("daemon", "--state", file, "--control", control());
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.errLines().getFirst())
        .startsWith("oxbow: daemon: state: ")
        .contains(file.toString());
  }

  @Test
  void aSecondDaemonOnTheSameStateIsRefused() throws Exception {
    try (Programs.Running first = daemon()) {
      Programs.Running second =
          Programs.start(
              Programs.oxbow(
                  directory, "daemon", "--state", state, "--control", directory.resolve("other")));
      try (second) {
        assertThat(second.await()).isEqualTo(1);
        assertThat(second.err()).contains(state + " is in use by another daemon");
      }
      assertThat(first.process().isAlive()).isTrue();
    }
  }

  @Test
  void aChangeThatCannotBeRememberedIsSaidAndACreatedDeviceIsNotThere() throws Exception {
    try (Programs.Running daemon = daemon()) {
      verb("create", "kept", "--table", "0 8 zero");
      String before = Files.readString(devices);
      Path inTheWay = Files.createDirectory(state.resolve("devices.json.new"));
      Cli refused = Cli.run("create", "lost", "--table", "0 8 zero", "--control", control());
      assertThat(refused.status()).isEqualTo(1);
      assertThat(refused.err()).startsWith("oxbow: create lost: ").contains("be remembered");
      assertThat(devices).hasContent(before);
      assertThat(verb("ls")).contains("kept").doesNotContain("lost");
      Files.delete(inTheWay);
      verb("create", "lost", "--table", "0 8 zero");
      assertThat(daemon.process().isAlive()).isTrue();
    }
  }

  @Test
  void aFileThatAnotherProcessWritesIsRefused() throws Exception {
    Path source = Stores.sparse(directory.resolve("source.img"), MIB);
    Path destination = directory.resolve("dest.img");
    Programs.Running clone =
        Programs.start(Programs.oxbow(directory, "clone", source, destination, "--no-hydration"));
    try (clone;
        Programs.Running daemon = daemon()) {
      clone.awaitOutput("ready ");
      Path other = Stores.sparse(directory.resolve("other.img"), 4 * MIB);
      for (String table :
          new String[] {
            "0 2048 linear " + destination + " 0",
            "0 2048 clone " + other + " " + destination + " " + source + " 8",
            "0 2048 clone " + destination + ".meta " + other + " " + source + " 8",
            "0 2048 snapshot " + source + " " + destination + " P 8"
          }) {
        Cli refused = Cli.run("create", "v", "--table", table, "--control", control());
        assertThat(refused.status()).as(table).isEqualTo(1);
        assertThat(refused.errLines()).hasSize(1);
        assertThat(refused.err()).startsWith("oxbow: create v: ").contains("in use by another");
      }
      assertThat(verb("ls")).contains("No devices found");
      assertThat(daemon.process().isAlive()).isTrue();
    }
  }

  @Test
  void aDeviceWhoseSourceIsAwayAtTheStartIsServedWhenItComesBack() throws Exception {
    Path disk = Stores.sparse(directory.resolve("disk.img"), MIB);
    Path listen = directory.resolve("v.sock");
    try (Programs.Running daemon = daemon()) {
      verb("create", "v", "--table", "0 2048 linear " + disk + " 0", "--listen", "unix:" + listen);
      daemon.signal("TERM");
      assertThat(daemon.await()).as(daemon.err()).isZero();
    }
    Path away = Files.move(disk, directory.resolve("away.img"));
    try (Programs.Running daemon = daemon()) {
      assertThat(daemon.err()).contains("oxbow: daemon: v: not restored: ").contains("disk.img");
      assertThat(verb("info", "v")).contains("Tables present:    INACTIVE");
      assertThat(verb("exports")).contains("waits for a table");
      Cli refused = Cli.run("resume", "v", "--control", control());
      assertThat(refused.err()).startsWith("oxbow: resume v: ").contains("disk.img");
      Files.move(away, disk);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (!verb("info", "v").contains("Tables present:    LIVE")) {
        assertThat(System.nanoTime()).as(daemon.err()).isLessThan(deadline);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      }
      try (NbdClient client = new NbdClient("ready nbd+unix:///v?socket=" + listen)) {
        assertThat(client.read(0, 512)).containsOnly(0);
      }
    }
  }

  private Path control() {
    return directory.resolve("control.sock");
  }

  private Programs.Running daemon() throws IOException {
    Programs.Running daemon =
        Programs.start(
            Programs.oxbow(directory, "daemon", "--state", state, "--control", control()));
    String line = daemon.awaitOutput("ready ");
    while (!line.startsWith("ready http+unix:")) {
      line = daemon.awaitOutput("ready ");
    }
    return daemon;
  }

  private String verb(Object... words) {
    Object[] all = Arrays.copyOf(words, words.length + 2);
    all[words.length] = "--control";
    all[words.length + 1] = control();
    Cli run = Cli.run(all);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    return run.out();
  }
}
