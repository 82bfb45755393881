package oxbow.nbd.client;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import oxbow.nbd.wire.Nbd;

/**
 * Where an export is: a host and port or a Unix socket, and the export's name, which may be empty
 * (the server's default export).
 *
 * @param host name or address without brackets; empty when the address is a Unix socket
 * @param port 1 to 65535; 0 when the address is a Unix socket
 * @param socketPath path of the Unix socket; empty when the address is a host
 * @see "the NBD project's doc/uri.md; oxbow.device.Address reads what users type"
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

  private static String encode(String plain) {
    return URLEncoder.encode(plain, StandardCharsets.UTF_8).replace("+", "%20").replace("%2F", "/");
  }

  public boolean isUnix() {
    return !socketPath.isEmpty();
  }

  /** The address as a URI, as users type it. */
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
