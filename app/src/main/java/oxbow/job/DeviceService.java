package oxbow.job;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.engine.Engine;
import oxbow.nbd.server.Export;
import oxbow.nbd.server.ListeningAddress;
import oxbow.nbd.server.NbdServer;
import oxbow.nbd.server.ServerOptions;

/** One device, served over NBD on one or more addresses. */
final class DeviceService implements AutoCloseable {
  private static final Duration DRAIN = Duration.ofSeconds(30);

  private final NbdServer server;
  private final String name;

  private DeviceService(NbdServer server, String name) {
    this.server = server;
    this.name = name;
  }

  /**
   * Serves at once.
   *
   * @param option where the addresses stand on the command line
   * @param listen as users write addresses; empty for a socket in the control directory
   */
  static DeviceService serve(
      String command,
      String option,
      BlockDevice device,
      String name,
      List<String> listen,
      Engine engine)
      throws UserException, IOException {
    List<SocketAddress> addresses = new ArrayList<>();
    for (String text : listen) {
      addresses.add(ListenAddress.parse(command, option, text));
    }
    if (listen.isEmpty()) {
      ControlDirectory directory = ControlDirectory.ofUser().prepare();
      addresses.add(UnixDomainSocketAddress.of(directory.nbdSocket(name)));
    }
    DeviceService service = new DeviceService(new NbdServer(engine, ServerOptions.DEFAULT), name);
    service.server.add(Export.of(name, device));
    for (SocketAddress address : addresses) {
      try {
        service.listen(address);
      } catch (IOException failed) {
        service.close();
        throw UserException.failed(command + ": " + shown(address), failed)
            .advise("Nothing was left behind. " + option + " chooses another address.");
      }
    }
    return service;
  }

  private void listen(SocketAddress address) throws IOException {
    switch (address) {
      case UnixDomainSocketAddress unix -> server.listen(unix);
      case InetSocketAddress inet -> server.listen(inet);
      default -> throw new IllegalStateException("not an address to listen on: " + address);
    }
  }

  private static String shown(SocketAddress address) {
    return switch (address) {
      // The exception names the path.
      case UnixDomainSocketAddress unix -> "listen";
      case InetSocketAddress inet -> "listen on tcp:" + inet.getHostString() + ":" + inet.getPort();
      default -> address.toString();
    };
  }

  /** The URIs under which the device is reached. */
  List<String> uris() {
    return server.addresses().stream().map((ListeningAddress at) -> at.uri(name)).toList();
  }

  int clients() {
    return server.connectionCount();
  }

  /**
   * Answers what is in flight, takes no more, hangs up. Blocks.
   *
   * @return false when the device still holds requests
   */
  boolean drain() throws IOException {
    return server.close(DRAIN);
  }

  @Override
  public void close() throws IOException {
    drain();
  }
}
