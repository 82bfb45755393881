package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: what cannot be done is said in one clear line, and leaves everything as it was; a full disk
 * costs nothing that was flushed. Method: the real program against servers that others wrote and
 * file systems of their own; content before and after is compared. What needs no stranger is tested
 * with the command itself, in the module app.
 */
class CloneRefusalsIT {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  /** All that a refused command could change. */
  private Path home = Path.of("");

  private Path source = Path.of("");

  @BeforeEach
  void makeSource() throws IOException {
    home = Files.createDirectory(directory.resolve("home"));
    source = Images.random(home.resolve("source.img"), 0, 2 * MIB, 1);
  }

  @Test
  void anExportThatTheServerDoesNotHave() {
    try (Server nbdkit =
        Server.nbdkit(
            directory.resolve("source.sock"),
            "--filter=exportname",
            "memory",
            "size=1M",
            "exportname=disk",
            "exportname-strict=true")) {
      String wrong = nbdkit.uri().replace("///", "///nothing");
      assertRefused(1, "nothing", new TestClone(home, wrong));
    }
  }

  @Test
  void aPortWhereNobodyListens() {
    assertRefused(1, "Connection refused", new TestClone(home, "nbd://127.0.0.1:1/disk"));
  }

  @Test
  void aServerThatNeverAnswers() throws IOException {
    Path socket = directory.resolve("mute.sock");
    try (ServerSocketChannel mute = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      mute.bind(UnixDomainSocketAddress.of(socket));
      assertRefused(1, "mute.sock", new TestClone(home, "nbd+unix:///disk?socket=" + socket));
    }
  }

  @Test
  void aDestinationThatIsAFileSystem() {
    TestClone swapped = new TestClone(home, source);
    Images.ext4(swapped.destination(), 12);
    assertRefused(1, "dest.img: the destination holds data", swapped);
  }

  @Test
  void aDestinationOnAFileSystemThatIsReadOnly() {
    Path readOnly = home.resolve("read-only");
    try (Tmpfs tmpfs = new Tmpfs(readOnly, "4M")) {
      Path destination = Images.sparse(readOnly.resolve("dest.img"), 2 * MIB);
      tmpfs.remount("ro");
      assertRefused(1, "Read-only file system", new TestClone(home, source, destination));
      assertRefused(
          1,
          "Read-only file system",
          new TestClone(home, source, readOnly.resolve("not-there.img")));
    }
  }

  @Test
  void aSecondProcessOnTheSameClone() {
    try (TestClone clone = new TestClone(home, source)) {
      clone.start("--no-hydration");
      assertRefused(1, "dest.img: in use by another process", clone);
      clone.stop();
    }
  }

  @Test
  void wordsThatMakeNoCommand() {
    TestClone clone = new TestClone(home, source);
    assertRefused(2, "Invalid region size: 3000", clone, "--region-size", "3000");
    assertRefused(2, "--regoin-size", clone, "--regoin-size", "4096");
  }

  @Test
  void aFullDiskIsSaidAndWhatWasFlushedStays() throws IOException {
    Path model = Files.copy(source, directory.resolve("model.img"));
    Path small = directory.resolve("small");
    try (Tmpfs tmpfs = new Tmpfs(small, "2300K");
        TestClone clone = new TestClone(directory, source, small.resolve("dest.img"))) {
      clone.start("--no-hydration");
      for (String image : new String[] {"file:" + model, clone.uri()}) {
        qemuIo("write -P 0x31 1000 30000", image).ok();
        qemuIo("write -P 0x32 2088960 8192", image).ok();
      }
      clone.verb("message", clone.name(), 0, "enable_hydration");
      clone.verb("wait", clone.name());

      assertThat(clone.status().path("paused").asText()).contains("No space left on device");
      assertThat(clone.status().path("mode").asText()).isEqualTo("rw");
      assertThat(clone.server().standardError()).contains("No space left on device");
      // Some of these regions have space that failed copies took; not all of them can.
      assertThat(qemuIo("write -P 0x33 65536 2000000", clone.uri()).toString())
          .contains("No space left on device");
      qemuIo("read -P 0x31 1000 30000", clone.uri()).ok();
      clone.kill();
      clone.assertIsUnfinished();

      clone.start("--no-hydration");
      qemuIo("read -P 0x31 1000 30000", clone.uri()).ok();
      qemuIo("read -P 0x32 2088960 8192", clone.uri()).ok();
      tmpfs.remount("size=8M");
      for (String image : new String[] {"file:" + model, clone.uri()}) {
        qemuIo("write -P 0x33 65536 2000000", image).ok();
      }
      clone.verb("message", clone.name(), 0, "enable_hydration");
      clone.verb("wait", clone.name());
      clone.stop();
      Images.assertSameContent(clone.destination(), model);
    }
  }

  /** One command, and a flush. */
  private static Proc.Result qemuIo(String command, String image) {
    Path qemuIo = Tool.require("qemu-io", "qemu-utils");
    return Proc.of(qemuIo, "-f", "raw", "-c", command, "-c", "flush", image).run();
  }

  private void assertRefused(int status, String why, TestClone clone, Object... options) {
    Map<String, String> before = content();
    Object[] words = clone.words(options).toArray();
    Proc.Result refused = Proc.of(Tool.own("oxbow"), words).run().status(status);

    assertThat(refused.out()).isEmpty();
    assertThat(refused.err()).contains(why);
    // One line, and perhaps one of advice.
    assertThat(refused.err().lines().toList()).hasSizeBetween(1, 2);
    assertThat(refused.err().lines().findFirst()).get().asString().startsWith("oxbow: clone: ");
    assertThat(refused.err().lines().skip(1)).allMatch(line -> line.startsWith("  "));
    assertThat(content()).isEqualTo(before);
  }

  /** Names and checksums of all files; a socket has none. */
  private Map<String, String> content() {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> all = Files.walk(home)) {
      all.forEach(
          path ->
              content.put(
                  path.toString(), Files.isRegularFile(path) ? Images.sha256(path) : "no file"));
      return content;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A small file system in memory; needs root. */
  private static final class Tmpfs implements AutoCloseable {
    private final Path directory;

    Tmpfs(Path directory, String size) {
      if (!System.getProperty("user.name", "").equals("root")) {
        throw Tool.missing("mounting a tmpfs needs root");
      }
      this.directory = directory;
      try {
        Files.createDirectory(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      Proc.of("mount", "-t", "tmpfs", "-o", "size=" + size, "oxbow-test", directory).run().ok();
    }

    void remount(String options) {
      Proc.of("mount", "-o", "remount," + options, directory).run().ok();
    }

    @Override
    public void close() {
      Proc.of("umount", directory).run().ok();
    }
  }
}
