package oxbow.control;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The requests there are in version 1 of the protocol. Which of them a process answers is another
 * matter: see {@link Routes}. {@code openapi.json} describes each to the world.
 */
public enum Route {
  VERSION(Method.GET, "/v1/version"),
  TARGETS(Method.GET, "/v1/targets"),
  OPENAPI(Method.GET, "/v1/openapi.json"),
  METRICS(Method.GET, "/metrics"),
  EVENTS(Method.GET, "/v1/events", Field.flag("past")),
  LS(Method.GET, "/v1/devices"),
  CREATE(
      Method.POST,
      "/v1/devices",
      Field.text("name").required(),
      Field.text("table"),
      Field.flag("readOnly"),
      Field.words("listen")),
  INFO(Method.GET, "/v1/devices/{name}"),
  REMOVE(Method.DELETE, "/v1/devices/{name}", Field.flag("force"), Field.flag("retry")),
  TABLE(Method.GET, "/v1/devices/{name}/table", Field.flag("inactive")),
  STATUS(Method.GET, "/v1/devices/{name}/status", Field.flag("noflush")),
  DEPS(Method.GET, "/v1/devices/{name}/deps"),
  WAIT(Method.GET, "/v1/devices/{name}/wait", Field.number("event")),
  MESSAGE(
      Method.POST,
      "/v1/devices/{name}/message",
      Field.number("sector"),
      Field.words("words").required()),
  SUSPEND(Method.POST, "/v1/devices/{name}/suspend", Field.flag("noflush")),
  LOAD(Method.POST, "/v1/devices/{name}/load", Field.text("table").required()),
  RESUME(Method.POST, "/v1/devices/{name}/resume", Field.flag("noflush")),
  CLEAR(Method.POST, "/v1/devices/{name}/clear"),
  RENAME(Method.POST, "/v1/devices/{name}/rename", Field.text("newName").required()),
  EXPORT(
      Method.POST,
      "/v1/devices/{name}/exports",
      Field.text("listen").required(),
      Field.text("exportName"),
      Field.flag("readOnly"),
      Field.flag("default"),
      Field.number("maxConnections"),
      Field.number("maxRequests"),
      Field.number("maxBytes")),
  UNEXPORT(Method.DELETE, "/v1/devices/{name}/exports", Field.text("listen")),
  EXPORTS(Method.GET, "/v1/exports");

  /** The method of a request; says where its fields are. */
  enum Method {
    /** Changes nothing; fields are in the query. */
    GET,
    /** Fields are in the query. */
    DELETE,
    /** Fields are a JSON object in the body. */
    POST
  }

  /**
   * A route, and what its path holds where the template has names in braces.
   *
   * @param names fields by name
   */
  record Match(Route route, Map<String, Object> names) {}

  private final Method method;
  private final String path;

  @SuppressWarnings("ImmutableEnumChecker") // List.of
  private final List<String> template;

  @SuppressWarnings("ImmutableEnumChecker") // List.of
  private final List<Field> fields;

  Route(Method method, String path, Field... fields) {
    this.method = method;
    this.path = path;
    this.template = List.of(path.substring(1).split("/"));
    this.fields = List.of(fields);
  }

  Method method() {
    return method;
  }

  /** The path with names in braces for its variable parts. */
  String path() {
    return path;
  }

  /** The parts of the path, without the slashes. */
  List<String> template() {
    return template;
  }

  /** The fields of the query or the body; those of the path are required texts. */
  List<Field> fields() {
    return fields;
  }

  boolean hasBody() {
    return method == Method.POST;
  }

  /** The name of the field that is in this part of the path, or null for one that is as it is. */
  static @Nullable String variable(String part) {
    return part.startsWith("{") ? part.substring(1, part.length() - 1) : null;
  }

  /**
   * Finds the route of a request.
   *
   * @param parts of the path, decoded
   * @throws ControlException when there is none
   */
  static Match find(String method, List<String> parts) throws ControlException {
    for (Route route : values()) {
      Map<String, Object> names = route.match(parts);
      if (names != null && route.method.name().equals(method)) {
        return new Match(route, names);
      }
    }
    throw ControlException.notFound("There is no /" + String.join("/", parts) + " here");
  }

  /** The methods that a path takes; none where there is no such path. */
  static List<String> methods(List<String> parts) {
    return Stream.of(values())
        .filter(route -> route.match(parts) != null)
        .map(route -> route.method.name())
        .toList();
  }

  private @Nullable Map<String, Object> match(List<String> parts) {
    if (parts.size() != template.size()) {
      return null;
    }
    Map<String, Object> names = new LinkedHashMap<>();
    for (int i = 0; i < parts.size(); i++) {
      String name = variable(template.get(i));
      if (name != null) {
        names.put(name, parts.get(i));
      } else if (!template.get(i).equals(parts.get(i))) {
        return null;
      }
    }
    return names;
  }

  /** Method and path, as a request has them in its first line. */
  @Override
  public String toString() {
    return method + " " + path;
  }
}
