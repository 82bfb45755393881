package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: what cannot be merged is said in one clear line, and neither origin nor store changes.
 * Method: the real command in a directory whose content is compared before and after.
 */
class MergeRefusalTest {
  private static final int SIZE_BYTES = 1 << 20;
  private static final int CHUNK_BYTES = 4096;

  private Path directory = Path.of("");
  private Path origin = Path.of("");
  private Path store = Path.of("");
  private Refusals refusals = new Refusals(Path.of(""), "");

  @BeforeEach
  void makeOriginAndStore(@TempDir Path temporary) throws Exception {
    directory = temporary;
    origin = directory.resolve("origin.img");
    byte[] bytes = new byte[SIZE_BYTES];
    new Random(9).nextBytes(bytes);
    Files.write(origin, bytes);
    store = Stores.empty(directory.resolve("store.cow"), 8, SIZE_BYTES);
    Stores.exception(store, CHUNK_BYTES, 0, 200, 2);
    refusals = new Refusals(directory, "merge");
  }

  @Test
  void aStoreThatIsNotThere() throws Exception {
    refusals.check(
        1,
        "Error opening store device: .*none.cow: No such file or directory",
        origin,
        directory.resolve("none.cow"));
  }

  @Test
  void whatIsNoStore() throws Exception {
    Path blank = Stores.sparse(directory.resolve("blank"), SIZE_BYTES);
    refusals.check(1, "blank: no snapshot store, but zeros", origin, blank);
    refusals.check(1, "origin.img: no snapshot store, but data", store, origin);
    Stores.of(store, 1, 3, 8, SIZE_BYTES);
    refusals.check(1, "store.cow: unable to handle snapshot disk version 3", origin, store);
  }

  @Test
  @DisplayName("M10: of a snapshot that is invalid nothing is merged")
  void aStoreThatWasInvalidated() throws Exception {
    Stores.of(store, 0, 1, 8, SIZE_BYTES);
    refusals.check(1, "store.cow: the snapshot is invalid: nothing of it", origin, store);
  }

  @Test
  @DisplayName("C5: a store on its own origin")
  void theOriginAsItsStore() throws Exception {
    refusals.check(1, "COW device cannot be the same as origin device", store, "file:" + store);
  }

  @Test
  void anOriginThatIsShorterThanItWas() throws Exception {
    Stores.sparse(origin, 100L * CHUNK_BYTES);
    List<String> lines =
        refusals.checkContent(1, "Failed to read snapshot metadata", origin, store);
    assertThat(lines.getFirst()).contains("200");
  }

  @Test
  void anOriginThatMayNotBeWritten() throws Exception {
    Files.setPosixFilePermissions(origin, PosixFilePermissions.fromString("r--r--r--"));
    ProcessBuilder builder = Programs.bound(Programs.oxbow(directory, "merge", origin, store));
    Snapshot before = Snapshot.of(directory);
    try (Programs.Running program = Programs.start(builder)) {
      assertThat(program.await()).as(program.err()).isEqualTo(1);
      assertThat(program.err())
          .startsWith("oxbow: merge: Error opening origin device: ")
          .contains("Permission denied\n");
    }
    assertThat(Snapshot.of(directory)).isEqualTo(before);
  }

  @Test
  void wordsThatCannotBeMeant() throws Exception {
    refusals.check(2, "--listen nowhere: unix:PATH or tcp", origin, store, "--listen", "nowhere");
    refusals.check(2, "--name a/b: letters", origin, store, "--name", "a/b");
    Path taken = Files.writeString(directory.resolve("taken"), "precious");
    refusals.checkContent(
        1, "taken: exists and is not a socket", origin, store, "--listen", "unix:" + taken);
    refusals.check(1, "control socket .*taken is in use", origin, store, "--control", taken);
  }

  @Test
  @DisplayName("O11: an origin that is in use")
  void anOriginThatIsInUse() throws Exception {
    Path other = directory.resolve("other.cow");
    ProcessBuilder reader =
        Programs.oxbow(directory, "snapshot", origin, other, "--create", "1MiB");
    try (Programs.Running running = Programs.start(reader)) {
      running.awaitOutput("ready ");
      refusals.check(1, "origin.img: in use by another process", origin, store);
    }
  }
}
