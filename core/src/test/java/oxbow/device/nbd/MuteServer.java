package oxbow.device.nbd;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import oxbow.nbd.client.NbdAddress;

/** Lets clients connect, as far as the kernel does that by itself, and never says a word. */
final class MuteServer implements AutoCloseable {
  private final Path socket;
  private final ServerSocketChannel listener;

  MuteServer(Path socket) throws IOException {
    this.socket = socket;
    Files.deleteIfExists(socket);
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
  }

  NbdAddress address() {
    return NbdAddress.unix(socket.toString(), "disk");
  }

  @Override
  public void close() throws IOException {
    listener.close();
    Files.deleteIfExists(socket);
  }
}
