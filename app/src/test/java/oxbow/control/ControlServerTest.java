package oxbow.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: the control socket answers its owner, and nothing a peer sends harms others. Method: a real
 * socket in a temporary directory, in front of a scripted device.
 */
class ControlServerTest {
  private static final Route[] CHANGING = {Route.CREATE, Route.REMOVE, Route.EVENTS, Route.METRICS};

  @TempDir Path directory;
  private final ScriptedDevice device = new ScriptedDevice("c");
  private final DeviceRegistry registry = new DeviceRegistry();
  private final LinkedBlockingQueue<String> faults = new LinkedBlockingQueue<>();
  private final Routes routes = new Verbs(registry).routes();
  private ControlServer server;
  private Path socket;

  @BeforeEach
  void listen() throws Exception {
    registry.add(device);
    socket = directory.resolve("c.sock");
    server = ControlServer.listen(socket, routes, faults::add);
  }

  @AfterEach
  void close() throws Exception {
    server.close();
    assertThat(socket).doesNotExist();
    assertThat(faults).isEmpty();
  }

  @Test
  void onlyTheOwnerMayUseTheSocket() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
  }

  @Test
  void statusTakesTheNoflushFlag() throws Exception {
    assertThat(ask(Route.STATUS, "name", "c").toString()).contains("8 6/1024 8 2/2048");
    assertThat(ask(Route.STATUS, "name", "c", "noflush", true).toString())
        .contains("8 6/1024 8 0/2048");
  }

  @Test
  void aDeviceOfOneTableHasNoInactiveOne() throws Exception {
    assertThat(ask(Route.TABLE, "name", "c").toString()).contains("no_hydration");
    assertThat(ask(Route.TABLE, "name", "c", "inactive", true)).containsEntry("targets", List.of());
  }

  @Test
  void refusalsCarryTheSentenceAndTheirKind() {
    assertRefused(ControlException.Kind.NOT_FOUND, "Device not found", Route.STATUS, "name", "x");
    assertRefused(
        ControlException.Kind.REFUSED,
        "Target message sector outside device.",
        Route.MESSAGE,
        "name",
        "c",
        "sector",
        16384,
        "words",
        List.of("x"));
    for (Route route : CHANGING) {
      assertRefused(
          ControlException.Kind.NOT_FOUND,
          "This process does not offer " + route,
          route,
          "name",
          "c");
    }
  }

  @Test
  void namesOfAllLettersComeThroughThePath() throws Exception {
    String name = "a/b?c%2F d+é:@&=#";
    registry.add(new ScriptedDevice(name));
    assertThat(ask(Route.INFO, "name", name)).containsEntry("name", name);
    assertThat(ask(Route.INFO, "name", "c")).containsEntry("name", "c");
  }

  @Test
  void whatIsNoFieldOfTheRouteIsRefusedByName() throws Exception {
    assertThat(get("/v1/devices/c/status?nofush=true")).contains(" 400 ", "Unknown field nofush");
    assertThat(get("/v1/devices?name=c")).contains(" 400 ", "Unknown field name");
    assertThat(get("/v1/devices/c/status?noflush=yes"))
        .contains(" 400 ", "noflush is not true or false");
    assertThat(get("/v1/devices/c/status?noflush")).contains("noflush is not true or false");
    assertThat(get("/v1/devices/c/status?noflush=true&noflush=true"))
        .contains(" 400 ", "noflush is there twice");
    assertThat(get("/v1/devices/c/wait?event=-1")).contains("event is not a number from 0 on");
    assertThat(get("/v1/devices/c/wait?event=one")).contains("event is not a number from 0 on");
    assertThat(post("/v1/devices/c/message", "{\"words\":[\"x\"],\"sektor\":0}"))
        .contains(" 400 ", "Unknown field sektor");
    assertThat(post("/v1/devices/c/message", "{\"words\":[\"x\",1]}"))
        .contains(" 400 ", "words is not a list of strings");
    assertThat(post("/v1/devices/c/message", "{\"words\":[\"x\"],\"sector\":\"0\"}"))
        .contains(" 400 ", "sector is not a number from 0 on");
    assertThat(post("/v1/devices/c/message", "{\"words\":[]}")).contains("words is missing");
    assertThat(post("/v1/devices/c/message", "")).contains(" 400 ", "words is missing");
    assertThat(post("/v1/devices/c/message?sector=0", "{\"words\":[\"x\"]}"))
        .contains(" 400 ", "takes its fields in the body");
    assertThat(send("GET /v1/devices/c", "{\"name\":\"c\"}"))
        .contains(" 400 ", "takes its fields in the query");
  }

  @Test
  void aFieldThatIsNullIsLeftOut() throws Exception {
    assertThat(post("/v1/devices/c/message", "{\"words\":[\"x\"],\"sector\":null}"))
        .contains(" 200 ", "\"reply\":\"0 x\"");
  }

  @Test
  void otherPathsAndMethodsAreRefused() throws Exception {
    assertThat(get("/v2/devices")).contains(" 404 ", "There is no /v2/devices here");
    assertThat(get("/v1/devices/c/")).contains(" 404 ");
    assertThat(send("PUT /v1/devices/c", ""))
        .contains(" 405 ", "Allow: GET, DELETE", "/v1/devices/c takes GET, DELETE, not PUT");
    assertThat(send("HEAD /v1/devices/c", "")).contains(" 405 ");
  }

  @Test
  void waitAnswersWhenTheEventNumberHasPassed() throws Exception {
    CompletableFuture<String> answer = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try {
            answer.complete(String.valueOf(ask(Route.WAIT, "name", "c", "event", 1)));
          } catch (Exception failed) {
            answer.completeExceptionally(failed);
          }
        });
    device.raiseEvent();
    assertThat(answer).isNotDone();
    device.raiseEvent();
    assertThat(answer.get(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS))
        .contains("eventNumber=2");
  }

  @Test
  void closingEndsThoseWhoWait() throws Exception {
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try {
            ask(Route.WAIT, "name", "c", "event", 7);
          } catch (Exception dropped) {
            ended.complete(dropped);
          }
        });
    assertThat(ask(Route.INFO, "name", "c").toString()).contains("eventNumber=0");
    server.close();
    assertThat(ended.get(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void aVerbThatWaitsLearnsThatItsPeerHasHungUp() throws Exception {
    CompletableFuture<Boolean> began = new CompletableFuture<>();
    CompletableFuture<Boolean> abandoned = new CompletableFuture<>();
    routes.offer(
        Route.SUSPEND,
        request -> {
          began.complete(request.isAbandoned().getAsBoolean());
          while (!request.isAbandoned().getAsBoolean()) {
            Thread.onSpinWait();
          }
          abandoned.complete(true);
          return new Answer.Json(Map.of());
        });
    try (RawHttp peer = new RawHttp(server.address())) {
      // What comes behind it is another request, no sign of life to be thrown away.
      peer.request("POST /v1/devices/c/suspend", "").request("GET /v1/devices/c", "");
      assertThat(began.get(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS)).isFalse();
      assertThat(abandoned).isNotDone();
    }
    assertThat(abandoned.get(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void oneConnectionTakesManyRequestsAlsoAtOnce() throws Exception {
    try (RawHttp peer = new RawHttp(server.address())) {
      peer.request("GET /v1/devices/c", "")
          .request("POST /v1/devices/c/message", "{\"words\":[\"x\"]}")
          .request("GET /v1/devices/none", "")
          .request("GET /v1/devices", "", "Connection: close");
      assertThat(peer.awaitEnd())
          .containsSubsequence("\"state\"", "\"reply\"", "Device not found", "\"devices\"");
    }
  }

  @Test
  void aLongBodyIsAskedForFirst() throws Exception {
    String body = "{\"words\":[\"" + "x".repeat(100_000) + "\"]}";
    try (RawHttp peer = new RawHttp(server.address())) {
      peer.send(
          "POST /v1/devices/c/message HTTP/1.1\r\nHost: o\r\nConnection: close\r\nContent-Length: "
              + body.length()
              + "\r\nExpect: 100-continue\r\n\r\n");
      peer.awaitText("100 Continue");
      assertThat(peer.send(body).awaitEnd()).contains(" 200 ", "xxxx\"");
    }
  }

  @Test
  void aBadRequestCostsItsOwnConnectionOnly() throws Exception {
    try (RawHttp good = new RawHttp(server.address())) {
      good.request("GET /v1/devices/c", "").awaitText("\"name\":\"c\"");
      String long8K = "x".repeat(8192);
      for (String bad :
          List.of(
              "not http\r\n\r\n",
              "GET /v1/devices HTTP/1.1\r\n\r\n",
              "GET /v1/devices HTTP/2.0\r\nHost: o\r\n\r\n",
              "GET /" + long8K + " HTTP/1.1\r\nHost: o\r\n\r\n",
              "GET /v1/devices HTTP/1.1\r\nHost: o\r\nA: " + long8K + "\r\n\r\n",
              "GET /v1/devices HTTP/1.1\r\nHost: o\r\n" + "A: b\r\n".repeat(100) + "\r\n",
              "GET /v1/devices/%zz%\" HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n")) {
        try (RawHttp peer = new RawHttp(server.address())) {
          assertThat(peer.send(bad).awaitEnd()).contains("HTTP/1.1 ").contains("{\"error\":");
        }
      }
      good.request("GET /v1/targets", "").awaitText("\"snapshot-merge\"");
    }
  }

  @Test
  void aBadBodyIsToldWhatIsWrong() throws Exception {
    String deep = "{\"a\":".repeat(100) + "1" + "}".repeat(100);
    for (String bad :
        List.of("not json", "[]", "{}{}", "{\"a\":1", deep, "{\"a\":1,\"a\":2}", "\u00ff")) {
      assertThat(post("/v1/devices/c/message", bad))
          .contains(" 400 ", "The body is no JSON object");
    }
    String tooLong = " ".repeat(HttpAnswers.MAX_BODY_BYTES + 1);
    assertThat(post("/v1/devices/c/message", tooLong)).contains(" 413 ", "longer than 1048576");
  }

  @Test
  void aFaultInTheProgramIsOneLineForBothSides() throws Exception {
    routes.offer(
        Route.CLEAR,
        request -> {
          throw new IllegalStateException("broken\nin two");
        });
    String why = "fault in the program: java.lang.IllegalStateException: broken";
    assertRefused(ControlException.Kind.FAULT, why, Route.CLEAR, "name", "c");
    assertThat(faults.poll(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS))
        .isEqualTo("POST /v1/devices/c/clear: " + why);
  }

  @Test
  void aRequestThatIsHalfSentIsWaitedForNoLongerThanSeconds() throws Exception {
    try (RawHttp half = new RawHttp(server.address());
        RawHttp halfBody = new RawHttp(server.address())) {
      half.send("GET /v1/dev");
      halfBody.send("POST /v1/devices/c/message HTTP/1.1\r\nHost: o\r\nContent-Length: 9\r\n\r\n{");
      assertThat(half.awaitEnd()).isEmpty();
      halfBody.awaitEnd();
      assertThat(ask(Route.INFO, "name", "c")).containsEntry("name", "c");
    }
  }

  @Test
  void oneConnectionTooManyIsClosed() throws Exception {
    List<RawHttp> peers = new ArrayList<>();
    try {
      for (int i = 0; i < 64; i++) {
        RawHttp peer = new RawHttp(server.address());
        peers.add(peer);
        peer.request("GET /v1/version", "").awaitText("\"java\"");
      }
      try (RawHttp late = new RawHttp(server.address())) {
        assertThat(late.awaitEnd()).isEmpty();
      }
      peers.getFirst().request("GET /v1/devices/c", "").awaitText("eventNumber");
    } finally {
      for (RawHttp peer : peers) {
        peer.close();
      }
    }
  }

  @Test
  void aLiveSocketIsNotTakenOver() {
    assertThatThrownBy(() -> ControlServer.listen(socket, routes, faults::add))
        .isInstanceOf(BindException.class);
    assertThat(socket).exists();
  }

  @Test
  void aDeadSocketIsReplacedAndAnotherFileIsNot() throws Exception {
    Path dead = directory.resolve("dead.sock");
    try (ServerSocketChannel left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      left.bind(UnixDomainSocketAddress.of(dead));
    }
    try (ControlServer second = ControlServer.listen(dead, routes, faults::add)) {
      assertThat(second.address()).isEqualTo(UnixDomainSocketAddress.of(dead));
      assertThat(ControlClient.ask(dead, Route.LS, Map.of())).containsKey("devices");
    }
    Path file = Files.writeString(directory.resolve("file.sock"), "precious");
    assertThatThrownBy(() -> ControlServer.listen(file, routes, faults::add))
        .isInstanceOf(BindException.class);
    assertThat(file).hasContent("precious");
  }

  @Test
  void aSocketThatWasHandedOverIsAnsweredAndStays() throws Exception {
    Path path = directory.resolve("handed.sock");
    ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listening.bind(UnixDomainSocketAddress.of(path));
    try (ControlServer adopted = ControlServer.adopt(listening, routes, faults::add)) {
      assertThat(ControlClient.ask(path, Route.LS, Map.of())).containsKey("devices");
      assertThat(adopted.address()).isEqualTo(UnixDomainSocketAddress.of(path));
    }
    assertThat(path).exists();
    assertThat(listening.isOpen()).as("with it standard output would go").isTrue();
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> ControlClient.ask(path, Route.LS, Map.of()))
          .isInstanceOf(IOException.class);
    }
    listening.close();
    try (ServerSocketChannel tcp = ServerSocketChannel.open().bind(loopback())) {
      assertThatThrownBy(() -> ControlServer.adopt(tcp, routes, faults::add))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("no Unix socket");
    }
  }

  @Test
  void aPortOfTheLoopbackInterfaceTellsTheMetricsAndNothingElse() throws Exception {
    routes.offer(
        Route.METRICS, request -> new Answer.Text("text/plain; version=0.0.4", "oxbow_up 1\n"));
    try (ControlServer metrics = ControlServer.listenForMetrics(loopback(), routes, faults::add)) {
      try (RawHttp peer = new RawHttp(metrics.address())) {
        assertThat(peer.request("GET /metrics", "", "Connection: close").awaitEnd())
            .contains(" 200 ", "text/plain; version=0.0.4", "oxbow_up 1\n");
      }
      for (String other : List.of("GET /v1/devices", "POST /v1/devices/c/message")) {
        try (RawHttp peer = new RawHttp(metrics.address())) {
          assertThat(peer.request(other, "", "Connection: close").awaitEnd()).contains(" 404 ");
        }
      }
    }
    InetSocketAddress everywhere = new InetSocketAddress("0.0.0.0", 0);
    assertThatThrownBy(() -> ControlServer.listenForMetrics(everywhere, routes, faults::add))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("loopback");
  }

  private static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  private void assertRefused(
      ControlException.Kind kind, String why, Route route, Object... fields) {
    assertThatThrownBy(() -> ask(route, fields))
        .isInstanceOfSatisfying(
            ControlException.class, refused -> assertThat(refused.kind()).isEqualTo(kind))
        .hasMessage(why);
  }

  private Map<String, @Nullable Object> ask(Route route, Object... fields) throws Exception {
    Map<String, Object> request = new LinkedHashMap<>();
    for (int i = 0; i < fields.length; i += 2) {
      request.put((String) fields[i], fields[i + 1]);
    }
    return ControlClient.ask(socket, route, request);
  }

  private String get(String path) throws Exception {
    return send("GET " + path, "");
  }

  private String post(String path, String body) throws Exception {
    return send("POST " + path, body);
  }

  private String send(String line, String body) throws Exception {
    try (RawHttp peer = new RawHttp(server.address())) {
      return peer.request(line, body, "Connection: close").awaitEnd();
    }
  }
}
