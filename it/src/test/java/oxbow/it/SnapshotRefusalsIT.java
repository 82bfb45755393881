package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: what cannot be a snapshot, or be merged, is said in one clear line, and leaves everything as
 * it was. Method: the real program on images and servers that others made; content before and after
 * is compared. What needs no stranger is tested with the command itself, in the module app.
 */
class SnapshotRefusalsIT {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  /** All that a refused command could change. */
  private Path home = Path.of("");

  private Path origin = Path.of("");
  private Path store = Path.of("");

  @BeforeEach
  void makeOrigin() throws IOException {
    home = Files.createDirectory(directory.resolve("home"));
    origin = Images.random(home.resolve("origin.img"), 0, 2 * MIB, 1);
    store = home.resolve("store.cow");
  }

  @Test
  void aStoreThatIsAFileSystem() {
    Images.ext4(store, 12);
    assertRefused(1, "ext2, ext3 or ext4 file system", "snapshot", origin, store);
    assertRefused(1, "ext2, ext3 or ext4 file system", "snapshot", origin, store, "--transient");
    assertRefused(1, "no snapshot store, but ext2, ext3 or ext4", "merge", origin, store);
  }

  @Test
  void aStoreOnAServerThatDoesNotLetItWrite() {
    try (Server nbdkit =
        Server.nbdkit(directory.resolve("store.sock"), "-r", "memory", "size=4M")) {
      assertRefused(1, "the store is read-only", "snapshot", origin, nbdkit.uri());
      assertRefused(1, "the store is read-only", "merge", origin, nbdkit.uri());
    }
  }

  @Test
  void anOriginOnAServerThatDoesNotLetItWrite() {
    try (Server nbdkit =
        Server.nbdkit(directory.resolve("origin.sock"), "-r", "memory", "size=4M")) {
      Path socket = directory.resolve("listen.sock");
      assertRefused(
          1,
          "the origin is read-only",
          "snapshot",
          nbdkit.uri(),
          store,
          "--create",
          "4MiB",
          "--origin-listen",
          "unix:" + socket);
    }
  }

  @Test
  void wordsThatMakeNoCommand() {
    assertRefused(2, "--crate", "snapshot", origin, store, "--crate", "4MiB");
    assertRefused(2, "Missing required parameter", "merge", origin);
    assertRefused(
        2, "not a power of 2", "snapshot", origin, store, "--create", "4M", "--chunk-size", "5K");
  }

  private void assertRefused(int status, String why, String command, Object... words) {
    Map<String, String> before = content();
    Object[] all = new Object[words.length + 1];
    all[0] = command;
    System.arraycopy(words, 0, all, 1, words.length);
    Proc.Result refused =
        Proc.of(Tool.own("oxbow"), all)
            .with("XDG_RUNTIME_DIR", directory.toString())
            .run()
            .status(status);

    assertThat(refused.out()).isEmpty();
    assertThat(refused.err()).contains(why);
    // One line, and perhaps one of advice.
    assertThat(refused.err().lines().toList()).hasSizeBetween(1, 2);
    assertThat(refused.err()).startsWith("oxbow: " + command + ": ");
    assertThat(refused.err().lines().skip(1)).allMatch(line -> line.startsWith("  "));
    assertThat(content()).isEqualTo(before);
  }

  /** Names and checksums of all files. */
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
}
