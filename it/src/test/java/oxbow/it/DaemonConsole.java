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

/** A daemon, and somebody who types verbs for it, which run in this process. */
final class DaemonConsole implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 60;
  private static final long GLANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Path directory;
  private final TestDaemon daemon;

  /**
   * Starts the daemon.
   *
   * @param directory holds state and sockets; its path is short enough for them
   */
  DaemonConsole(Path directory) {
    this.directory = directory;
    this.daemon = new TestDaemon(directory);
    daemon.start();
  }

  Path control() {
    return daemon.control();
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
    assertThat(run.err()).as("%s%n%s", List.of(words), server().standardError()).isEmpty();
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
    List<Object> all = new ArrayList<>(List.of(words));
    all.add("--json");
    try {
      return new ObjectMapper().readTree(ok(all.toArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for something that no event tells. */
  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waiting for " + what).isLessThan(deadline);
      LockSupport.parkNanos(GLANCE_NANOS);
    }
  }

  /** Ends the daemon in order, and starts it again. */
  void stopAndStart() {
    assertThat(server().stop()).as(server().standardError()).isZero();
    daemon.start();
  }

  private Server server() {
    return daemon.server();
  }

  @Override
  public void close() {
    daemon.close();
  }
}
