package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.control.ControlServer;
import oxbow.control.DeviceRegistry;
import oxbow.control.ScriptedDevice;
import oxbow.control.Verbs;

/**
 * Aim: verbs find a device where it is, at a socket of its own or at the daemon's. Method: the real
 * commands over a control directory with a server in the daemon's place.
 */
class DaemonSocketTest {
  @TempDir Path directory;
  private ControlServer daemon;

  @BeforeEach
  void listen() throws Exception {
    Files.createDirectory(
        directory.resolve("oxbow"),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    daemon = serve("control", "d", "e");
  }

  @AfterEach
  void close() throws Exception {
    daemon.close();
  }

  @Test
  void theDevicesOfBothAreListed() throws Exception {
    try (ControlServer own = serve("c", "c")) {
      assertThat(own.address()).isEqualTo(UnixDomainSocketAddress.of(socket("c")));
      assertThat(run("ls").lines().map(line -> line.substring(0, 2)))
          .containsExactly("c\t", "d\t", "e\t");
      assertThat(run("table", "c")).startsWith("0 16384 clone");
    }
  }

  @Test
  void theDaemonIsAskedForWhatHasNoSocketOfItsOwn() throws Exception {
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket("d")));
    }
    assertThat(run("table", "d")).startsWith("0 16384 clone");
    assertThat(run("table", "e")).startsWith("0 16384 clone");
    // The daemon's own words: there is no advice to look for a process.
    assertThat(run("table", "f")).isEqualTo("oxbow: table f: Device not found\n");
  }

  @Test
  void noOtherProcessTakesTheNameOfTheDaemon() throws Exception {
    Path source = Stores.sparse(directory.resolve("source.img"), 1 << 20);
    daemon.close();
    try (Programs.Running clone =
        Programs.start(Programs.oxbow(directory, "clone", source, directory.resolve("control")))) {
      assertThat(clone.awaitOutput("ready ")).contains("/control-2?");
      assertThat(socket("control")).doesNotExist();
    }
    Cli refused = Cli.run("clone", source, directory.resolve("dest.img"), "--name", "control");
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.errLines().getFirst())
        .isEqualTo("oxbow: clone: --name control: this is the name of the daemon's control socket");
    assertThat(directory.resolve("dest.img")).doesNotExist();
  }

  private ControlServer serve(String name, String... devices) throws Exception {
    DeviceRegistry registry = new DeviceRegistry();
    for (String device : devices) {
      registry.add(new ScriptedDevice(device));
    }
    return ControlServer.listen(socket(name), new Verbs(registry).routes(), fault -> {});
  }

  private Path socket(String name) {
    return directory.resolve("oxbow").resolve(name + ".sock");
  }

  /** Both outputs of a command. */
  private String run(Object... words) throws Exception {
    Process process = Programs.oxbow(directory, words).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }
}
