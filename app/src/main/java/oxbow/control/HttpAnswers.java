package oxbow.control;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.NameValuePair;
import org.apache.hc.core5.http.io.HttpServerRequestHandler;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpResponse;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.net.URIBuilder;
import org.jspecify.annotations.Nullable;
import oxbow.console.Json;
import oxbow.console.UserException;

/** Turns a request of HTTP into one that a {@link Verb} answers, and its answer back. */
final class HttpAnswers implements HttpServerRequestHandler {
  /** Longest body of a request; tables may be long. */
  static final int MAX_BODY_BYTES = 1 << 20;

  static final String ERROR_FIELD = "error";

  private final Routes routes;
  private final Consumer<String> faults;
  private final BooleanSupplier isGone;
  private final BooleanSupplier isAbandoned;

  /**
   * @param isGone whether the peer has hung up
   * @param isAbandoned whether nobody waits for an answer any more, here or there
   */
  HttpAnswers(
      Routes routes, Consumer<String> faults, BooleanSupplier isGone, BooleanSupplier isAbandoned) {
    this.routes = routes;
    this.faults = faults;
    this.isGone = isGone;
    this.isAbandoned = isAbandoned;
  }

  @Override
  public void handle(ClassicHttpRequest request, ResponseTrigger trigger, HttpContext context)
      throws HttpException, IOException {
    try (ClassicHttpResponse response = response(request)) {
      trigger.submitResponse(response);
    }
  }

  private ClassicHttpResponse response(ClassicHttpRequest request) throws IOException {
    try {
      URIBuilder uri = uri(request);
      List<String> methods = Route.methods(uri.getPathSegments());
      if (!methods.isEmpty() && !methods.contains(request.getMethod())) {
        return wrongMethod(request, String.join(", ", methods));
      }
      return response(HttpStatus.SC_OK, entity(answer(request, uri)));
    } catch (ControlException refused) {
      return response(refused.kind().status(), error(UserException.reason(refused)));
    } catch (RuntimeException | Error fault) {
      String why = "fault in the program: " + UserException.firstLine(fault.toString());
      faults.accept(request.getMethod() + " " + request.getPath() + ": " + why);
      return response(ControlException.Kind.FAULT.status(), error(why));
    }
  }

  private static ClassicHttpResponse response(int status, HttpEntity entity) {
    ClassicHttpResponse response = new BasicClassicHttpResponse(status);
    response.setEntity(entity);
    return response;
  }

  private static ClassicHttpResponse wrongMethod(ClassicHttpRequest request, String allowed) {
    String why = request.getPath() + " takes " + allowed + ", not " + request.getMethod();
    ClassicHttpResponse response = response(HttpStatus.SC_METHOD_NOT_ALLOWED, error(why));
    response.setHeader(HttpHeaders.ALLOW, allowed);
    return response;
  }

  private static URIBuilder uri(ClassicHttpRequest request) throws ControlException {
    try {
      return new URIBuilder(request.getPath());
    } catch (URISyntaxException bad) {
      throw new ControlException("Bad path: " + bad.getReason(), bad);
    }
  }

  private Answer answer(ClassicHttpRequest request, URIBuilder uri)
      throws ControlException, IOException {
    Route.Match match = Route.find(request.getMethod(), uri.getPathSegments());
    Route route = match.route();
    Verb verb = routes.verb(route);
    Map<String, @Nullable Object> body = body(request);
    List<Map.Entry<String, @Nullable String>> query = query(uri);
    if (route.hasBody() ? !query.isEmpty() : !body.isEmpty()) {
      throw new ControlException(
          route + " takes its fields in the " + (route.hasBody() ? "body" : "query"));
    }
    Map<String, Object> fields =
        route.hasBody()
            ? Fields.fromBody(route, match.names(), body)
            : Fields.fromQuery(route, match.names(), query);
    return verb.answer(new Request(fields, isAbandoned));
  }

  private static List<Map.Entry<String, @Nullable String>> query(URIBuilder uri) {
    List<Map.Entry<String, @Nullable String>> query = new ArrayList<>();
    for (NameValuePair pair : uri.getQueryParams()) {
      query.add(new SimpleImmutableEntry<>(pair.getName(), pair.getValue()));
    }
    return query;
  }

  /** Empty when there is none. */
  private static Map<String, @Nullable Object> body(ClassicHttpRequest request)
      throws ControlException, IOException {
    HttpEntity entity = request.getEntity();
    byte[] bytes =
        entity == null ? new byte[0] : entity.getContent().readNBytes(MAX_BODY_BYTES + 1);
    if (bytes.length > MAX_BODY_BYTES) {
      throw new ControlException(
          ControlException.Kind.TOO_LARGE, "The body is longer than " + MAX_BODY_BYTES + " bytes");
    }
    if (bytes.length == 0) {
      return new LinkedHashMap<>();
    }
    ByteBuffer text = ByteBuffer.wrap(bytes);
    try {
      return Json.object(StandardCharsets.UTF_8.newDecoder().decode(text).toString());
    } catch (IOException bad) {
      throw new ControlException("The body is no JSON object: " + UserException.reason(bad), bad);
    }
  }

  private HttpEntity entity(Answer answer) {
    return switch (answer) {
      case Answer.Json(var fields) -> json(fields);
      case Answer.Text(String type, String text) ->
          new ByteArrayEntity(text.getBytes(StandardCharsets.UTF_8), ContentType.parse(type));
      // Only its source ends a stream well: one that the server cuts off must look cut off.
      case Answer.Stream(EventSource source) -> new EventEntity(source, isGone);
    };
  }

  static HttpEntity error(String why) {
    return json(Map.of(ERROR_FIELD, why));
  }

  private static HttpEntity json(Map<String, ? extends @Nullable Object> fields) {
    return new StringEntity(Json.line(fields) + "\n", ContentType.APPLICATION_JSON);
  }
}
