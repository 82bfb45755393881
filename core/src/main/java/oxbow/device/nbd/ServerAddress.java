package oxbow.device.nbd;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import oxbow.engine.EventLoop;
import oxbow.nbd.client.NbdAddress;

/** Turns an NBD address into what sockets connect to, again for each attempt: hosts move. */
final class ServerAddress {
  private final NbdAddress address;
  private final Executor blocking;

  /**
   * @param blocking where the look-up of names may wait
   */
  ServerAddress(NbdAddress address, Executor blocking) {
    this.address = address;
    this.blocking = blocking;
  }

  /** Told the addresses to try in turn; if there are none, why not. */
  interface Receiver {
    void resolved(List<SocketAddress> addresses, String why);
  }

  String exportName() {
    return address.exportName();
  }

  /** Does not block; the receiver is told on the loop, possibly before this returns. */
  void resolve(EventLoop loop, Receiver receiver) {
    if (address.isUnix()) {
      try {
        receiver.resolved(List.of(UnixDomainSocketAddress.of(address.socketPath())), "");
      } catch (IllegalArgumentException e) {
        receiver.resolved(List.of(), "not a socket's path: " + e.getMessage());
      }
      return;
    }
    try {
      blocking.execute(() -> lookUp(loop, receiver));
    } catch (RejectedExecutionException e) {
      receiver.resolved(List.of(), "the engine was closed");
    }
  }

  private void lookUp(EventLoop loop, Receiver receiver) {
    try {
      List<SocketAddress> found =
          Arrays.stream(InetAddress.getAllByName(address.host()))
              .map(host -> (SocketAddress) new InetSocketAddress(host, address.port()))
              .toList();
      loop.execute(() -> receiver.resolved(found, ""));
    } catch (UnknownHostException e) {
      String why = "unknown host " + address.host();
      loop.execute(() -> receiver.resolved(List.of(), why));
    }
  }
}
