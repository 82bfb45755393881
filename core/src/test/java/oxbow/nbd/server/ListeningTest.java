package oxbow.nbd.server;

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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;

/**
 * A server listens where it was told, for those it was told, and takes nothing away from others.
 * Method: real sockets in a directory of the test's own.
 */
@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ListeningTest {
  @TempDir Path directory;

  private final WorkerDiskPool disks = new WorkerDiskPool(1);
  private Engine engine;
  private NbdServer server;

  @BeforeEach
  void start() throws IOException {
    engine = new Engine(1, disks);
    server = newServer(ServerOptions.DEFAULT);
  }

  private NbdServer newServer(ServerOptions options) {
    NbdServer created = new NbdServer(engine, options);
    created.add(Export.of("disk", new ArenaDevice(4096)));
    return created;
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
    engine.close();
    disks.close();
  }

  private Path socket() {
    return directory.resolve("a socket");
  }

  private UnixDomainSocketAddress address() {
    return UnixDomainSocketAddress.of(socket());
  }

  private Stream<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> "" + file.getFileName()).toList().stream();
    }
  }

  @Test
  void socketCanBeOpenedByItsOwnerOnlyAndIsAloneInItsDirectory() throws IOException {
    ListeningAddress listening = server.listen(address());

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())))
        .isEqualTo("rw-------");
    assertThat(names()).containsExactly("a socket");
    assertThat(listening.uri("a/b ü"))
        .isEqualTo(
            "nbd+unix:///a%2Fb%20%C3%BC?socket=" + directory.toAbsolutePath() + "/a%20socket");
    assertThat(server.addresses()).containsExactly(listening);
    RawClient.go(listening.address(), "disk").close();
  }

  @Test
  void closingRemovesTheSocket() throws IOException {
    server.listen(address());
    server.close();

    assertThat(names()).isEmpty();
    assertThat(server.addresses()).isEmpty();
  }

  @Test
  void servedSocketIsNotReplaced() throws IOException {
    server.listen(address());
    NbdServer other = newServer(ServerOptions.DEFAULT);

    assertThatThrownBy(() -> other.listen(address()))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("in use");
    RawClient.go(address(), "disk").close();
    assertThat(names()).containsExactly("a socket");
    other.close();
    assertThat(names()).containsExactly("a socket");
  }

  @Test
  void abandonedSocketIsReplaced() throws IOException {
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(address());
    }
    server.listen(address());

    RawClient.go(address(), "disk").close();
    assertThat(names()).containsExactly("a socket");
  }

  @Test
  void whatIsNotASocketStays() throws IOException {
    Files.writeString(socket(), "precious");

    assertThatThrownBy(() -> server.listen(address()))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("not a socket");
    assertThat(socket()).hasContent("precious");
    assertThat(names()).containsExactly("a socket");
  }

  @Test
  void symbolicLinkStaysEvenIfItLeadsToAnAbandonedSocket() throws IOException {
    Path target = directory.resolve("t");
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(target));
    }
    Files.createSymbolicLink(socket(), target);

    assertThatThrownBy(() -> server.listen(address())).isInstanceOf(BindException.class);
    assertThat(names()).containsExactlyInAnyOrder("a socket", "t");
  }

  @Test
  void socketThatSomeoneElseHasPutInOurPlaceStays() throws IOException {
    server.listen(address());
    Files.delete(socket());
    Files.writeString(socket(), "precious");
    server.close();

    assertThat(socket()).hasContent("precious");
  }

  @Test
  void tcpPicksAPortAndServesLoopback() throws IOException {
    ListeningAddress listening =
        server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));

    int port = ((InetSocketAddress) listening.address()).getPort();
    assertThat(listening.uri("disk")).endsWith(":" + port + "/disk").startsWith("nbd://");
    try (RawClient client = RawClient.go(listening.address(), "disk")) {
      assertThat(client.write(0, new byte[100])).isZero();
      assertThat(client.read(0, 4096).remaining()).isEqualTo(4096);
    }
  }

  @Test
  void addressesOfOtherMachinesHaveToBeAllowed() throws IOException {
    InetSocketAddress everywhere = new InetSocketAddress("0.0.0.0", 0);

    assertThatThrownBy(() -> server.listen(everywhere))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("other machines");
    try (NbdServer open = newServer(ServerOptions.DEFAULT.withRemoteAllowed())) {
      assertThat(open.listen(everywhere).uri("x")).startsWith("nbd://0.0.0.0:");
    }
  }

  @Test
  void portIsFreeOnceTheServerHasStoppedAccepting() throws IOException {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    ListeningAddress first = server.listen(any);
    try (RawClient client = RawClient.go(first.address(), "disk")) {
      server.stopAccepting();

      assertThatThrownBy(() -> RawClient.connect(first.address()).close())
          .isInstanceOf(IOException.class);
      assertThat(client.write(0, new byte[100])).isZero();
    }
  }
}
