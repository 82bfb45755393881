package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import oxbow.cli.Cli;

/**
 * A daemon in a directory of its own, started again and again on the same state, and the verbs for
 * it, which run in this process.
 */
final class TestDaemon implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 60;
  private static final long GLANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Path directory;
  private Server server;

  /**
   * Starts it.
   *
   * @param directory holds state and sockets; its path is short enough for them
   */
  TestDaemon(Path directory) {
    this.directory = directory;
    this.server = launch();
  }

  private Server launch() {
    Server started =
        Server.launchOxbow(
            directory, "daemon", "--state", directory.resolve("state"), "--control", control());
    while (!started.awaitUri().startsWith("http+unix:")) {
      // An export that was restored.
    }
    return started;
  }

  Path control() {
    return directory.resolve("control.sock");
  }

  /** The Unix socket of that name, as {@code --listen} has it. */
  String listen(String name) {
    return "unix:" + directory.resolve(name + ".sock");
  }

  /** Where clients find an export of {@link #listen}. */
  String uri(String export, String socket) {
    return "nbd+unix:///" + export + "?socket=" + directory.resolve(socket + ".sock");
  }

  /** A verb, whatever comes of it. */
  Cli verb(Object... words) {
    List<Object> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--control", control()));
    return Cli.run(all.toArray());
  }

  /** A verb that succeeds; what it printed. */
  String ok(Object... words) {
    Cli run = verb(words);
    assertThat(run.err()).as("%s%n%s", List.of(words), server.standardError()).isEmpty();
    assertThat(run.status()).isZero();
    return run.out();
  }

  /** A verb that is refused, in one line that says so. */
  void refused(String why, Object... words) {
    Cli run = verb(words);
    assertThat(run.errLines().getFirst()).startsWith("oxbow: " + words[0]).contains(why);
    assertThat(run.errLines().stream().skip(1)).allMatch(line -> line.startsWith("  "));
    assertThat(run.out()).isEmpty();
    assertThat(run.status()).isEqualTo(1);
  }

  /** The object that a verb prints with {@code --json}. */
  JsonNode json(Object... words) {
    List<JsonNode> objects = jsonLines(words);
    assertThat(objects).hasSize(1);
    return objects.getFirst();
  }

  /** The objects that a verb prints with {@code --json}, one a line. */
  List<JsonNode> jsonLines(Object... words) {
    List<Object> all = new ArrayList<>(List.of(words));
    all.add("--json");
    List<JsonNode> objects = new ArrayList<>();
    for (String line : ok(all.toArray()).lines().toList()) {
      try {
        objects.add(new ObjectMapper().readTree(line));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return objects;
  }

  /** Waits for something that no event tells. */
  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waiting for " + what).isLessThan(deadline);
      LockSupport.parkNanos(GLANCE_NANOS);
    }
  }

  /** Its process, and what it said. */
  Server server() {
    return server;
  }

  /** Ends it as a crash would, and starts it again. */
  void killAndStart() {
    server.kill();
    server = launch();
  }

  /** Ends it in order, and starts it again. */
  void stopAndStart() {
    assertThat(server.stop()).as(server.standardError()).isZero();
    server = launch();
  }

  @Override
  public void close() {
    server.close();
  }
}
