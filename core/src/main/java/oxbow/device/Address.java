package oxbow.device;

import java.nio.file.Path;
import java.util.Set;
import oxbow.block.ByteSize;

/**
 * Where a device is, in the words users type. Parsing only: nothing is opened or looked up.
 *
 * @see "docs: device addresses; the NBD URI standard"
 */
public sealed interface Address {
  /** The port of NBD servers that name none. */
  int DEFAULT_NBD_PORT = 10809;

  /** As it was typed; parses to the same address again. */
  String text();

  /** A regular file or block device: {@code PATH} or {@code file:PATH}. */
  record File(String text, Path path) implements Address {}

  /** {@code nbd://HOST[:PORT]/EXPORT}. */
  record NbdTcp(String text, String host, int port, String exportName) implements Address {}

  /** {@code nbd+unix:///EXPORT?socket=PATH}. */
  record NbdUnix(String text, Path socket, String exportName) implements Address {}

  /** {@code mem:SIZE}. */
  record Mem(String text, long sizeBytes) implements Address {}

  /** {@code zero:SIZE}. */
  record Zero(String text, long sizeBytes) implements Address {}

  /** {@code error:SIZE}. */
  record Failing(String text, long sizeBytes) implements Address {}

  /** {@code oxbow:NAME}: another device of the same daemon. */
  record Named(String text, String name) implements Address {}

  /**
   * Known to the grammar, not yet to this program.
   *
   * @param why the sentence for the user, without the address
   */
  record Unsupported(String text, String why) implements Address {}

  /** Schemes that are spoken of but not there yet. */
  Set<String> LATER_SCHEMES = Set.of("nbds", "nbds+unix", "nbd+vsock", "http", "https", "s3");

  /**
   * Parses an address. What begins with none of our schemes is a path; {@code file:} or {@code ./}
   * before a path says so in any case.
   *
   * @throws IllegalArgumentException with one line for the user: the address and what is wrong
   */
  static Address parse(String text) {
    int colon = text.indexOf(':');
    String scheme = colon < 0 ? "" : text.substring(0, colon);
    String rest = text.substring(colon + 1);
    return switch (scheme) {
      case "file" -> file(text, rest);
      case "mem" -> new Mem(text, size(text, rest));
      case "zero" -> new Zero(text, size(text, rest));
      case "error" -> new Failing(text, size(text, rest));
      case "oxbow" -> named(text, rest);
      case "nbd" -> NbdUri.parse(text).toTcp();
      case "nbd+unix" -> NbdUri.parse(text).toUnix();
      default ->
          LATER_SCHEMES.contains(scheme)
              ? new Unsupported(text, scheme + ": addresses come with a later release")
              : file(text, text);
    };
  }

  private static File file(String text, String path) {
    if (path.isEmpty() || path.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is no device address: a path is expected");
    }
    return new File(text, Path.of(path));
  }

  private static long size(String text, String size) {
    try {
      return ByteSize.parse(size);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(text + ": " + e.getMessage(), e);
    }
  }

  private static Named named(String text, String name) {
    if (name.isEmpty()) {
      throw new IllegalArgumentException(text + ": the name of a device is expected after oxbow:");
    }
    return new Named(text, name);
  }
}
