package oxbow.job;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import oxbow.console.UserException;

/** Where to serve, as users write it: {@code unix:PATH} or {@code tcp:HOST:PORT}. */
final class ListenAddress {
  private static final String UNIX = "unix:";
  private static final String TCP = "tcp:";
  private static final int MAX_PORT = 65535;

  private ListenAddress() {}

  /** Reads such an address; looks up no names but the host's. */
  static SocketAddress parse(String text) throws UserException {
    if (text.startsWith(UNIX) && text.length() > UNIX.length()) {
      return UnixDomainSocketAddress.of(Path.of(text.substring(UNIX.length())));
    }
    int colon = text.lastIndexOf(':');
    if (text.startsWith(TCP) && colon > TCP.length()) {
      String host = text.substring(TCP.length(), colon);
      boolean isBracketed = host.startsWith("[") && host.endsWith("]");
      return new InetSocketAddress(
          isBracketed ? host.substring(1, host.length() - 1) : host,
          port(text, text.substring(colon + 1)));
    }
    throw wrong(text, "unix:PATH or tcp:HOST:PORT is expected");
  }

  private static int port(String text, String digits) throws UserException {
    if (digits.matches("[0-9]{1,5}") && Integer.parseInt(digits) <= MAX_PORT) {
      return Integer.parseInt(digits);
    }
    throw wrong(text, "the port is a number from 0 to " + MAX_PORT);
  }

  private static UserException wrong(String text, String why) {
    return UserException.wrongUsage("clone", "--listen " + text + ": " + why);
  }
}
