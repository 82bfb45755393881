package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.control.ControlClient;
import oxbow.control.ControlException;
import oxbow.control.ControlServer;
import oxbow.control.Event;
import oxbow.control.OpenApi;
import oxbow.control.RawHttp;
import oxbow.control.Route;
import oxbow.control.Routes;
import oxbow.control.Verbs;

/**
 * Aim: the daemon offers every request there is, and answers as {@code openapi.json} says. Method:
 * its real verbs behind a real socket; every answer is validated.
 */
class DaemonAnswersTest {
  private static final int MIB = 1 << 20;

  private final Set<Route> asked = EnumSet.noneOf(Route.class);
  private Scene scene;
  private Path socket;
  private ControlServer server;

  @BeforeEach
  void listen(@TempDir Path directory) throws Exception {
    scene = new Scene(directory);
    socket = directory.resolve("control.sock");
    Routes routes = new Verbs(scene.registry).routes();
    new DaemonVerbs(scene.devices, scene.exports, scene.events, scene.log).addTo(routes);
    Metrics metrics = new Metrics(scene.devices, scene.exports);
    routes.offer(Route.METRICS, _ -> metrics.scrape());
    server = ControlServer.listen(socket, routes, fault -> {});
  }

  @AfterEach
  void close() throws Exception {
    server.close();
    scene.close();
  }

  @Test
  void everyRequestIsAnsweredAsDescribed() throws Exception {
    changes();
    exports();
    questions();
    ends();
    assertThat(asked).containsExactlyInAnyOrder(Route.values());
  }

  private void changes() throws Exception {
    assertThat(ask(Route.CREATE, Map.of("name", "d", "table", "0 2048 linear mem:1MiB 0")))
        .isEqualTo(Map.of("name", "d"));
    ask(Route.CREATE, Map.of("name", "n", "listen", List.of(scene.socket("n.nbd"))));
    assertThat(info("n")).containsEntry("tables", "None").containsEntry("state", "SUSPENDED");
    ask(Route.LOAD, Map.of("name", "n", "table", "0 8 zero"));
    assertThat(info("n")).containsEntry("tables", "INACTIVE");
    ask(Route.CLEAR, Map.of("name", "n"));
    ask(Route.SUSPEND, Map.of("name", "d", "noflush", true));
    ask(Route.LOAD, Map.of("name", "d", "table", "0 2048 zero\n2048 8 error"));
    assertThat(info("d"))
        .containsEntry("tables", "LIVE & INACTIVE")
        .containsEntry("state", "SUSPENDED");
    assertThat(ask(Route.TABLE, Map.of("name", "d", "inactive", true)).toString())
        .contains("target=error");
    ask(Route.RESUME, Map.of("name", "d", "noflush", true));
    assertThat(info("d")).containsEntry("tables", "LIVE").containsEntry("state", "ACTIVE");
    assertThat(ask(Route.RENAME, Map.of("name", "d", "newName", "e")))
        .isEqualTo(Map.of("name", "e"));
  }

  private void exports() throws Exception {
    String listen = scene.socket("e.nbd");
    Map<String, Object> order =
        Map.of(
            "name",
            "e",
            "listen",
            listen,
            "exportName",
            "x",
            "readOnly",
            true,
            "default",
            true,
            "maxConnections",
            3,
            "maxRequests",
            2,
            "maxBytes",
            1L << 20);
    assertThat(ask(Route.EXPORT, order))
        .containsEntry("uri", "nbd+unix:///x?socket=" + listen.substring("unix:".length()));
    assertThat(ask(Route.EXPORT, Map.of("name", "n", "listen", listen))).containsEntry("uri", null);
    assertThat(ask(Route.EXPORTS, Map.of()).toString())
        .contains("exportName=x", "maxConnections=3", "maxBytes=1048576", "clients=0");
    assertThat(String.valueOf(info("e").get("address"))).startsWith("nbd+unix:///x?");
    ask(Route.UNEXPORT, Map.of("name", "e", "listen", listen));
    assertThatThrownBy(() -> ask(Route.UNEXPORT, Map.of("name", "e", "listen", listen)))
        .hasMessage("e is not exported on " + listen);
  }

  private void questions() throws Exception {
    allTargets();
    ask(Route.VERSION, Map.of());
    ask(Route.TARGETS, Map.of());
    asked.add(Route.OPENAPI);
    assertThat(ControlClient.ask(socket, Route.OPENAPI, Map.of())).containsKey("paths");
    assertThat(ask(Route.LS, Map.of()).toString()).contains("name=c", "name=n");
    for (String device : List.of("b", "c", "e", "n", "o", "s")) {
      for (Route route : List.of(Route.TABLE, Route.STATUS, Route.DEPS, Route.INFO)) {
        assertThat(ask(route, Map.of("name", device))).containsEntry("name", device);
      }
    }
    assertThat(ask(Route.STATUS, Map.of("name", "c")).toString()).contains("commits=");
    ask(Route.MESSAGE, Map.of("name", "c", "words", List.of("enable_hydration")));
    assertThat(ask(Route.WAIT, Map.of("name", "c"))).containsEntry("eventNumber", 1L);
    asked.add(Route.METRICS);
    try (RawHttp raw = new RawHttp(UnixDomainSocketAddress.of(socket))) {
      assertThat(raw.request("GET /metrics", "", "Connection: close").awaitEnd())
          .startsWith("HTTP/1.1 200 ")
          .contains("Content-Type: text/plain")
          .contains("oxbow_device_size_bytes{device=\"c\"} 1048576.0");
    }
  }

  private void allTargets() throws Exception {
    Path origin = scene.file("origin.img", MIB);
    scene.create(
        "c",
        "0 2048 clone %s %s zero:1MiB 8 1 no_hydration"
            .formatted(scene.file("c.meta", MIB), scene.file("c.img", MIB)));
    scene.create("s", "0 2048 snapshot " + origin + " " + scene.file("s.cow", MIB) + " P 8");
    scene.create("o", "0 2048 snapshot-origin " + origin);
    scene.create("b", "0 2048 bow " + scene.file("b.img", MIB));
  }

  private void ends() throws Exception {
    for (String device : List.of("b", "c", "n", "o", "s")) {
      ask(Route.REMOVE, Map.of("name", device));
    }
    ask(Route.REMOVE, Map.of("name", "e", "force", true));
    List<String> kinds = new ArrayList<>();
    asked.add(Route.EVENTS);
    ControlClient.follow(
        socket, Route.EVENTS, Map.of("past", true), event -> kinds.add(event.kind()));
    assertThat(kinds)
        .startsWith("created", "created", "loaded", "cleared", "suspended", "loaded", "resumed")
        .contains("renamed", "exported", "unexported", "event")
        .endsWith("removed");
  }

  @Test
  void refusalsAreAsDescribedToo() throws Exception {
    scene.create("d", "0 8 zero");
    scene.create("above", "0 8 linear oxbow:d 0");
    assertRefused(Route.CREATE, ControlException.Kind.REFUSED, Map.of("name", "a", "table", "0 8"));
    assertRefused(Route.CREATE, ControlException.Kind.CONFLICT, Map.of("name", "d"));
    assertRefused(Route.REMOVE, ControlException.Kind.CONFLICT, Map.of("name", "d"));
    assertRefused(
        Route.RENAME, ControlException.Kind.CONFLICT, Map.of("name", "d", "newName", "above"));
    assertRefused(
        Route.EXPORT, ControlException.Kind.REFUSED, Map.of("name", "d", "listen", "nowhere"));
    scene.devices.load("d", "0 16 zero");
    assertRefused(Route.RESUME, ControlException.Kind.CONFLICT, Map.of("name", "d"));
    for (Route route :
        List.of(Route.REMOVE, Route.CLEAR, Route.SUSPEND, Route.RESUME, Route.UNEXPORT)) {
      assertRefused(route, ControlException.Kind.NOT_FOUND, Map.of("name", "none"));
    }
    assertThat(scene.log()).contains("verb=remove device=d refused=\"Device or resource busy\"");
  }

  @Test
  void whoFollowsHearsOfWhatHappens() throws Exception {
    CompletableFuture<Event> first = new CompletableFuture<>();
    CompletableFuture<Void> followed =
        CompletableFuture.runAsync(
            () -> {
              try {
                ControlClient.follow(socket, Route.EVENTS, Map.of(), first::complete);
              } catch (Exception broken) {
                first.completeExceptionally(broken);
              }
            });
    // It may take a moment until it follows.
    while (!first.isDone()) {
      scene.events.add("event", "d", Map.of("why", "the test"));
    }
    assertThat(first.get(60, TimeUnit.SECONDS).data().get("why")).isEqualTo("the test");
    scene.events.close();
    followed.get(60, TimeUnit.SECONDS);
  }

  @Test
  void whoWaitsForADeviceThatIsRemovedIsTold() throws Exception {
    scene.create("d", "0 8 zero");
    CompletableFuture<String> answer =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return ControlClient.ask(socket, Route.WAIT, Map.of("name", "d")).toString();
              } catch (Exception told) {
                return String.valueOf(told.getMessage());
              }
            });
    scene.devices.rename("d", "e");
    scene.devices.remove("e", false);
    assertThat(answer.get(60, TimeUnit.SECONDS)).isIn("The device was removed", "Device not found");
  }

  private Map<String, @Nullable Object> info(String device) throws Exception {
    return ask(Route.INFO, Map.of("name", device));
  }

  private Map<String, @Nullable Object> ask(Route route, Map<String, ?> fields) throws Exception {
    asked.add(route);
    return OpenApi.ask(socket, route, fields);
  }

  private void assertRefused(Route route, ControlException.Kind kind, Map<String, ?> fields) {
    assertThatThrownBy(() -> ask(route, fields))
        .isInstanceOfSatisfying(
            ControlException.class, refused -> assertThat(refused.kind()).isEqualTo(kind));
  }
}
