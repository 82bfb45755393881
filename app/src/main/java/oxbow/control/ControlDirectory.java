package oxbow.control;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The directory where processes of one user keep their sockets: {@code $XDG_RUNTIME_DIR/oxbow},
 * else {@code /run/oxbow} where that may be written, else {@code oxbow-UID} in the directory for
 * temporary files. It belongs to the user and nobody else may enter it.
 */
public final class ControlDirectory {
  /** The name of the daemon's control socket, which no device of another process may have. */
  public static final String DAEMON = "control";

  private static final String CONTROL_SUFFIX = ".sock";
  private static final String NBD_SUFFIX = ".nbd";
  private static final int MAX_NAME_CHARS = 60;
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");

  private final Path path;

  private ControlDirectory(Path path) {
    this.path = path;
  }

  /** The directory of this user; it need not exist yet. Touches nothing. */
  public static ControlDirectory ofUser() {
    return of(System.getenv(), Path.of("/run"));
  }

  /**
   * The same for a given environment.
   *
   * @param run the directory that holds the system's run-time files
   */
  static ControlDirectory of(Map<String, String> environment, Path run) {
    String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
    if (!runtime.isEmpty() && Path.of(runtime).isAbsolute() && Files.isWritable(Path.of(runtime))) {
      return new ControlDirectory(Path.of(runtime, "oxbow"));
    }
    Path shared = run.resolve("oxbow");
    if (isOwn(shared) || (!Files.exists(shared) && Files.isWritable(run))) {
      return new ControlDirectory(shared);
    }
    String temporary = environment.getOrDefault("TMPDIR", "");
    Path parent = Path.of(temporary.isEmpty() ? "/tmp" : temporary);
    return new ControlDirectory(parent.resolve("oxbow-" + userId()));
  }

  /** Makes sure that the directory exists and is the user's alone. */
  public ControlDirectory prepare() throws IOException {
    try {
      Files.createDirectory(path, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    } catch (FileAlreadyExistsException there) {
      if (!isOwn(path)) {
        throw new IOException(
            path + " is not a directory that only you can enter: give paths with --control", there);
      }
    }
    return this;
  }

  public Path path() {
    return path;
  }

  /** Where a device of this name is controlled. */
  public Path controlSocket(String name) {
    return path.resolve(name + CONTROL_SUFFIX);
  }

  /** Where a device of this name is served by default. */
  public Path nbdSocket(String name) {
    return path.resolve(name + NBD_SUFFIX);
  }

  /** Whether somebody listens at the control socket of this name. */
  public boolean hasListener(String name) {
    return Files.exists(controlSocket(name)) && !ControlSocket.isDead(controlSocket(name));
  }

  /** Names that have a control socket here, in order; whether anyone listens is another matter. */
  public List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    if (!Files.isDirectory(path)) {
      return names;
    }
    try (DirectoryStream<Path> sockets = Files.newDirectoryStream(path, "*" + CONTROL_SUFFIX)) {
      for (Path socket : sockets) {
        String file = String.valueOf(socket.getFileName());
        names.add(file.substring(0, file.length() - CONTROL_SUFFIX.length()));
      }
    }
    names.sort(null);
    return names;
  }

  /**
   * A name that is fit for a file, an NBD export and a URI, made from the last part of a device
   * address; never empty.
   */
  public static String nameFrom(String address) {
    String last = address.substring(address.lastIndexOf('/') + 1);
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < last.length() && name.length() < MAX_NAME_CHARS; i++) {
      char c = last.charAt(i);
      name.append(isNameChar(c) ? c : '_');
    }
    while (!name.isEmpty() && (name.charAt(0) == '.' || name.charAt(0) == '-')) {
      name.deleteCharAt(0);
    }
    return name.isEmpty() ? "device" : name.toString();
  }

  /** Whether a user may give a device this name. */
  public static boolean isName(String name) {
    return !name.isEmpty() && nameFrom(name).equals(name);
  }

  private static boolean isNameChar(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "._-+:@".indexOf(c) >= 0;
  }

  /** A link would let someone else move our sockets elsewhere, hence no link is followed. */
  private static boolean isOwn(Path directory) {
    try {
      PosixFileAttributes attributes =
          Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return attributes.isDirectory()
          && Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS).equals(userId())
          && OWNER_ONLY.containsAll(attributes.permissions());
    } catch (IOException absent) {
      return false;
    }
  }

  /** The number of the user this process runs as. */
  static int userId() {
    for (String ours : List.of("/proc/self", System.getProperty("user.home", "/"))) {
      try {
        return (Integer) Files.getAttribute(Path.of(ours), "unix:uid");
      } catch (IOException absent) {
        // Not this system's way to tell; there is another.
      }
    }
    throw new IllegalStateException(
        String.format(
            Locale.ROOT, "no way to tell the user of process %d", ProcessHandle.current().pid()));
  }
}
