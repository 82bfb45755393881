package oxbow.device;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The parts of an NBD URI, still percent-encoded. Unlike {@code java.net.URI} it takes every host
 * name that a resolver might.
 *
 * @param authority empty when missing
 * @param path empty or with its leading slash
 * @param query null when missing
 */
record NbdUri(String text, String authority, String path, @Nullable String query) {
  private static final int MAX_PORT = 65535;

  /** Splits a URI that begins with a scheme. */
  static NbdUri parse(String text) {
    String rest = text.substring(text.indexOf(':') + 1);
    if (!rest.startsWith("//")) {
      throw new IllegalArgumentException(text + ": \"//\" is expected after the scheme");
    }
    if (rest.indexOf('#') >= 0) {
      throw new IllegalArgumentException(text + ": NBD URIs have no fragment; write # as %23");
    }
    rest = rest.substring(2);
    String query = null;
    int mark = rest.indexOf('?');
    if (mark >= 0) {
      query = rest.substring(mark + 1);
      rest = rest.substring(0, mark);
    }
    int slash = rest.indexOf('/');
    return slash < 0
        ? new NbdUri(text, rest, "", query)
        : new NbdUri(text, rest.substring(0, slash), rest.substring(slash), query);
  }

  Address.NbdTcp toTcp() {
    if (query != null) {
      throw wrong("unknown query parameter \"" + nameOf(firstParameter(query)) + "\"");
    }
    String hostAndPort = authority.substring(authority.lastIndexOf('@') + 1);
    int endOfHost;
    if (hostAndPort.startsWith("[")) {
      endOfHost = hostAndPort.indexOf(']') + 1;
      if (endOfHost == 0) {
        throw wrong("\"]\" is missing after the IPv6 address");
      }
    } else {
      int colon = hostAndPort.indexOf(':');
      endOfHost = colon < 0 ? hostAndPort.length() : colon;
    }
    String host = hostAndPort.substring(0, endOfHost);
    if (host.startsWith("[")) {
      host = host.substring(1, host.length() - 1);
    }
    if (host.isEmpty()) {
      throw wrong("a host is expected after \"//\"");
    }
    return new Address.NbdTcp(
        text, decode(host), port(hostAndPort.substring(endOfHost)), exportName());
  }

  Address.NbdUnix toUnix() {
    if (!authority.isEmpty()) {
      throw wrong(
          "a Unix socket has no host: three slashes are expected, as in"
              + " nbd+unix:///EXPORT?socket=PATH");
    }
    String socket = "";
    for (String parameter : query == null ? new String[0] : query.split("&", -1)) {
      if (!nameOf(parameter).equals("socket")) {
        throw wrong("unknown query parameter \"" + nameOf(parameter) + "\"");
      }
      socket = decode(parameter.substring(Math.min(parameter.length(), "socket=".length())));
    }
    if (socket.isEmpty()) {
      throw wrong("the path of the socket is missing, as in nbd+unix:///EXPORT?socket=PATH");
    }
    if (socket.indexOf('\0') >= 0) {
      throw wrong("abstract sockets are not supported");
    }
    return new Address.NbdUnix(text, Path.of(socket), exportName());
  }

  private static String firstParameter(String query) {
    int end = query.indexOf('&');
    return end < 0 ? query : query.substring(0, end);
  }

  private static String nameOf(String parameter) {
    int equals = parameter.indexOf('=');
    return equals < 0 ? parameter : parameter.substring(0, equals);
  }

  private int port(String colonAndPort) {
    if (colonAndPort.isEmpty() || colonAndPort.equals(":")) {
      return Address.DEFAULT_NBD_PORT;
    }
    String digits = colonAndPort.substring(1);
    if (colonAndPort.charAt(0) != ':'
        || digits.length() > 5
        || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw wrong("\"" + digits + "\" is not a port");
    }
    int port = Integer.parseInt(digits);
    if (port == 0 || port > MAX_PORT) {
      throw wrong("\"" + digits + "\" is not a port");
    }
    return port;
  }

  private String exportName() {
    String name = decode(path.isEmpty() ? path : path.substring(1));
    if (name.indexOf('\0') >= 0) {
      throw wrong("an export name cannot hold a NUL");
    }
    return name;
  }

  /** Undoes percent-encoding; what comes out must be UTF-8. */
  private String decode(String encoded) {
    byte[] in = encoded.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(in.length);
    for (int i = 0; i < in.length; i++) {
      if (in[i] != '%') {
        out.put(in[i]);
        continue;
      }
      int high = i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
      int low = i + 2 < in.length ? Character.digit(in[i + 2], 16) : -1;
      if (high < 0 || low < 0) {
        throw wrong("two hexadecimal digits are expected after %");
      }
      out.put((byte) (high * 16 + low));
      i += 2;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(out.flip()).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(text + ": what is percent-encoded is not UTF-8", e);
    }
  }

  private IllegalArgumentException wrong(String why) {
    return new IllegalArgumentException(text + ": " + why);
  }
}
