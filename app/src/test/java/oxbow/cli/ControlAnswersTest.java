package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
import oxbow.control.OpenApi;
import oxbow.control.Route;

/**
 * Aim: what processes answer over their control sockets is what {@code openapi.json} says. Method:
 * one process of each kind, asked all there is to ask; every answer is validated.
 */
class ControlAnswersTest {
  private static final List<Route> ABOUT_A_DEVICE =
      List.of(Route.INFO, Route.TABLE, Route.STATUS, Route.DEPS);

  @TempDir Path directory;

  @Test
  void aCloneAndALayerBelowIt() throws Exception {
    Path source = Stores.sparse(directory.resolve("source.img"), 1 << 20);
    try (Programs.Running clone =
        start("clone", "delay:1:" + source, directory.resolve("d"), "--no-hydration")) {
      clone.awaitOutput("ready ");
      assertThat(askAll("d")).isEqualTo(2);
      Map<String, Object> message =
          Map.of("name", "d", "words", List.of("hydration_batch_size", "4"));
      assertThat(OpenApi.ask(socket("d"), Route.MESSAGE, message)).containsEntry("reply", "");
      Map<String, Object> bad = Map.of("name", "d", "words", List.of("frobnicate"), "sector", 0);
      assertThatThrownBy(() -> OpenApi.ask(socket("d"), Route.MESSAGE, bad))
          .isInstanceOf(ControlException.class);
      OpenApi.ask(
          socket("d"), Route.MESSAGE, Map.of("name", "d", "words", List.of("enable_hydration")));
      assertThat(OpenApi.ask(socket("d"), Route.WAIT, Map.of("name", "d", "event", 0)))
          .containsEntry("eventNumber", 1L);
    }
  }

  @Test
  void aSnapshotAndItsOrigin() throws Exception {
    Path origin = Stores.sparse(directory.resolve("origin.img"), 1 << 20);
    Path listen = directory.resolve("origin.nbd");
    try (Programs.Running snapshot =
        start(
            "snapshot",
            origin,
            directory.resolve("s"),
            "--create",
            "1MiB",
            "--origin-listen",
            "unix:" + listen)) {
      snapshot.awaitOutput("ready ");
      snapshot.awaitOutput("ready ");
      assertThat(askAll("s")).isEqualTo(2);
    }
  }

  @Test
  void aBowDevice() throws Exception {
    Path disk = Stores.sparse(directory.resolve("b"), 4 << 20);
    Path list = Files.writeString(directory.resolve("free.txt"), "2MiB 2MiB\n");
    try (Programs.Running bow = start("bow", disk, "--free-list", list)) {
      bow.awaitOutput("ready ");
      assertThat(askAll("b")).isEqualTo(1);
    }
  }

  @Test
  void aProcessThatNobodyAsksLoadsNothingOfHttp() throws Exception {
    Path source = Stores.sparse(directory.resolve("source.img"), 1 << 20);
    Path classes = directory.resolve("classes.log");
    ProcessBuilder builder = Programs.oxbow(directory, "clone", source, directory.resolve("d"));
    int java = builder.command().indexOf("-XX:+UseSerialGC");
    builder.command().add(java, "-Xlog:class+load:file=" + classes);
    try (Programs.Running clone = Programs.start(builder)) {
      clone.awaitOutput("ready ");
      assertThat(classes).content().contains("oxbow.control.ControlServer");
      assertThat(classes).content().doesNotContain("org.apache.hc.", "jackson");
      OpenApi.ask(socket("d"), Route.INFO, Map.of("name", "d"));
      assertThat(classes).content().contains("org.apache.hc.");
    }
  }

  /** Asks everything about every device of a process; how many there are. */
  private int askAll(String process) throws Exception {
    Path socket = socket(process);
    assertThat(OpenApi.ask(socket, Route.VERSION, Map.of())).containsKey("oxbow");
    assertThat(OpenApi.ask(socket, Route.TARGETS, Map.of()).toString()).contains("snapshot-origin");
    assertThat(ControlClient.ask(socket, Route.OPENAPI, Map.of()))
        .containsEntry("openapi", "3.1.0");
    List<Map<String, @Nullable Object>> devices =
        VerbCommand.objects(OpenApi.ask(socket, Route.LS, Map.of()), "devices");
    for (Map<String, @Nullable Object> device : devices) {
      Map<String, Object> name = Map.of("name", VerbCommand.text(device, "name"));
      for (Route route : ABOUT_A_DEVICE) {
        assertThat(OpenApi.ask(socket, route, name)).isNotEmpty();
      }
    }
    for (Route route : ABOUT_A_DEVICE) {
      assertThatThrownBy(() -> OpenApi.ask(socket, route, Map.of("name", "none")))
          .hasMessage("Device not found");
    }
    return devices.size();
  }

  private Path socket(String name) {
    return directory.resolve("oxbow").resolve(name + ".sock");
  }

  private Programs.Running start(Object... words) throws Exception {
    return Programs.start(Programs.oxbow(directory, words));
  }
}
