package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot in a directory of its own, used as users do: {@code ./oxbow snapshot} and {@code
 * ./oxbow merge} again and again with the same ORIGIN and STORE. Whenever a process has ended,
 * however that came, the store is checked, by the independent checker and by {@code oxbow inspect
 * --check}.
 */
final class TestSnapshot implements AutoCloseable {
  private static final String NAME = "snap";
  private static final String ORIGIN_NAME = "origin";

  private final Path directory;
  private final String origin;
  private final Path store;
  private @Nullable Server server;
  private String originUri = "";

  /**
   * @param directory holds store and sockets; its path is short enough for them
   * @param origin a file, or any address
   */
  TestSnapshot(Path directory, Object origin) {
    this.directory = directory;
    this.origin = origin.toString();
    this.store = directory.resolve("store.cow");
  }

  Path store() {
    return store;
  }

  /** The Unix sockets that the snapshot, or the merging device, and the origin are served on. */
  Path socket() {
    return directory.resolve("snap.sock");
  }

  Path originSocket() {
    return directory.resolve("origin.sock");
  }

  /** Where a kernel finds the snapshot, and the origin. */
  Oracle.Export export() {
    return new Oracle.Export(socket(), NAME);
  }

  Oracle.Export originExport() {
    return new Oracle.Export(originSocket(), ORIGIN_NAME);
  }

  /** The name of the snapshot's export, and of the device. */
  String name() {
    return NAME;
  }

  String originName() {
    return ORIGIN_NAME;
  }

  /** Makes the store, and serves the snapshot and the origin. */
  void create(long storeBytes, Object... options) {
    List<Object> all = new ArrayList<>(List.of("--create", storeBytes));
    Collections.addAll(all, options);
    start(all.toArray());
  }

  /** Serves the snapshot and the origin; returns when both can be used. */
  void start(Object... options) {
    Server started = launch(options);
    started.awaitUri();
    originUri = started.awaitUri();
  }

  /** The same, but it may not be ready yet. */
  Server launch(Object... options) {
    return launched(servingBoth(options));
  }

  private List<Object> servingBoth(Object... options) {
    List<Object> words = words("snapshot", origin, options);
    words.addAll(List.of("--origin-listen", "unix:" + originSocket()));
    words.addAll(List.of("--origin-name", ORIGIN_NAME));
    return words;
  }

  /** The same as {@link #start} under strace, which writes the system calls to the log. */
  Server startTraced(Path log, Object... options) {
    Server started = Server.tracedOxbow(directory, log, servingBoth(options).toArray());
    server = started;
    originUri = started.awaitUri();
    return started;
  }

  /** Serves the snapshot alone, of an origin that is only read. */
  void startWithoutOrigin(Object... options) {
    launched(words("snapshot", origin, options)).awaitUri();
  }

  /**
   * Serves the merging device while it merges.
   *
   * @param through what stands before the origin's address, a layer such as {@code delay:}
   */
  Server startMerge(String through) {
    Server started = launched(words("merge", through + origin));
    started.awaitUri();
    return started;
  }

  /** Merges without serving; returns before it has ended. */
  Server launchMerge() {
    List<Object> words = new ArrayList<>(List.of("merge", origin, store));
    words.addAll(List.of("--control", control()));
    return launched(words);
  }

  /** Merges to the end: the origin is what the snapshot was, and the store is empty. */
  void merge() {
    Proc.of(Tool.own("oxbow"), "merge", origin, store, "--control", control()).run().ok();
    assertThat(assertStoreIsSound().path("nr_exceptions").asInt(-1)).isZero();
  }

  private List<Object> words(String command, String of, Object... options) {
    List<Object> words = new ArrayList<>(List.of(command, of, store));
    words.addAll(List.of("--name", NAME, "--listen", "unix:" + socket()));
    words.addAll(List.of("--control", control()));
    Collections.addAll(words, options);
    return words;
  }

  private Server launched(List<Object> words) {
    Server started = Server.launchOxbow(directory, words.toArray());
    server = started;
    return started;
  }

  /** The server that was started last. */
  Server server() {
    Server started = server;
    if (started == null) {
      throw new IllegalStateException("not started");
    }
    return started;
  }

  String uri() {
    return server().uri();
  }

  String originUri() {
    return originUri;
  }

  /** The status line, as {@code oxbow status} and the kernel's dmsetup print it. */
  String statusLine() {
    return verb("status", NAME).strip();
  }

  /** Sectors of the store that are in use for more than metadata: what a merge has yet to do. */
  long usedSectors() {
    String json = verb("status", NAME, "--json");
    try {
      JsonNode target = new ObjectMapper().readTree(json).path("targets").path(0);
      JsonNode allocated = target.path("allocatedSectors");
      JsonNode metadata = target.path("metadataSectors");
      assertThat(allocated.isIntegralNumber() && metadata.isIntegralNumber()).as(json).isTrue();
      return allocated.asLong() - metadata.asLong();
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + json, e);
    }
  }

  /** Runs a verb of dmsetup against the process; what it printed. */
  private String verb(String verb, Object... words) {
    List<Object> all = new ArrayList<>(List.of(verb));
    all.addAll(List.of(words));
    all.addAll(List.of("--control", control()));
    return Proc.of(Tool.own("oxbow"), all.toArray()).run().ok().out();
  }

  private Path control() {
    return directory.resolve("control.sock");
  }

  /** Ends the process in order, as SIGTERM does. */
  void stop() {
    assertThat(server().stop()).as("%s", server().standardError()).isZero();
    assertStoreIsSound();
  }

  /** Ends the process as a crash would. */
  void kill() {
    server().kill();
    assertStoreIsSound();
  }

  /** The store must stand any check, whenever no process uses it; what the checker says. */
  JsonNode assertStoreIsSound() {
    JsonNode report = Oracle.checkSnapshotStore(store, "--max-runs", 0);
    assertThat(report.path("clean").asBoolean()).as("%s", report).isTrue();
    assertThat(report.path("state").asText()).as("%s", report).isEqualTo("valid");
    Proc.of(Tool.own("oxbow"), "inspect", "--check", store).run().ok();
    return report;
  }

  /** Exceptions in the store, which nobody uses now. */
  int exceptions() {
    JsonNode count = Oracle.checkSnapshotStore(store).path("nr_exceptions");
    assertThat(count.isInt()).as("nr_exceptions: %s", count).isTrue();
    return count.asInt();
  }

  /** SHA-256 of all that an export holds. */
  String sha256Served(String uri) {
    Path copy = directory.resolve("served.img");
    try {
      Proc.of(Tool.require("nbdcopy", "libnbd-bin"), uri, copy).run().ok();
      String sha256 = Images.sha256(copy);
      Files.delete(copy);
      return sha256;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    if (server != null) {
      server.close();
    }
  }
}
