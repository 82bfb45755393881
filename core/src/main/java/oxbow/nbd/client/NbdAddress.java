package oxbow.nbd.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import oxbow.nbd.wire.Nbd;

/**
 * Where an export is: a host and port or a Unix socket, and the export's name, which may be empty
 * (the server's default export).
 *
 * @param host name or address without brackets; empty when the address is a Unix socket
 * @param port 1 to 65535; 0 when the address is a Unix socket
 * @param socketPath path of the Unix socket; empty when the address is a host
 * @see "the NBD project's doc/uri.md"
 */
public record NbdAddress(String host, int port, String socketPath, String exportName) {
  public NbdAddress {
    if (host.isEmpty() == socketPath.isEmpty()) {
      throw new IllegalArgumentException("either a host or a socket");
    }
    if (exportName.getBytes(StandardCharsets.UTF_8).length > Nbd.MAX_STRING_BYTES) {
      throw new IllegalArgumentException(
          "export name is longer than " + Nbd.MAX_STRING_BYTES + " bytes");
    }
    if (exportName.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("export name contains a NUL");
    }
  }

  /** An export behind TCP. */
  public static NbdAddress tcp(String host, int port, String exportName) {
    return new NbdAddress(host, port, "", exportName);
  }

  /** An export behind a Unix socket. */
  public static NbdAddress unix(String socketPath, String exportName) {
    return new NbdAddress("", 0, socketPath, exportName);
  }

  /** Whether {@link #parse} is meant for this text. */
  public static boolean isNbd(String text) {
    return text.startsWith("nbd:")
        || text.startsWith("nbd+")
        || text.startsWith("nbds:")
        || text.startsWith("nbds+");
  }

  /**
   * Parses {@code nbd://HOST[:PORT]/EXPORT} or {@code nbd+unix:///EXPORT?socket=PATH}.
   *
   * @throws IllegalArgumentException says in one line what is wrong
   */
  public static NbdAddress parse(String text) {
    try {
      URI uri = new URI(text);
      String scheme = uri.getScheme() == null ? "" : uri.getScheme();
      return switch (scheme) {
        case "nbd" -> parseTcp(text, uri);
        case "nbd+unix" -> parseUnix(text, uri);
        case "nbds", "nbds+unix" ->
            throw refused(text, "TLS is not supported yet: use nbd: or nbd+unix:");
        default -> throw refused(text, "not an NBD address: it starts with nbd: or nbd+unix:");
      };
    } catch (URISyntaxException e) {
      throw refused(text, e.getReason());
    }
  }

  private static NbdAddress parseTcp(String text, URI uri) {
    if (uri.getRawQuery() != null) {
      throw refused(text, "nbd: takes no parameter, found ?" + uri.getRawQuery());
    }
    String authority = uri.getRawAuthority();
    if (authority == null) {
      throw refused(text, "the host is missing: nbd://HOST[:PORT]/EXPORT");
    }
    if (authority.indexOf('@') >= 0) {
      throw refused(text, "a user name has no meaning without TLS");
    }
    // Not URI.getHost(): it is null for names with an underscore, which hosts in containers have.
    int colon = authority.lastIndexOf(':');
    boolean hasPort = colon > authority.lastIndexOf(']');
    String host = decode(hasPort ? authority.substring(0, colon) : authority);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    if (host.isEmpty()) {
      throw refused(text, "the host is missing: nbd://HOST[:PORT]/EXPORT");
    }
    int port = Nbd.DEFAULT_PORT;
    if (hasPort && colon + 1 < authority.length()) {
      port = parsePort(text, authority.substring(colon + 1));
    }
    return checked(text, host, port, "", exportName(uri));
  }

  private static int parsePort(String text, String digits) {
    if (!digits.matches("[0-9]{1,5}")
        || Integer.parseInt(digits) < 1
        || Integer.parseInt(digits) > 65535) {
      throw refused(text, "port " + digits + " is not between 1 and 65535");
    }
    return Integer.parseInt(digits);
  }

  private static NbdAddress parseUnix(String text, URI uri) {
    if (uri.getRawAuthority() != null) {
      throw refused(text, "a Unix socket has no host: nbd+unix:///EXPORT?socket=PATH");
    }
    String path = null;
    String query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
    for (String parameter : query.isEmpty() ? new String[0] : query.split("&", -1)) {
      if (!parameter.startsWith("socket=")) {
        throw refused(text, "unknown parameter " + parameter);
      }
      if (path != null) {
        throw refused(text, "socket is given twice");
      }
      path = decode(parameter.substring("socket=".length()));
    }
    if (path == null || path.isEmpty()) {
      throw refused(text, "the socket is missing: nbd+unix:///EXPORT?socket=PATH");
    }
    if (path.indexOf('\0') >= 0) {
      throw refused(text, "sockets in the abstract name space are not supported");
    }
    return checked(text, "", 0, path, exportName(uri));
  }

  private static NbdAddress checked(
      String text, String host, int port, String socketPath, String exportName) {
    try {
      return new NbdAddress(host, port, socketPath, exportName);
    } catch (IllegalArgumentException e) {
      throw refused(text, e.getMessage());
    }
  }

  /** The path without its first slash, and only the first: {@code //disk} is the export /disk. */
  private static String exportName(URI uri) {
    String path = uri.getRawPath() == null ? "" : uri.getRawPath();
    return decode(path.startsWith("/") ? path.substring(1) : path);
  }

  /** Percent decoding. A plus sign means itself in URIs, unlike in HTML forms. */
  private static String decode(String raw) {
    return URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static String encode(String plain) {
    return URLEncoder.encode(plain, StandardCharsets.UTF_8).replace("+", "%20").replace("%2F", "/");
  }

  private static IllegalArgumentException refused(String text, @Nullable String why) {
    return new IllegalArgumentException(text + ": " + why);
  }

  public boolean isUnix() {
    return !socketPath.isEmpty();
  }

  /** The address as a URI; {@link #parse} is its inverse. */
  @Override
  public String toString() {
    if (isUnix()) {
      return "nbd+unix:///" + encode(exportName) + "?socket=" + encode(socketPath);
    }
    String shown = host.indexOf(':') >= 0 ? "[" + host + "]" : encode(host);
    return "nbd://"
        + shown
        + (port == Nbd.DEFAULT_PORT ? "" : ":" + port)
        + "/"
        + encode(exportName);
  }
}
