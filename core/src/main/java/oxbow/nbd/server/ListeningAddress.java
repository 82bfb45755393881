package oxbow.nbd.server;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import oxbow.nbd.wire.Nbd;

/** An address at which a server listens. */
public record ListeningAddress(SocketAddress address) {
  private static final String UNRESERVED = "-._~";

  /** The NBD URI under which clients reach an export here. */
  public String uri(String exportName) {
    return switch (address) {
      case UnixDomainSocketAddress unix ->
          "nbd+unix:///" + encode(exportName, "") + "?socket=" + encode("" + unix.getPath(), "/");
      case InetSocketAddress inet -> "nbd://" + hostAndPort(inet) + "/" + encode(exportName, "");
      default -> throw new IllegalStateException("not an address of NBD: " + address);
    };
  }

  private static String hostAndPort(InetSocketAddress inet) {
    String host = inet.getHostString();
    String bracketed = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    return inet.getPort() == Nbd.DEFAULT_PORT ? bracketed : bracketed + ":" + inet.getPort();
  }

  private static String encode(String text, String alsoAllowed) {
    StringBuilder encoded = new StringBuilder();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean isAlphanumeric =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (isAlphanumeric || UNRESERVED.indexOf(c) >= 0 || alsoAllowed.indexOf(c) >= 0) {
        encoded.append(c);
      } else {
        encoded.append(String.format("%%%02X", (int) c));
      }
    }
    return encoded.toString();
  }
}
