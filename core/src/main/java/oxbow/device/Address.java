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

  /** Where the bytes lie: the address below all layers. */
  default Address bottom() {
    return this instanceof Layered layered ? layered.below().bottom() : this;
  }

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

  /**
   * {@code TARGET:ARGUMENTS:ADDRESS}: a device seen through a target for tests. Nests.
   *
   * @param arguments as typed; commas between them
   */
  record Layered(String text, LayerTarget target, String arguments, Address below)
      implements Address {}

  /** The targets that have addresses; a layer is opened with its target's word. */
  enum LayerTarget {
    /** {@code delay:MS:…} or {@code delay:READ_MS,WRITE_MS,FLUSH_MS:…}. */
    DELAY("delay"),
    /** {@code flakey:UP,DOWN,FEATURE,…:…}. */
    FLAKEY("flakey"),
    /** {@code log-writes:LOG:…}; the path of the log holds no colon. */
    LOG_WRITES("log-writes");

    private final String word;

    LayerTarget(String word) {
      this.word = word;
    }

    /** The target's name. */
    public String word() {
      return word;
    }
  }

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
      case "delay" -> layered(text, LayerTarget.DELAY, rest);
      case "flakey" -> layered(text, LayerTarget.FLAKEY, rest);
      case "log-writes" -> layered(text, LayerTarget.LOG_WRITES, rest);
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

  private static Layered layered(String text, LayerTarget target, String rest) {
    int colon = rest.indexOf(':');
    if (colon <= 0) {
      throw new IllegalArgumentException(
          text
              + ": expected "
              + target.word()
              + ":ARGUMENTS:ADDRESS, the device's own address last");
    }
    return new Layered(text, target, rest.substring(0, colon), parse(rest.substring(colon + 1)));
  }

  private static Named named(String text, String name) {
    if (name.isEmpty()) {
      throw new IllegalArgumentException(text + ": the name of a device is expected after oxbow:");
    }
    return new Named(text, name);
  }
}
