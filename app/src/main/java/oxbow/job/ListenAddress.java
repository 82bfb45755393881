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
   * Reads such an address; looks up no names but the host's.
   *
   * @param option where it stands on the command line
   */
  public static SocketAddress parse(String command, String option, String text)
      throws UserException {
    if (text.startsWith(UNIX) && text.length() > UNIX.length()) {
      return UnixDomainSocketAddress.of(Path.of(text.substring(UNIX.length())));
    }
    int colon = text.lastIndexOf(':');
    if (text.startsWith(TCP) && colon > TCP.length()) {
      String host = text.substring(TCP.length(), colon);
      boolean isBracketed = host.startsWith("[") && host.endsWith("]");
      return new InetSocketAddress(
          isBracketed ? host.substring(1, host.length() - 1) : host,
          port(command, option + " " + text, text.substring(colon + 1)));
    }
    throw wrong(command, option + " " + text, "unix:PATH or tcp:HOST:PORT is expected");
  }

  private static int port(String command, String what, String digits) throws UserException {
    if (digits.matches("[0-9]{1,5}") && Integer.parseInt(digits) <= MAX_PORT) {
      return Integer.parseInt(digits);
    }
    throw wrong(command, what, "the port is a number from 0 to " + MAX_PORT);
  }

  private static UserException wrong(String command, String what, String why) {
    return UserException.wrongUsage(command, what + ": " + why);
  }
}
