package oxbow.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
import oxbow.control.Route;

/**
 * A daemon with a home of its own, which is asked over its control socket without a new process.
 */
final class TestDaemon implements AutoCloseable {
  private final Path home;
  private @Nullable Server server;

  /**
   * @param home an empty directory with a short path, as sockets lie there
   */
  TestDaemon(Path home) {
    this.home = home;
  }

  Path state() {
    return home.resolve("state");
  }

  Path control() {
    return home.resolve("control.sock");
  }

  /** Starts it and waits until it answers. */
  Server start(Object... options) {
    Server started = launch(options);
    while (!started.awaitUri().startsWith("http+unix:")) {
      // Its exports are ready before its control socket is.
    }
    return started;
  }

  /** Starts it and does not wait. */
  Server launch(Object... options) {
    List<Object> words =
        new ArrayList<>(List.of("daemon", "--state", state(), "--control", control()));
    words.addAll(List.of(options));
    Server started = Server.launchOxbow(home, words.toArray());
    server = started;
    return started;
  }

  /** The one that was started last. */
  Server server() {
    Server started = server;
    if (started == null) {
      throw new IllegalStateException("not started");
    }
    return started;
  }

  /** Asks it for something; blocks until the answer. */
  Map<String, @Nullable Object> ask(Route route, Map<String, ?> fields)
      throws IOException, ControlException {
    return ControlClient.ask(control(), route, fields);
  }

  /** The objects of a list in an answer. */
  List<Map<?, ?>> list(Route route, Map<String, ?> fields, String field)
      throws IOException, ControlException {
    List<Map<?, ?>> objects = new ArrayList<>();
    if (ask(route, fields).get(field) instanceof List<?> list) {
      list.forEach(each -> objects.add((Map<?, ?>) each));
    }
    return objects;
  }

  /** A table in one string, a line a target; empty if there is none. */
  String table(String name, boolean isInactive) throws IOException, ControlException {
    List<String> lines = new ArrayList<>();
    Map<String, ?> fields = Map.of("name", name, "inactive", isInactive);
    for (Map<?, ?> line : list(Route.TABLE, fields, "targets")) {
      lines.add(
          "%s %s %s %s"
              .formatted(
                  line.get("start"), line.get("length"), line.get("target"), line.get("text"))
              .strip());
    }
    return String.join("\n", lines);
  }

  /** The devices in its state file, which is there once there was something to remember. */
  JsonNode remembered() throws IOException {
    Path file = state().resolve("devices.json");
    JsonNode state =
        Files.exists(file) ? new ObjectMapper().readTree(file.toFile()) : MissingNode.getInstance();
    return state.path("devices");
  }

  @Override
  public void close() {
    Server started = server;
    if (started != null) {
      started.close();
    }
  }
}
