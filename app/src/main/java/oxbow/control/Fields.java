package oxbow.control;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks the fields of a request against its route: none that is unknown, so that no slip of the
 * pen is ignored, none of a wrong type, none missing.
 */
final class Fields {
  private Fields() {}

  /**
   * The checked fields of a request with a body.
   *
   * @param names from the path
   * @param body a field that is null counts as left out
   */
  static Map<String, Object> fromBody(
      Route route, Map<String, Object> names, Map<String, @Nullable Object> body)
      throws ControlException {
    Map<String, Field> known = known(route);
    Map<String, Object> fields = new LinkedHashMap<>(names);
    for (Map.Entry<String, @Nullable Object> member : body.entrySet()) {
      Field field = find(known, member.getKey());
      Object value = member.getValue();
      if (value != null) {
        fields.put(field.name(), field.fromJson(value));
      }
    }
    return complete(route, fields);
  }

  /**
   * The same of a request that has its fields in the query.
   *
   * @param query pairs of names and values, in order
   */
  static Map<String, Object> fromQuery(
      Route route, Map<String, Object> names, Iterable<Map.Entry<String, @Nullable String>> query)
      throws ControlException {
    Map<String, Field> known = known(route);
    Map<String, Object> fields = new LinkedHashMap<>(names);
    for (Map.Entry<String, @Nullable String> parameter : query) {
      Field field = find(known, parameter.getKey());
      if (fields.put(field.name(), field.fromText(parameter.getValue())) != null) {
        throw new ControlException(field.name() + " is there twice");
      }
    }
    return complete(route, fields);
  }

  private static Map<String, Field> known(Route route) {
    Map<String, Field> known = new HashMap<>();
    route.fields().forEach(field -> known.put(field.name(), field));
    return known;
  }

  private static Field find(Map<String, Field> known, String name) throws ControlException {
    Field field = known.get(name);
    if (field == null) {
      throw new ControlException("Unknown field " + name);
    }
    return field;
  }

  private static Map<String, Object> complete(Route route, Map<String, Object> fields)
      throws ControlException {
    for (Field field : route.fields()) {
      boolean isEmpty =
          fields.get(field.name()) instanceof Iterable<?> list && !list.iterator().hasNext();
      if (field.isRequired() && (isEmpty || !fields.containsKey(field.name()))) {
        throw new ControlException(field.name() + " is missing");
      }
    }
    return fields;
  }
}
