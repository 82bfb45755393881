package oxbow.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Json;

/**
 * The description that processes serve, as what tests hold their answers against. Objects are
 * closed here: a client may meet fields that it does not know, but we describe all of ours.
 */
public final class OpenApi {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final JsonSchemaFactory SCHEMAS =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
  private static final JsonNode DOCUMENT = parse(Verbs.openApi());

  private OpenApi() {}

  static JsonNode document() {
    return DOCUMENT;
  }

  static JsonNode operation(Route route) {
    return DOCUMENT
        .path("paths")
        .path(route.path())
        .path(route.method().name().toLowerCase(Locale.ROOT));
  }

  /** Asks a process, and checks that the answer, or the refusal, is as described. */
  public static Map<String, @Nullable Object> ask(Path socket, Route route, Map<String, ?> fields)
      throws Exception {
    try {
      Map<String, @Nullable Object> answer = ControlClient.ask(socket, route, fields);
      check(route, 200, answer);
      return answer;
    } catch (ControlException refused) {
      check(route, refused.kind().status(), Map.of("error", String.valueOf(refused.getMessage())));
      throw refused;
    }
  }

  /** Checks one answer against the schema that its route has for that status. */
  static void check(Route route, int status, Map<String, ? extends @Nullable Object> answer) {
    JsonNode response = resolve(operation(route).path("responses").path("" + status));
    JsonNode schema = response.path("content").path("application/json").path("schema");
    assertThat(schema.isMissingNode()).as("%s may answer %s", route, status).isFalse();
    assertValid(route + " " + status, schema, parse(Json.line(answer)));
  }

  static void assertValid(String what, JsonNode schema, JsonNode value) {
    ObjectNode whole = schema.deepCopy();
    whole.set("components", DOCUMENT.path("components").deepCopy());
    close(whole);
    assertThat(SCHEMAS.getSchema(whole).validate(value)).as("%s: %s", what, value).isEmpty();
  }

  /** What a reference stands for, or the node itself. */
  static JsonNode resolve(JsonNode node) {
    String reference = node.path("$ref").asText();
    return reference.isEmpty() ? node : DOCUMENT.at(reference.substring(1));
  }

  static JsonNode parse(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException bad) {
      throw new AssertionError(bad);
    }
  }

  private static void close(JsonNode schema) {
    if (schema instanceof ObjectNode object && object.path("properties").isObject()) {
      object.put("additionalProperties", false);
    }
    schema.forEach(OpenApi::close);
  }
}
