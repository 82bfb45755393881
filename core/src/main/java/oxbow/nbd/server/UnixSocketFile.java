package oxbow.nbd.server;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import oxbow.engine.Engine;
import oxbow.engine.Listener;

/**
 * A listening Unix socket whose file only its owner can open, from its first moment on.
 *
 * <p>The socket is bound inside a new directory that nobody else can enter, gets its mode there,
 * and is then linked to its place. Linking never replaces anything. What stands in the way is moved
 * away only if it is a socket at which nobody listens, and it is asked once more after it was
 * moved, since another server may have come meanwhile.
 */
final class UnixSocketFile implements AutoCloseable {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> OWNER_DIRECTORY =
      PosixFilePermissions.fromString("rwx------");
  private static final int MAX_ATTEMPTS = 10;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path path;
  private final Listener listener;
  private final @Nullable Object fileKey;

  private UnixSocketFile(Path path, Listener listener) throws IOException {
    this.path = path;
    this.listener = listener;
    this.fileKey = key(path);
  }

  /**
   * Listens at the path.
   *
   * @throws BindException when something other than an abandoned socket is there; it stays
   */
  static UnixSocketFile listen(Engine engine, Path at, Listener.Acceptor acceptor)
      throws IOException {
    Path path = at.toAbsolutePath();
    Path directory = privateDirectory(path);
    Path born = directory.resolve("s");
    try {
      Listener listener = engine.listen(UnixDomainSocketAddress.of(born), acceptor);
      try {
        Files.setPosixFilePermissions(born, OWNER_ONLY);
        link(born, path, directory);
        return new UnixSocketFile(path, listener);
      } catch (IOException | RuntimeException e) {
        listener.close();
        throw e;
      }
    } finally {
      Files.deleteIfExists(born);
      Files.deleteIfExists(directory);
    }
  }

  /**
   * Beside the path, since links do not cross file systems; its name is short, as paths must be.
   */
  private static Path privateDirectory(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent == null) {
      throw new BindException(path + ": not a place for a socket");
    }
    for (int attempt = 1; ; attempt++) {
      String name = ".ox" + Integer.toHexString(RANDOM.nextInt() & 0xffffff);
      try {
        return Files.createDirectory(
            parent.resolve(name), PosixFilePermissions.asFileAttribute(OWNER_DIRECTORY));
      } catch (FileAlreadyExistsException e) {
        if (attempt == MAX_ATTEMPTS) {
          throw e;
        }
      } catch (NoSuchFileException e) {
        throw new NoSuchFileException(parent.toString()); // Users know nothing of the other name.
      }
    }
  }

  private static void link(Path born, Path path, Path directory) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        Files.createLink(path, born);
        return;
      } catch (FileAlreadyExistsException e) {
        if (attempt == MAX_ATTEMPTS) {
          throw new BindException(path + ": another process keeps creating it");
        }
        removeAbandoned(path, directory.resolve("old"));
      }
    }
  }

  private static void removeAbandoned(Path path, Path aside) throws IOException {
    try {
      requireAbandoned(path, path);
      Files.move(path, aside, StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException e) {
      return; // Someone else has removed it.
    } catch (AtomicMoveNotSupportedException e) {
      throw new BindException(path + ": cannot be moved out of the way: " + e.getMessage());
    }
    try {
      requireAbandoned(aside, path);
    } catch (BindException served) {
      Files.createLink(path, aside);
      throw served;
    } finally {
      Files.deleteIfExists(aside);
    }
  }

  private static void requireAbandoned(Path socket, Path path) throws IOException {
    BasicFileAttributes attributes =
        Files.readAttributes(socket, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isOther()) {
      throw new BindException(path + ": exists and is not a socket");
    }
    try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      throw new BindException(
          path + ": in use by another process" + (probe.isConnected() ? "" : ", it seems"));
    } catch (ConnectException refused) {
      // Nobody listens: what is left of a server that was killed.
    }
  }

  private static @Nullable Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  Path path() {
    return path;
  }

  /** Stops listening and removes the file, if it is still ours. */
  @Override
  public void close() throws IOException {
    listener.close();
    try {
      if (fileKey != null && fileKey.equals(key(path))) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException e) {
      // Someone else has removed it.
    }
  }
}
