package oxbow.control;

import java.io.IOException;
import java.net.BindException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Listening on a Unix socket that only its owner may use, and telling a live one from a dead one.
 */
final class ControlSocket {
  private static final int BACKLOG = 64;

  private ControlSocket() {}

  /**
   * Listens at a path. A socket that a dead process left behind is replaced; a live one is not.
   *
   * @throws BindException when another process listens there, or the path is no socket
   */
  static ServerSocketChannel listen(Path path) throws IOException {
    try {
      return bind(path);
    } catch (BindException taken) {
      if (!isDead(path)) {
        throw inUse(path);
      }
    }
    // Two processes that find the same dead socket must not both replace it: the second would
    // remove
    // the first one's live socket. The lock file stays, since removing it would let two hold it.
    Path lock = path.resolveSibling("." + path.getFileName() + ".lock");
    try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      assert held.isValid();
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        if (!isDead(path)) {
          throw inUse(path);
        }
        Files.delete(path);
      }
      return bind(path);
    }
  }

  private static BindException inUse(Path path) {
    return new BindException(path + " is in use");
  }

  private static ServerSocketChannel bind(Path path) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path), BACKLOG);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      return server;
    } catch (IOException | RuntimeException failed) {
      server.close();
      throw failed;
    }
  }

  /** Whether a socket is there that nobody listens on; the kernel tells for certain. */
  static boolean isDead(Path path) {
    if (!isSocket(path)) {
      return false;
    }
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(path));
      return false;
    } catch (IOException refused) {
      return String.valueOf(refused.getMessage()).contains("refused");
    }
  }

  private static boolean isSocket(Path path) {
    try {
      int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
      return (mode & 0xF000) == 0xC000;
    } catch (IOException absent) {
      return false;
    }
  }
}
