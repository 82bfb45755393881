package oxbow.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
 * Aim: whoever follows events gets each at once, and a follower that is gone is noticed. Method: a
 * scripted source behind a real server; heartbeats on a stream of bytes.
 */
class EventStreamTest {
  private static final Map<String, @Nullable Object> DATA = Map.of("name", "c\n2");

  @TempDir Path directory;
  private final ScriptedEvents source = new ScriptedEvents();
  private ControlServer server;
  private Path socket;

  @BeforeEach
  void listen() throws Exception {
    socket = directory.resolve("c.sock");
    Routes routes = new Routes().offer(Route.EVENTS, request -> new Answer.Stream(source));
    server = ControlServer.listen(socket, routes, fault -> {});
  }

  @AfterEach
  void close() throws Exception {
    server.close();
  }

  @Test
  void eventsArriveAsTheyAreTold() throws Exception {
    try (RawHttp peer = new RawHttp(server.address())) {
      peer.request("GET /v1/events", "").awaitText(": connected\n\n");
      source.tell(7, "created", DATA);
      assertThat(peer.awaitText("data: "))
          .contains("Content-Type: text/event-stream")
          .contains("id: 7\nevent: created\ndata: {\"name\":\"c\\n2\"}\n\n");
      source.tell(8, "removed", DATA);
      peer.awaitText("id: 8\nevent: removed\n");
      source.end();
      peer.awaitText("\r\n0\r\n");
      assertThat(source.isClosedInTime()).isTrue();
    }
  }

  @Test
  void theClientHandsOverWhatItFollows() throws Exception {
    List<Event> followed = new ArrayList<>();
    LinkedBlockingQueue<Event> arrived = new LinkedBlockingQueue<>();
    CompletableFuture<Void> end = follow(arrived);
    source.tell(1, "created", DATA);
    followed.add(arrived.poll(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS));
    source.tell(2, "removed", Map.of());
    followed.add(arrived.poll(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS));
    assertThat(followed)
        .containsExactly(new Event(1, "created", DATA), new Event(2, "removed", Map.of()));
    source.end();
    end.get(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  @Test
  void aFollowerThatIsCutOffIsTold() throws Exception {
    LinkedBlockingQueue<Event> arrived = new LinkedBlockingQueue<>();
    CompletableFuture<Void> end = follow(arrived);
    source.tell(1, "created", DATA);
    assertThat(arrived.poll(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS)).isNotNull();
    server.close();
    assertThatThrownBy(() -> end.get(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS))
        .hasCauseInstanceOf(IOException.class);
    assertThat(source.isClosedInTime()).isTrue();
  }

  @Test
  void aFollowerThatHangsUpIsForgotten() throws Exception {
    try (RawHttp peer = new RawHttp(server.address())) {
      peer.request("GET /v1/events", "").awaitText(": connected\n\n");
    }
    assertThat(source.isClosedInTime()).isTrue();
  }

  @Test
  void silenceIsBrokenByHeartbeats() throws Exception {
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    EventStream.write(
        source,
        sent,
        () -> sent.toString(StandardCharsets.UTF_8).contains(":\n\n:\n\n"),
        Duration.ZERO);
    assertThat(sent.toString(StandardCharsets.UTF_8)).startsWith(": connected\n\n:\n\n:\n\n");
  }

  @Test
  void aHeartbeatThatCannotBeSentEndsTheStream() {
    OutputStream broken =
        new OutputStream() {
          private int left = ": connected\n\n".length();

          @Override
          public void write(int one) throws IOException {
            if (left-- == 0) {
              throw new IOException("broken pipe");
            }
          }
        };
    assertThatThrownBy(() -> EventStream.write(source, broken, () -> false, Duration.ZERO))
        .hasMessage("broken pipe");
  }

  private CompletableFuture<Void> follow(LinkedBlockingQueue<Event> arrived) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                ControlClient.follow(socket, Route.EVENTS, Map.of(), arrived::add);
                end.complete(null);
              } catch (IOException | ControlException failed) {
                end.completeExceptionally(failed);
              }
            });
    return end;
  }
}
