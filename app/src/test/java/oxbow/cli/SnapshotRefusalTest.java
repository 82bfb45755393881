package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: whatever is wrong with a snapshot is said in one clear line, and nothing is created or
 * changed (O11, O12). Method: the real command in a directory whose content is compared before and
 * after.
 */
class SnapshotRefusalTest {
  private static final int SIZE_BYTES = 1 << 20;
  private static final int CHUNK_BYTES = 4096;

  private Path directory = Path.of("");
  private Path origin = Path.of("");
  private Path store = Path.of("");
  private Refusals refusals = new Refusals(Path.of(""), "");

  @BeforeEach
  void makeOrigin(@TempDir Path temporary) throws Exception {
    directory = temporary;
    origin = random("origin.img", SIZE_BYTES);
    store = directory.resolve("store.cow");
    refusals = new Refusals(directory, "snapshot");
  }

  private Path random(String name, int sizeBytes) throws Exception {
    byte[] bytes = new byte[sizeBytes];
    new Random(7).nextBytes(bytes);
    return Files.write(directory.resolve(name), bytes);
  }

  @Test
  void anOriginThatCannotBeUsed() throws Exception {
    refusals.check(
        1,
        "Error opening origin device: .*none.img: No such file or directory",
        directory.resolve("none.img"),
        store,
        "--create",
        "1MiB");
    Path empty = Files.createFile(directory.resolve("empty.img"));
    refusals.check(1, "empty.img: the origin is empty", empty, store, "--create", "1MiB");
  }

  @Test
  void anOriginThatMayNotBeRead() throws Exception {
    Files.setPosixFilePermissions(origin, PosixFilePermissions.fromString("---------"));
    ProcessBuilder builder =
        Programs.bound(Programs.oxbow(directory, "snapshot", origin, store, "--create", "1MiB"));
    try (Programs.Running program = Programs.start(builder)) {
      assertThat(program.await()).as(program.err()).isEqualTo(1);
      assertThat(program.err()).startsWith("oxbow: snapshot: ").contains("Permission denied\n");
    }
    assertThat(store).doesNotExist();
  }

  @Test
  void aStoreThatMayNotBeWritten() throws Exception {
    Stores.empty(store, 8, SIZE_BYTES);
    Files.setPosixFilePermissions(store, PosixFilePermissions.fromString("r--r--r--"));
    ProcessBuilder builder = Programs.bound(Programs.oxbow(directory, "snapshot", origin, store));
    try (Programs.Running program = Programs.start(builder)) {
      assertThat(program.await()).as(program.err()).isEqualTo(1);
      assertThat(program.err())
          .startsWith("oxbow: snapshot: Error opening store device: ")
          .contains("Permission denied\n");
    }
  }

  @Test
  void aStoreThatIsNotThere() throws Exception {
    List<String> lines = refusals.check(1, "store.cow: No such file or directory", origin, store);
    assertThat(lines.get(1)).contains("--create SIZE");
    Files.createFile(store);
    lines = refusals.check(1, "store.cow: the store is empty", origin, store);
    assertThat(lines.get(1)).contains("--create SIZE");
  }

  @Test
  void aStoreToBeCreatedThatExists() throws Exception {
    Stores.empty(store, 8, SIZE_BYTES);
    List<String> lines =
        refusals.check(1, "--create: .*store.cow: File exists", origin, store, "--create", "1MiB");
    assertThat(lines.get(1)).contains("Without --create");
    refusals.check(2, "no file that could be created", origin, "mem:1MiB", "--create", "1MiB");
    refusals.check(2, "no whole number of sectors", origin, store, "--create", "1000000");
  }

  @Test
  @DisplayName("C5: a store on its own origin")
  void theOriginAsItsStore() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), origin);
    for (Object same : new Object[] {origin, link, "file:" + origin}) {
      refusals.check(1, "COW device cannot be the same as origin device: ", origin, same);
    }
  }

  @Test
  @DisplayName("O11: foreign data where the store should be")
  void foreignDataInTheStore() throws Exception {
    Path other = random("other.img", SIZE_BYTES);
    List<String> lines =
        refusals.check(1, "other.img: the store holds data \\(.*\\), which", origin, other);
    assertThat(lines.get(1)).contains("swapped").contains("--force");
    refusals.check(1, "other.img: the store holds data", origin, other, "--transient");
    Path ext4 = Stores.sparse(directory.resolve("ext4.img"), SIZE_BYTES);
    Stores.write(ext4, 1080, new byte[] {0x53, (byte) 0xef});
    refusals.check(1, "ext2, ext3 or ext4 file system", origin, ext4);
  }

  @Test
  @DisplayName("O11: zeros at the beginning do not prove a file empty")
  void foreignDataBehindZeros() throws Exception {
    Path zeros = Stores.sparse(store, 64 << 20);
    Stores.write(zeros, 40_000_000, "precious".getBytes(StandardCharsets.US_ASCII));
    refusals.check(1, "store.cow: the store holds data", origin, zeros);
    refusals.check(1, "store.cow: the store holds data", origin, zeros, "--transient");
  }

  @Test
  @DisplayName("O11: swapped arguments")
  void swappedArguments() throws Exception {
    Stores.empty(store, 8, SIZE_BYTES);
    refusals.check(1, "origin.img: the store holds data", store, origin);
    Path blank = Stores.sparse(directory.resolve("blank.img"), SIZE_BYTES);
    List<String> lines =
        refusals.check(1, "store.cow: the origin is a snapshot store itself", store, blank);
    assertThat(lines.get(1)).contains("swapped").contains("--force");
  }

  @Test
  void aStoreThatATransientSnapshotWouldOverwrite() throws Exception {
    Stores.empty(store, 8, SIZE_BYTES);
    refusals.check(
        1,
        "store.cow: the store holds data \\(snapshot store\\), which",
        origin,
        store,
        "--transient");
  }

  @Test
  void aStoreOfAnotherVersionIsRefusedEvenWithForce() throws Exception {
    Stores.of(store, 1, 2, 8, SIZE_BYTES);
    String sentence = "store.cow: unable to handle snapshot disk version 2";
    List<String> lines = refusals.check(1, sentence, origin, store);
    assertThat(lines.get(1)).contains("Nothing was changed").contains("oxbow inspect --check");
    refusals.check(1, sentence, origin, store, "--force");
  }

  @Test
  void aStoreWithAChunkSizeThatIsNone() throws Exception {
    Stores.of(store, 1, 1, 12, SIZE_BYTES);
    refusals.check(1, "chunk size of 12 sectors", origin, store);
  }

  @Test
  void aStoreThatWasInvalidated() throws Exception {
    Stores.of(store, 0, 1, 8, SIZE_BYTES);
    List<String> lines = refusals.check(1, "store.cow: the snapshot is invalid", origin, store);
    assertThat(lines.get(1)).contains("--force");
  }

  @Test
  void aStoreThatWasCutShort() throws Exception {
    Stores.empty(store, 8, SIZE_BYTES);
    Stores.exception(store, CHUNK_BYTES, 0, 3, 2);
    Stores.exception(store, CHUNK_BYTES, 1, 4, 100);
    Stores.sparse(store, 50L * CHUNK_BYTES);
    List<String> lines =
        refusals.checkContent(1, "Failed to read snapshot metadata", origin, store);
    assertThat(lines.getFirst()).contains("100");
  }

  @Test
  void anOriginThatIsShorterThanItWas() throws Exception {
    Stores.empty(store, 8, SIZE_BYTES);
    Stores.exception(store, CHUNK_BYTES, 0, 200, 2);
    Path shorter = random("shorter.img", 100 * CHUNK_BYTES);
    List<String> lines =
        refusals.checkContent(1, "Failed to read snapshot metadata", shorter, store);
    assertThat(lines.getFirst()).contains("200");
  }

  @Test
  void aStoreWithoutRoomForAnything() throws Exception {
    String sentence = "store.cow: 8192 bytes are too small for a store with chunks of 4KiB: 12288";
    Object[] options = {"--chunk-size", "4KiB"};
    refusals.check(1, sentence, origin, store, "--create", 8192, options[0], options[1]);
    Stores.sparse(store, 8192);
    refusals.check(1, sentence, origin, store, options[0], options[1]);
    refusals.check(1, "too small for a store with chunks of 16KiB", origin, store);
  }

  @Test
  @DisplayName("C3: chunk sizes in device-mapper's words, with the value and what is allowed")
  void chunkSizesThatAreNone() throws Exception {
    String allowed = "\\(powers of 2 from 512 to 1073741824 are allowed\\)";
    Object[] create = {origin, store, "--create", "1GiB", "--chunk-size"};
    refusals.check(
        2, "Chunk size is not a power of 2: 12288 bytes " + allowed, with(create, "12KiB"));
    refusals.check(2, "Invalid chunk size: 256 bytes " + allowed, with(create, "256"));
    refusals.check(2, "Chunk size is too high: 2147483648 bytes", with(create, "2GiB"));
    Cli big = Cli.run(with(new Object[] {"snapshot"}, with(create, "big")));
    assertThat(big.status()).isEqualTo(2);
    assertThat(big.err()).contains("is not a size");
  }

  private static Object[] with(Object[] words, Object... more) {
    Object[] all = Arrays.copyOf(words, words.length + more.length);
    System.arraycopy(more, 0, all, words.length, more.length);
    return all;
  }

  @Test
  void optionsThatContradictEachOther() throws Exception {
    Object[] create = {origin, store, "--create", "1MiB"};
    refusals.check(2, "--transient and --overflow", with(create, "--transient", "--overflow"));
    refusals.check(2, "--warn-at 0: 1 to 99", with(create, "--warn-at", 0));
    refusals.check(2, "--warn-at 100: 1 to 99", with(create, "--warn-at", 100));
    refusals.check(2, "--grow: mem:1MiB is no file", origin, "mem:1MiB", "--grow");
    refusals.check(2, "--grow 1000: no whole number of sectors", with(create, "--grow=1000"));
    refusals.check(
        2, "--listen localhost: unix:PATH or tcp", with(create, "--listen", "localhost"));
    refusals.check(
        2, "--origin-listen tcp:h:p: the port", with(create, "--origin-listen", "tcp:h:p"));
    refusals.check(2, "--name ../x: letters", with(create, "--name", "../x"));
    refusals.check(2, "--origin-name needs --origin-listen", with(create, "--origin-name", "x"));
    Path socket = directory.resolve("o.sock");
    refusals.check(
        2,
        "--name and --origin-name are the same: x",
        with(create, "--name", "x", "--origin-name", "x", "--origin-listen", "unix:" + socket));
  }

  @Test
  void anAddressToListenOnThatIsTaken() throws Exception {
    Path taken = Files.writeString(directory.resolve("taken"), "precious");
    Object[] create = {origin, store, "--create", "1MiB"};
    for (String option : List.of("--listen", "--origin-listen")) {
      List<String> lines =
          refusals.checkContent(
              1,
              "taken: exists and is not a socket",
              with(
                  create,
                  "--listen",
                  "unix:" + directory.resolve("free.sock"),
                  option,
                  "unix:" + taken));
      assertThat(lines.get(1)).contains(option + " chooses another address");
    }
    refusals.check(1, "control socket .*taken is in use", with(create, "--control", taken));
  }

  @Test
  @DisplayName(
      "O6 O11: who writes to an origin or a store has it alone; who reads an origin shares it")
  void anOriginOrAStoreThatIsInUse() throws Exception {
    Path socket = directory.resolve("o.sock");
    Object[] words = {"snapshot", origin, store, "--create", "1MiB"};
    ProcessBuilder writer =
        Programs.oxbow(directory, with(words, "--origin-listen", "unix:" + socket));
    try (Programs.Running running = Programs.start(writer)) {
      running.awaitOutput("ready ");
      running.awaitOutput("ready ");
      Path other = directory.resolve("other.cow");
      refusals.check(1, "origin.img: in use by another process", origin, other, "--create", "1MiB");
      Path copy = random("copy.img", SIZE_BYTES);
      refusals.check(1, "store.cow: in use by another process", copy, store);
      running.signal("TERM");
      assertThat(running.await()).as(running.err()).isZero();
    }
    try (Programs.Running reader =
        Programs.start(Programs.oxbow(directory, "snapshot", origin, store))) {
      reader.awaitOutput("ready ");
      Object[] second = {"snapshot", origin, directory.resolve("b.cow"), "--create", "1MiB"};
      try (Programs.Running another = Programs.start(Programs.oxbow(directory, second))) {
        another.awaitOutput("ready ");
      }
      refusals.check(
          1,
          "origin.img: in use by another process",
          origin,
          directory.resolve("c.cow"),
          "--create",
          "1MiB",
          "--origin-listen",
          "unix:" + socket);
    }
  }
}
