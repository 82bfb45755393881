package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.console.Json;

/**
 * Aim: a snapshot can be started, used, stopped in any way, gone on with, and merged. Method:
 * processes of their own, which get real signals, and a client over NBD that knows what it wrote.
 */
class SnapshotProcessTest {
  private static final int SIZE_BYTES = 4 << 20;
  private static final int CHUNK_BYTES = 4096;

  private Path directory = Path.of("");
  private Path origin = Path.of("");
  private Path store = Path.of("");
  private byte[] before = {};

  @BeforeEach
  void makeOrigin(@TempDir Path temporary) throws Exception {
    directory = temporary;
    origin = directory.resolve("origin.img");
    store = directory.resolve("store.cow");
    before = pattern(13, SIZE_BYTES);
    Files.write(origin, before);
  }

  @Test
  void standardOutputHasTheReadyLineAndTheOriginIsOnlyRead() throws Exception {
    Path socket = directory.resolve("oxbow/store.cow.nbd");
    try (Programs.Running snapshot = start("snapshot", origin, store, "--create", "8MiB")) {
      String ready = snapshot.awaitOutput("ready ");
      assertThat(ready).isEqualTo("ready nbd+unix:///store.cow?socket=" + socket);
      byte[] ours = pattern(1, 50_000);
      try (NbdClient client = new NbdClient(ready)) {
        assertThat(client.read(0, SIZE_BYTES)).isEqualTo(before);
        client.write(100_000, ours);
        assertThat(client.read(0, SIZE_BYTES)).isEqualTo(written(before, 100_000, ours));
        assertThat(verb("info", "store.cow", "--json")).containsPattern("\"openCount\":[1-9]");
      }
      // 4 chunks of 16 KiB.
      assertThat(verb("status", "store.cow")).isEqualTo("0 8192 snapshot 192/16384 64\n");
      assertThat(verb("table", "store.cow"))
          .isEqualTo("0 8192 snapshot %s %s P 32\n".formatted(origin, store));
      assertThat(verb("deps", "store.cow"))
          .isEqualTo("2 dependencies\t: (%s) (%s)\n".formatted(store, origin));
      assertThat(verb("message", "store.cow", 0, "store_grew")).isEmpty();
      stop(snapshot);
      assertThat(snapshot.process().inputReader().readLine()).isNull();
      assertThat(snapshot.err()).contains("stopped: ").contains(" goes on from here");
    }
    assertThat(socket).doesNotExist();
    assertThat(directory.resolve("oxbow/store.cow.sock")).doesNotExist();
    assertThat(Files.readAllBytes(origin)).isEqualTo(before);
    assertThat(Cli.run("inspect", "--check", store).status()).isZero();
  }

  @Test
  void whatWasFlushedIsThereAfterAnyStopAndTheSameCommandGoesOn() throws Exception {
    byte[] expected = before;
    Random random = new Random(Long.getLong("oxbow.seed", 3));
    Object[] words = {"snapshot", origin, store, "--create", "8MiB", "--chunk-size", CHUNK_BYTES};
    for (int round = 0; round < 4; round++) {
      try (Programs.Running snapshot = start(words)) {
        words = new Object[] {"snapshot", origin, store};
        try (NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
          assertThat(client.read(0, SIZE_BYTES)).isEqualTo(expected);
          for (int i = 0; i < 20; i++) {
            byte[] ours = pattern(random.nextInt(), 1 + random.nextInt(20_000));
            int at = random.nextInt(SIZE_BYTES - ours.length);
            client.write(at, ours);
            expected = written(expected, at, ours);
          }
          client.flush();
        }
        snapshot.signal(round % 2 == 0 ? "KILL" : "INT");
        snapshot.await();
      }
    }
    assertThat(Cli.run("inspect", "--check", store).status()).isZero();
    assertThat(Files.readAllBytes(origin)).isEqualTo(before);
  }

  @Test
  @DisplayName("O1, C11: both are ready when the snapshot is active; it keeps what the origin had")
  void theOriginIsServedToo() throws Exception {
    Path socket = directory.resolve("origin.nbd");
    byte[] ours = pattern(2, 300_000);
    try (Programs.Running snapshot =
        start("snapshot", origin, store, "--create", "8MiB", "--origin-listen", "unix:" + socket)) {
      String first = snapshot.awaitOutput("ready ");
      String second = snapshot.awaitOutput("ready ");
      assertThat(first).contains("/store.cow?");
      assertThat(second).isEqualTo("ready nbd+unix:///origin.img?socket=" + socket);
      try (NbdClient ofSnapshot = new NbdClient(first);
          NbdClient ofOrigin = new NbdClient(second)) {
        ofOrigin.write(70_000, ours);
        assertThat(ofSnapshot.read(0, SIZE_BYTES)).isEqualTo(before);
        assertThat(ofOrigin.read(0, SIZE_BYTES)).isEqualTo(written(before, 70_000, ours));
      }
      assertThat(verb("ls")).contains("store.cow").contains("origin.img");
      assertThat(verb("table", "origin.img"))
          .isEqualTo("0 8192 snapshot-origin %s\n".formatted(origin));
      assertThat(verb("status", "origin.img")).isEqualTo("0 8192 snapshot-origin \n");
      stop(snapshot);
    }
    assertThat(Files.readAllBytes(origin)).isEqualTo(written(before, 70_000, ours));
    try (Programs.Running snapshot = start("snapshot", origin, store);
        NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
      assertThat(client.read(0, SIZE_BYTES)).isEqualTo(before);
    }
  }

  @Test
  void aStoreGrowsBeforeItIsFull() throws Exception {
    byte[] expected = before;
    try (Programs.Running snapshot =
        start(
            "snapshot",
            origin,
            store,
            "--create",
            "400KiB",
            "--chunk-size",
            CHUNK_BYTES,
            "--grow=400KiB",
            "--warn-at",
            50,
            "--json")) {
      String uri = String.valueOf(Json.object(snapshot.awaitOutput("{")).get("uri"));
      try (NbdClient client = new NbdClient("ready " + uri)) {
        for (int round = 0; round < 5; round++) {
          byte[] ours = pattern(round, 200 << 10);
          int at = round * ours.length;
          client.write(at, ours);
          expected = written(expected, at, ours);
          Map<String, ?> event = Json.object(snapshot.awaitOutput("{"));
          assertThat(String.valueOf(event.get("why"))).matches("store is 5. % full");
          Map<String, ?> grown = Json.object(snapshot.awaitOutput("{"));
          assertThat(grown.get("event")).isEqualTo("grown");
          assertThat(grown.get("bytes")).isEqualTo((round + 2) * (400L << 10));
        }
        assertThat(client.read(0, SIZE_BYTES)).isEqualTo(expected);
      }
      stop(snapshot);
      Map<String, ?> stopped = Json.object(snapshot.awaitOutput("{\"event\":\"stopped\""));
      assertThat(stopped.get("state")).isEqualTo("active");
    }
    assertThat(Files.size(store)).isEqualTo(6 * (400L << 10));
    try (Programs.Running snapshot = start("snapshot", origin, store);
        NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
      assertThat(client.read(0, SIZE_BYTES)).isEqualTo(expected);
    }
  }

  @Test
  @DisplayName("W4: a full store loses the snapshot, or its writes only with --overflow")
  void aFullStoreIsAFailure() throws Exception {
    byte[] ours = pattern(4, SIZE_BYTES);
    Object[] words = {"snapshot", origin, store, "--create", "256KiB", "--chunk-size", CHUNK_BYTES};
    Object[] overflow = Arrays.copyOf(words, words.length + 1);
    overflow[words.length] = "--overflow";
    try (Programs.Running snapshot = start(overflow);
        NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
      assertThatThrownBy(() -> client.write(0, ours)).isInstanceOf(IOException.class);
      assertThat(client.read(SIZE_BYTES - 4096, 4096))
          .isEqualTo(Arrays.copyOfRange(before, SIZE_BYTES - 4096, SIZE_BYTES));
      assertThat(verb("status", "store.cow")).isEqualTo("0 8192 snapshot Overflow\n");
      snapshot.signal("TERM");
      assertThat(snapshot.await()).as(snapshot.err()).isEqualTo(1);
      assertThat(snapshot.err()).contains("oxbow: snapshot: " + store + " is full");
    }
    Files.delete(store);
    try (Programs.Running snapshot = start(words);
        NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
      assertThatThrownBy(() -> client.write(0, ours)).isInstanceOf(IOException.class);
      assertThatThrownBy(() -> client.read(0, 512)).isInstanceOf(IOException.class);
      assertThat(verb("status", "store.cow")).isEqualTo("0 8192 snapshot Invalid\n");
      snapshot.signal("TERM");
      assertThat(snapshot.await()).as(snapshot.err()).isEqualTo(1);
      assertThat(snapshot.err()).contains("oxbow: snapshot: the snapshot is invalid: ");
    }
    assertThat(Files.readAllBytes(origin)).isEqualTo(before);
  }

  @Test
  void aTransientSnapshotLeavesNothingToGoOnWith() throws Exception {
    byte[] ours = pattern(5, 100_000);
    try (Programs.Running snapshot =
        start("snapshot", origin, store, "--create", "1MiB", "--transient")) {
      try (NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
        client.write(0, ours);
        assertThat(client.read(0, SIZE_BYTES)).isEqualTo(written(before, 0, ours));
      }
      assertThat(verb("table", "store.cow")).endsWith(" N 32\n");
      stop(snapshot);
      assertThat(snapshot.err()).contains("stopped: the snapshot was transient, and is gone");
    }
    Cli again = Cli.run("snapshot", origin, store);
    assertThat(again.status()).isEqualTo(1);
    assertThat(again.err()).contains("the store holds data");
  }

  @Test
  @DisplayName("M7, M8: a merge goes on after any stop, and ends with an empty store")
  void aMergeGoesOnAfterAnyStop() throws Exception {
    byte[] expected = makeSnapshot();
    long seed = Long.getLong("oxbow.seed", 6);
    Random random = new Random(seed);
    for (int round = 0; round < 4; round++) {
      try (Programs.Running merge = start("merge", "delay:4:" + origin, store)) {
        merge.process().waitFor(300 + random.nextInt(900), TimeUnit.MILLISECONDS);
        merge.signal(round % 2 == 0 ? "TERM" : "KILL");
        merge.await();
        assertThat(merge.err()).as("reproduce with -Doxbow.seed=" + seed).doesNotContain("oxbow: ");
      }
    }
    Cli merged = Cli.run("merge", origin, store);
    assertThat(merged.status()).as(merged.err()).isZero();
    assertThat(merged.out()).isEmpty();
    assertThat(merged.err()).contains("holds everything, and " + store + " is an empty store");
    assertThat(Files.readAllBytes(origin)).isEqualTo(expected);
    assertThat(Cli.run("merge", origin, store).status()).isZero();
    assertThat(Cli.run("inspect", "--check", store).out()).contains("exceptions:");
    try (Programs.Running snapshot = start("snapshot", origin, store);
        NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
      assertThat(verb("status", "store.cow")).isEqualTo("0 8192 snapshot 16/16384 16\n");
      assertThat(client.read(0, SIZE_BYTES)).isEqualTo(expected);
    }
  }

  @Test
  @DisplayName("M2, M3, M11: a merging device shows the whole at any time, and can be written")
  void aMergingDeviceIsServed() throws Exception {
    byte[] expected = makeSnapshot();
    Path socket = directory.resolve("merging.nbd");
    byte[] ours = pattern(8, 10_000);
    try (Programs.Running merge =
        start("merge", "delay:5:" + origin, store, "--listen", "unix:" + socket, "--json")) {
      String uri =
          String.valueOf(Json.object(merge.awaitOutput("{\"event\":\"ready\"")).get("uri"));
      try (NbdClient client = new NbdClient("ready " + uri)) {
        assertThat(client.read(0, SIZE_BYTES)).isEqualTo(expected);
        client.write(2_000_000, ours);
        assertThat(verb("table", "origin.img")).startsWith("0 8192 snapshot-merge delay:5:");
        assertThat(verb("status", "origin.img", "--json")).contains("\"state\":\"active\"");
      }
      assertThat(merge.await()).as(merge.err()).isZero();
    }
    assertThat(Files.readAllBytes(origin)).isEqualTo(written(expected, 2_000_000, ours));
  }

  /** A snapshot with changes all over, stopped; what it showed. */
  private byte[] makeSnapshot() throws Exception {
    byte[] expected = before;
    try (Programs.Running snapshot =
        start("snapshot", origin, store, "--create", "8MiB", "--chunk-size", CHUNK_BYTES)) {
      try (NbdClient client = new NbdClient(snapshot.awaitOutput("ready "))) {
        Random random = new Random(6);
        for (int i = 0; i < 300; i++) {
          byte[] ours = pattern(i, 1 + random.nextInt(5_000));
          int at = random.nextInt(SIZE_BYTES - ours.length);
          client.write(at, ours);
          expected = written(expected, at, ours);
        }
      }
      stop(snapshot);
    }
    return expected;
  }

  private Programs.Running start(Object... words) throws IOException {
    return Programs.start(Programs.oxbow(directory, words));
  }

  private static void stop(Programs.Running running) throws Exception {
    running.signal("TERM");
    assertThat(running.await()).as(running.err()).isZero();
  }

  /** The output of a verb, which must succeed. */
  private String verb(Object... words) throws Exception {
    ProcessBuilder builder = Programs.oxbow(directory, words);
    Process process = builder.start();
    String out = process.inputReader().readAllAsString();
    String err = process.errorReader().readAllAsString();
    assertThat(process.waitFor()).as(err).isZero();
    return out;
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
