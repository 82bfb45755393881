package oxbow.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Aim: a service manager hears what it is told, and gets back the socket that it passed. Method:
 * Python as the manager, so that no code of ours is on both sides.
 */
@Timeout(60)
class ServiceManagerTest {
  private static final long TIMEOUT_SECONDS = 30;

  /** Receives one message; ends by itself. */
  private static final String RECEIVER =
      """
      import socket, sys
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      s.settimeout(30)
      name = sys.argv[1]
      s.bind('\\0' + name[1:] if name[0] == '@' else name)
      print('bound', flush=True)
      print(repr(s.recv(4096)))
      """;

  /** Becomes a program that has what is asked for as file descriptor 3. */
  private static final String STARTER =
      """
      import os, socket, sys
      kind, path = sys.argv[1:3]
      if kind == 'listening':
          s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
          s.bind(path)
          s.listen(5)
      elif kind == 'datagram':
          s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      else:
          s = open('/dev/null')
      if s.fileno() == 3:
          os.set_inheritable(3, True)
      else:
          os.dup2(s.fileno(), 3)
      os.environ['LISTEN_PID'] = str(os.getpid())
      os.environ['LISTEN_FDS'] = '1'
      print('bound', flush=True)
      os.execv(sys.argv[3], sys.argv[3:])
      """;

  @TempDir Path directory;

  private static Process python(String program, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("python3", "-c", program));
    command.addAll(arguments);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.outputWriter().close();
    return process;
  }

  private static void awaitEnd(Process process) throws InterruptedException {
    assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  private static ServiceManager managerAt(String address) {
    return new ServiceManager(Map.of("NOTIFY_SOCKET", address));
  }

  // Telling.

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theManagerHearsWhatItIsTold(boolean isAbstract) throws Exception {
    String path = directory.resolve("notify").toString();
    String address = isAbstract ? "@" + path : path;
    Process receiver = python(RECEIVER, List.of(address));
    try (BufferedReader said = receiver.inputReader()) {
      assertThat(said.readLine()).isEqualTo("bound");
      managerAt(address).tell("READY=1\nSTATUS=3 devices, all well…");
      assertThat(said.readLine())
          .isEqualTo("b'READY=1\\nSTATUS=3 devices, all well\\xe2\\x80\\xa6'");
      awaitEnd(receiver);
    } finally {
      receiver.destroyForcibly();
    }
  }

  @Test
  void withoutAManagerNobodyIsTold() throws IOException {
    new ServiceManager(Map.of()).tell("READY=1");
  }

  @Test
  void aManagerThatCannotBeToldIsAnError() throws IOException {
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> managerAt(missing.toString()).tell("READY=1"))
        .hasMessage(missing + ": No such file or directory");
    assertThatThrownBy(() -> managerAt("vsock:2:1234").tell("READY=1"))
        .hasMessage("vsock:2:1234: neither a path nor an abstract socket");
    String tooLong = "/" + "x".repeat(107);
    assertThatThrownBy(() -> managerAt(tooLong).tell("READY=1"))
        .hasMessage(tooLong + ": longer than 107 bytes");
    Path stream = directory.resolve("stream");
    try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      other.bind(UnixDomainSocketAddress.of(stream));
      assertThatThrownBy(() -> managerAt(stream.toString()).tell("READY=1"))
          .isInstanceOf(IOException.class);
    }
  }

  // Inheriting.

  /** Serves one connection on the socket it has inherited, and gives back what comes. */
  static final class Program {
    private Program() {}

    static List<String> command() {
      return List.of(
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "--enable-native-access=ALL-UNNAMED",
          "-ea",
          "-cp",
          System.getProperty("java.class.path"),
          Program.class.getName());
    }

    public static void main(String[] arguments) throws IOException {
      try {
        ServerSocketChannel socket =
            new ServiceManager(System.getenv()).inheritedSocket().orElseThrow();
        System.out.println("listens at " + socket.getLocalAddress());
        try (SocketChannel connection = socket.accept()) {
          ByteBuffer bytes = ByteBuffer.allocate(100);
          connection.read(bytes);
          connection.write(bytes.flip());
        }
        System.out.println("served");
        socket.close();
        System.out.println("after the end of the channel");
      } catch (IOException refused) {
        System.out.println(refused.getMessage());
      }
    }
  }

  private Process start(String kind, Path path) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(kind, path.toString()));
    arguments.addAll(Program.command());
    return python(STARTER, arguments);
  }

  @Test
  void connectionsToTheInheritedSocketAreTheServices() throws Exception {
    Path path = directory.resolve("control");
    Process service = start("listening", path);
    try (BufferedReader said = service.inputReader()) {
      assertThat(said.readLine()).isEqualTo("bound");
      try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
        client.write(ByteBuffer.wrap("are you there?".getBytes(StandardCharsets.UTF_8)));
        client.shutdownOutput();
        byte[] answer = Channels.newInputStream(client).readAllBytes();
        assertThat(answer).asString(StandardCharsets.UTF_8).isEqualTo("are you there?");
      }
      assertThat(said.readLine()).isEqualTo("listens at " + path);
      assertThat(said.readLine()).isEqualTo("served");
      assertThat(said.readLine()).as("once the channel is closed nothing is heard").isNull();
      awaitEnd(service);
    } finally {
      service.destroyForcibly();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"datagram", "file"})
  void whatDoesNotListenIsRefused(String kind) throws Exception {
    Process service = start(kind, directory.resolve("none"));
    try (BufferedReader said = service.inputReader()) {
      assertThat(said.readLine()).isEqualTo("bound");
      assertThat(said.readLine()).isEqualTo("file descriptor 3: not a socket that listens");
      awaitEnd(service);
    } finally {
      service.destroyForcibly();
    }
  }

  @ParameterizedTest
  @CsvSource({"2", "-1", "x"})
  void oneSocketIsExpected(String count) {
    ServiceManager manager = new ServiceManager(listen(ownPid(), count));
    assertThatThrownBy(manager::inheritedSocket)
        .isInstanceOf(IOException.class)
        .hasMessage("LISTEN_FDS=" + count + ": one socket is expected");
  }

  @Test
  void socketsOfOthersAreLeftAlone() throws IOException {
    assertThat(new ServiceManager(Map.of()).inheritedSocket()).isEmpty();
    assertThat(new ServiceManager(Map.of("LISTEN_FDS", "1")).inheritedSocket()).isEmpty();
    assertThat(new ServiceManager(listen("1", "1")).inheritedSocket()).isEmpty();
    assertThat(new ServiceManager(listen(ownPid(), "0")).inheritedSocket()).isEmpty();
  }

  private static Map<String, String> listen(String pid, String count) {
    return Map.of("LISTEN_PID", pid, "LISTEN_FDS", count);
  }

  private static String ownPid() {
    return Long.toString(ProcessHandle.current().pid());
  }
}
