package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A clone in a directory of its own, used as users do: {@code ./oxbow clone} again and again with
 * the same SOURCE and DEST. Whenever its process has ended, however that came, the metadata is
 * checked, by the independent checker and by {@code oxbow inspect --check}.
 */
final class TestClone implements AutoCloseable {
  private static final String NAME = "vol";

  private final Path directory;
  private final String source;
  private final Path destination;
  private @Nullable Server server;

  /**
   * @param directory holds destination, metadata and sockets; its path is short enough for them
   */
  TestClone(Path directory, Object source) {
    this(directory, source, directory.resolve("dest.img"));
  }

  /** A clone whose DEST, with the metadata beside it, is elsewhere. */
  TestClone(Path directory, Object source, Path destination) {
    this.directory = directory;
    this.source = source.toString();
    this.destination = destination;
  }

  Path destination() {
    return destination;
  }

  Path metadata() {
    return Path.of(destination + ".meta");
  }

  /** The Unix socket that the clone is served on. */
  Path socket() {
    return directory.resolve("clone.sock");
  }

  /** Where a kernel finds it. */
  Oracle.Export export() {
    return new Oracle.Export(socket(), NAME);
  }

  /** The name of the export, and of the device. */
  String name() {
    return NAME;
  }

  /** Serves the clone, with these options beside SOURCE and DEST; returns when it can be used. */
  Server start(Object... options) {
    Server started = launch(options);
    started.awaitUri();
    return started;
  }

  /** The same, but it may not be ready yet. */
  Server launch(Object... options) {
    List<Object> words = words(options);
    words.addAll(List.of("--name", NAME, "--listen", "unix:" + socket()));
    Server started = Server.launchOxbow(directory, words.toArray());
    server = started;
    return started;
  }

  /** Runs the clone without serving it until it has ended by itself: DEST is a full copy then. */
  void finish() {
    List<Object> words = words("--no-serve");
    Proc.of(Tool.own("oxbow"), words.toArray()).in(directory).run().ok();
    assertMetadataIsSound();
  }

  /** The command line of {@code ./oxbow} for this clone. */
  List<Object> words(Object... options) {
    List<Object> words = new ArrayList<>(List.of("clone", source, destination));
    words.addAll(List.of("--control", control()));
    Collections.addAll(words, options);
    return words;
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

  /** The fields of the status line, by the names that {@code --json} gives them. */
  JsonNode status() {
    String json = verb("status", NAME, "--json");
    try {
      JsonNode target = new ObjectMapper().readTree(json).path("targets").path(0);
      assertThat(target.isObject()).as(json).isTrue();
      return target;
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + json, e);
    }
  }

  /** Regions that are hydrated now. */
  long hydratedRegions() {
    return field("hydratedRegions");
  }

  /** Fails unless hydration is still going on: a test of its middle must not come too late. */
  void assertIsHydrating() {
    JsonNode status = status();
    assertThat(status.path("hydratedRegions").asLong(-1))
        .as("hydrated regions; more data or a lower rate is needed: %s", status)
        .isNotNegative()
        .isLessThan(status.path("totalRegions").asLong());
  }

  private long field(String name) {
    JsonNode value = status().path(name);
    assertThat(value.isIntegralNumber()).as(name).isTrue();
    return value.asLong();
  }

  /** Runs a verb of dmsetup against the process; what it printed. */
  String verb(String verb, Object... words) {
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
    assertMetadataIsSound();
  }

  /** Ends the process as a crash would. */
  void kill() {
    server().kill();
    assertMetadataIsSound();
  }

  /** The metadata must stand any check, whenever no process uses it. */
  void assertMetadataIsSound() {
    JsonNode report = Oracle.checkCloneMetadata(metadata());
    assertThat(report.path("clean").asBoolean()).as("%s", report).isTrue();
    Proc.of(Tool.own("oxbow"), "inspect", "--check", metadata()).run().ok();
  }

  /** Fails if all regions are hydrated on disk: a kill in the middle must not come too late. */
  void assertIsUnfinished() {
    JsonNode report = Oracle.checkCloneMetadata(metadata());
    assertThat(report.path("hydrated_regions").asLong(-1))
        .isNotNegative()
        .isLessThan(report.path("nr_regions").asLong());
  }

  @Override
  public void close() {
    if (server != null) {
      server.close();
    }
  }
}
