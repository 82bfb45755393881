package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A device under {@code ./oxbow bow}, used as users do: by commands. */
final class TestBow implements AutoCloseable {
  private static final String NAME = "bow";

  private final Path directory;
  private final String device;
  private @Nullable Server server;

  /**
   * @param directory holds the sockets; its path is short enough for them
   * @param device a file, or any address
   */
  TestBow(Path directory, Object device) {
    this.directory = directory;
    this.device = device.toString();
  }

  /** Serves it; returns when it can be used. */
  void start(Object... options) {
    List<Object> words = words("bow", device, "--name", NAME);
    words.addAll(List.of("--listen", "unix:" + socket()));
    words.addAll(List.of(options));
    server = Server.oxbow(directory, words.toArray());
  }

  /** Runs a command that must succeed; what it printed. */
  String run(Object... words) {
    return Proc.of(Tool.own("oxbow"), words("", words).toArray()).run().ok().out();
  }

  /** Runs a command that must fail; what it said. */
  String refused(Object... words) {
    return Proc.of(Tool.own("oxbow"), words("", words).toArray()).run().status(1).err();
  }

  private List<Object> words(String command, Object... words) {
    List<Object> all = new ArrayList<>();
    if (!command.isEmpty()) {
      all.add(command);
    }
    all.addAll(List.of(words));
    all.addAll(List.of("--control", directory.resolve("control.sock")));
    return all;
  }

  void checkpoint() {
    assertThat(run("bow", "checkpoint", NAME)).startsWith(NAME + ": checkpoint;");
    assertThat(state()).isEqualTo("1 checkpoint");
  }

  void commit() {
    assertThat(run("bow", "commit", NAME)).startsWith(NAME + ": committed");
    assertThat(state()).isEqualTo("2 committed");
  }

  String state() {
    return run("bow", "state", NAME).strip();
  }

  /** A figure of its status. */
  long figure(String field) {
    String json = run("bow", "state", NAME, "--json");
    try {
      JsonNode value = new ObjectMapper().readTree(json).path(field);
      assertThat(value.isIntegralNumber()).as(json).isTrue();
      return value.asLong();
    } catch (IOException e) {
      throw new UncheckedIOException(json, e);
    }
  }

  /** Puts the device back; no process serves it. */
  String restore() {
    return offline("bow", "restore", device);
  }

  /** Keeps what was written; no process serves the device. */
  void commitOffline() {
    assertThat(offline("bow", "commit", "--offline", device)).contains("committed: everything");
  }

  private static String offline(Object... words) {
    return Proc.of(Tool.own("oxbow"), words).run().ok().out();
  }

  private Path socket() {
    return directory.resolve("bow.sock");
  }

  /** Where a kernel finds it. */
  Oracle.Export export() {
    return new Oracle.Export(socket(), NAME);
  }

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

  /** Ends the process in order, as SIGTERM does; what it said. */
  String stop() {
    assertThat(server().stop()).as("%s", server().standardError()).isZero();
    return server().standardError();
  }

  /** Ends the process as a crash would. */
  void kill() {
    server().kill();
  }

  @Override
  public void close() {
    if (server != null) {
      server.close();
    }
  }
}
