package oxbow.control;

import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.URISyntaxException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.DefaultBHttpClientConnection;
import org.apache.hc.core5.http.impl.io.HttpRequestExecutor;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.net.URIBuilder;
import org.jspecify.annotations.Nullable;
import oxbow.console.Json;

/** Asks a process about its devices over its control socket. */
public final class ControlClient {
  /** Takes what comes with a good status; gives the fields of the answer if it has any. */
  private interface Reader {
    Map<String, @Nullable Object> read(InputStream body) throws IOException;
  }

  private ControlClient() {}

  /**
   * Sends one request and waits for the answer, as long as that takes.
   *
   * @param fields of the request, those in its path included
   * @return the fields of the answer
   * @throws ControlException when the process refuses; its message is the reason
   * @throws IOException when nobody answers there, or in another language
   */
  public static Map<String, @Nullable Object> ask(Path socket, Route route, Map<String, ?> fields)
      throws IOException, ControlException {
    return exchange(socket, route, fields, ControlClient::json);
  }

  /**
   * Hands over events as they happen, until the process ends the stream. Blocks.
   *
   * @param fields of the request
   * @throws ControlException when the process refuses; its message is the reason
   * @throws IOException when nobody answers there, or the stream is broken off
   */
  public static void follow(Path socket, Route route, Map<String, ?> fields, Consumer<Event> events)
      throws IOException, ControlException {
    exchange(
        socket,
        route,
        fields,
        body -> {
          EventStream.read(body, events);
          return Map.of();
        });
  }

  private static Map<String, @Nullable Object> exchange(
      Path socket, Route route, Map<String, ?> fields, Reader reader)
      throws IOException, ControlException {
    ClassicHttpRequest request = request(route, fields);
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        DefaultBHttpClientConnection connection =
            new DefaultBHttpClientConnection(Http1Config.DEFAULT)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      connection.bind(new ChannelSocket(channel));
      ClassicHttpResponse response =
          new HttpRequestExecutor().execute(request, connection, HttpCoreContext.create());
      // Not closed: that would read a stream to its end. The connection goes as it is.
      InputStream body = response.getEntity().getContent();
      if (response.getCode() == HttpStatus.SC_OK) {
        return reader.read(body);
      }
      throw new ControlException(
          ControlException.Kind.of(response.getCode()),
          String.valueOf(json(body).get(HttpAnswers.ERROR_FIELD)));
    } catch (HttpException noHttp) {
      throw new IOException(noHttp);
    }
  }

  private static ClassicHttpRequest request(Route route, Map<String, ?> fields) throws IOException {
    Map<String, Object> left = new LinkedHashMap<>(fields);
    List<String> path = new ArrayList<>();
    for (String part : route.template()) {
      String name = Route.variable(part);
      path.add(name == null ? part : String.valueOf(left.remove(name)));
    }
    URIBuilder uri = new URIBuilder().setPathSegments(path);
    if (!route.hasBody()) {
      left.forEach((name, value) -> uri.addParameter(name, value.toString()));
    }
    ClassicHttpRequest request;
    try {
      request = new BasicClassicHttpRequest(route.method().name(), uri.build());
    } catch (URISyntaxException cannotHappen) {
      throw new IOException(cannotHappen);
    }
    request.setHeader(HttpHeaders.HOST, "oxbow");
    request.setHeader(HttpHeaders.CONNECTION, "close");
    if (route.hasBody()) {
      byte[] body = Json.line(left).getBytes(StandardCharsets.UTF_8);
      request.setHeader(HttpHeaders.CONTENT_LENGTH, body.length);
      request.setHeader(HttpHeaders.CONTENT_TYPE, ContentType.APPLICATION_JSON);
      request.setEntity(new ByteArrayEntity(body, ContentType.APPLICATION_JSON));
    }
    return request;
  }

  private static Map<String, @Nullable Object> json(InputStream body) throws IOException {
    return Json.object(new String(body.readAllBytes(), StandardCharsets.UTF_8));
  }
}
