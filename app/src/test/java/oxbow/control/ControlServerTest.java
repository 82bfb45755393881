package oxbow.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.BindException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.console.Json;

/**
 * Aim: the control socket answers its owner, line by line, and nothing a peer sends harms others.
 * Method: a real socket in a temporary directory, in front of a scripted device.
 */
class ControlServerTest {
  @TempDir Path directory;
  private final ScriptedDevice device = new ScriptedDevice("c");
  private final DeviceRegistry registry = new DeviceRegistry();
  private ControlServer server;
  private Path socket;

  @BeforeEach
  void listen() throws Exception {
    registry.add(device);
    socket = directory.resolve("c.sock");
    server = ControlServer.listen(socket, new Verbs(registry));
  }

  @AfterEach
  void close() throws Exception {
    server.close();
    assertThat(socket).doesNotExist();
  }

  @Test
  void onlyTheOwnerMayUseTheSocket() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
  }

  @Test
  void statusTakesTheNoflushFlag() throws Exception {
    assertThat(ask("verb", "status", "name", "c").toString()).contains("8 6/1024 8 2/2048");
    assertThat(ask("verb", "status", "name", "c", "noflush", true).toString())
        .contains("8 6/1024 8 0/2048");
  }

  @Test
  void refusalsCarryTheSentence() {
    assertThatThrownBy(() -> ask("verb", "status", "name", "other"))
        .isInstanceOf(ControlException.class)
        .hasMessage("Device not found");
    assertThatThrownBy(() -> ask("verb", "explode", "name", "c"))
        .hasMessage("Unknown command explode");
    assertThatThrownBy(
            () -> ask("verb", "message", "name", "c", "sector", 16384, "words", List.of("x")))
        .hasMessage("Target message sector outside device.");
    assertThatThrownBy(() -> ask("verb", "message", "name", "c", "words", List.of()))
        .hasMessageContaining("words");
    assertThatThrownBy(() -> ask("verb", "wait", "name", "c", "event", -1))
        .hasMessageContaining("event");
  }

  @Test
  void waitAnswersWhenTheEventNumberHasPassed() throws Exception {
    CompletableFuture<String> answer = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try {
            answer.complete(String.valueOf(ask("verb", "wait", "name", "c", "event", 1)));
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
            ask("verb", "wait", "name", "c", "event", 7);
          } catch (Exception dropped) {
            ended.complete(dropped);
          }
        });
    assertThat(ask("verb", "info", "name", "c").toString()).contains("eventNumber=0");
    server.close();
    assertThat(ended.get(ScriptedDevice.PATIENCE_SECONDS, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void aBadLineCostsItsOwnConnectionOnly() throws Exception {
    try (SocketChannel good = connect()) {
      for (String bad :
          List.of(
              "not json\n",
              "[]\n",
              "{\"oxbow\":1}{}\n",
              "{\"oxbow\":1,\"verb\":\"ls\"\n",
              "{\"a\":".repeat(100) + "1" + "}".repeat(100) + "\n",
              "x".repeat(ControlLines.MAX_LINE_BYTES + 1))) {
        try (SocketChannel channel = connect()) {
          send(channel, bad);
          String answer = new ControlLines(channel).read();
          assertThat(Json.object(String.valueOf(answer))).containsKey("error");
          assertThat(new ControlLines(channel).read()).isNull();
        }
      }
      send(good, "{\"oxbow\":1,\"verb\":\"ls\"}\n");
      assertThat(new ControlLines(good).read()).contains("\"name\":\"c\"");
    }
  }

  @Test
  void anotherVersionOfTheProtocolIsRefused() throws Exception {
    try (SocketChannel channel = connect()) {
      send(channel, "{\"oxbow\":2,\"verb\":\"ls\"}\n{\"oxbow\":1,\"verb\":\"ls\"}\n");
      ControlLines lines = new ControlLines(channel);
      assertThat(lines.read()).contains("version 2");
      assertThat(lines.read()).contains("devices");
    }
  }

  @Test
  void aLiveSocketIsNotTakenOver() {
    assertThatThrownBy(() -> ControlServer.listen(socket, new Verbs(registry)))
        .isInstanceOf(BindException.class);
    assertThat(socket).exists();
  }

  @Test
  void aDeadSocketIsReplacedAndAnotherFileIsNot() throws Exception {
    Path dead = directory.resolve("dead.sock");
    try (ServerSocketChannel left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      left.bind(UnixDomainSocketAddress.of(dead));
    }
    try (ControlServer second = ControlServer.listen(dead, new Verbs(registry))) {
      assertThat(ControlClient.ask(second.path(), Map.of("verb", "ls"))).containsKey("devices");
    }
    Path file = Files.writeString(directory.resolve("file.sock"), "precious");
    assertThatThrownBy(() -> ControlServer.listen(file, new Verbs(registry)))
        .isInstanceOf(BindException.class);
    assertThat(file).hasContent("precious");
  }

  private Map<String, ?> ask(Object... fields) throws Exception {
    Map<String, Object> request = new LinkedHashMap<>();
    for (int i = 0; i < fields.length; i += 2) {
      request.put((String) fields[i], fields[i + 1]);
    }
    return ControlClient.ask(socket, request);
  }

  private SocketChannel connect() throws Exception {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    return channel;
  }

  private static void send(SocketChannel channel, String text) throws Exception {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
