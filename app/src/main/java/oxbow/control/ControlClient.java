package oxbow.control;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Json;

/** Asks a process about its devices over its control socket. */
public final class ControlClient {
  private ControlClient() {}

  /**
   * Sends one request and waits for the answer, as long as that takes.
   *
   * @param fields the request without its version, {@code "verb"} first
   * @return the fields of the answer
   * @throws ControlException when the process refuses; its message is the reason
   * @throws IOException when nobody answers there, or in another language
   */
  public static Map<String, @Nullable Object> ask(Path socket, Map<String, ?> fields)
      throws IOException, ControlException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      ControlLines lines = new ControlLines(channel);
      Map<String, Object> request = new LinkedHashMap<>();
      request.put(ControlServer.VERSION_FIELD, ControlServer.VERSION);
      request.putAll(fields);
      lines.write(Json.line(request));
      String answer = lines.read();
      if (answer == null) {
        throw new IOException("the process ended before it answered");
      }
      Map<String, @Nullable Object> answered = Json.object(answer);
      if (answered.get(ControlServer.ERROR_FIELD) instanceof String why) {
        throw new ControlException(why);
      }
      answered.remove(ControlServer.VERSION_FIELD);
      return answered;
    }
  }
}
