package oxbow.job;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import oxbow.console.UserException;

/** Where to serve, as users write it: {@code unix:PATH} or {@code tcp:HOST:PORT}. */
public final class ListenAddress {
  private static final String UNIX = "unix:";
  private static final String TCP = "tcp:";
  private static final int MAX_PORT = 65535;

  private ListenAddress() {}

  /**
   * Reads such an address from a command line.
   *
   * @param option where it stands there
   */
  public static SocketAddress parse(String command, String option, String text)
      throws UserException {
    try {
      return parse(text);
    } catch (IllegalArgumentException wrong) {
      String why = option + " " + text + ": " + wrong.getMessage();
      throw UserException.wrongUsage(command, why);
    }
  }

  /**
   * Reads such an address; looks up no names but the host's.
   *
   * @throws IllegalArgumentException with what is expected instead
   */
  public static SocketAddress parse(String text) {
    if (text.startsWith(UNIX) && text.length() > UNIX.length()) {
      return UnixDomainSocketAddress.of(Path.of(text.substring(UNIX.length())));
    }
    int colon = text.lastIndexOf(':');
    if (text.startsWith(TCP) && colon > TCP.length()) {
      String host = text.substring(TCP.length(), colon);
      boolean isBracketed = host.startsWith("[") && host.endsWith("]");
      return new InetSocketAddress(
          isBracketed ? host.substring(1, host.length() - 1) : host,
          port(text.substring(colon + 1)));
    }
    throw new IllegalArgumentException("unix:PATH or tcp:HOST:PORT is expected");
  }

  private static int port(String digits) {
    if (digits.matches("[0-9]{1,5}") && Integer.parseInt(digits) <= MAX_PORT) {
      return Integer.parseInt(digits);
    }
    throw new IllegalArgumentException("the port is a number from 0 to " + MAX_PORT);
  }
}
