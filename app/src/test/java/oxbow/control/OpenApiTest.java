package oxbow.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.console.Json;

/**
 * Aim: the document describes what the program does, no more and no less. Method: both are walked
 * and compared; see {@link oxbow.cli.ControlAnswersTest} for what real processes answer.
 */
class OpenApiTest {
  @Test
  void theDocumentHasTheRoutesAndNoOthers() {
    Set<String> described = new TreeSet<>();
    for (Map.Entry<String, JsonNode> path : OpenApi.document().path("paths").properties()) {
      for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
        described.add(operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey());
      }
    }
    Set<String> routes = new TreeSet<>();
    for (Route route : Route.values()) {
      routes.add(route.toString());
    }
    assertThat(described).isEqualTo(routes);
  }

  @ParameterizedTest
  @EnumSource(Route.class)
  void theFieldsAreThoseOfTheRoute(Route route) {
    JsonNode operation = OpenApi.operation(route);
    assertThat(operation.path("operationId").asText())
        .isEqualTo(route.name().toLowerCase(Locale.ROOT));
    Map<String, String> expected = new LinkedHashMap<>();
    for (String part : route.template()) {
      String name = Route.variable(part);
      if (name != null) {
        expected.put("path " + name, "string required");
      }
    }
    String place = route.hasBody() ? "body " : "query ";
    for (Field field : route.fields()) {
      String type =
          switch (field.type()) {
            case FLAG -> "boolean";
            case NUMBER -> "integer";
            case TEXT -> "string";
            case WORDS -> "array";
          };
      expected.put(place + field.name(), type + (field.isRequired() ? " required" : ""));
    }
    assertThat(described(operation)).isEqualTo(expected);
    assertThat(operation.has("requestBody")).isEqualTo(route.hasBody());
  }

  /** Fields by place and name, with their types and whether they are required. */
  private static Map<String, String> described(JsonNode operation) {
    Map<String, String> described = new LinkedHashMap<>();
    for (JsonNode reference : operation.path("parameters")) {
      JsonNode parameter = OpenApi.resolve(reference);
      described.put(
          parameter.path("in").asText() + " " + parameter.path("name").asText(),
          type(parameter.path("schema"))
              + (parameter.path("required").asBoolean() ? " required" : ""));
    }
    JsonNode body = bodySchema(operation);
    Set<String> required = new TreeSet<>();
    body.path("required").forEach(name -> required.add(name.asText()));
    for (Map.Entry<String, JsonNode> property : body.path("properties").properties()) {
      String name = property.getKey();
      described.put(
          "body " + name, type(property.getValue()) + (required.contains(name) ? " required" : ""));
    }
    return described;
  }

  /** A field that may be left out may be null as well. */
  private static String type(JsonNode schema) {
    JsonNode type = schema.path("type");
    return type.isArray() ? type.path(0).asText() : type.asText();
  }

  private static JsonNode bodySchema(JsonNode operation) {
    return operation.path("requestBody").path("content").path("application/json").path("schema");
  }

  @ParameterizedTest
  @EnumSource(Route.class)
  void examplesOfRequestsAreTaken(Route route) throws Exception {
    JsonNode operation = OpenApi.operation(route);
    JsonNode content = operation.path("requestBody").path("content").path("application/json");
    if (content.has("example")) {
      JsonNode example = content.path("example");
      OpenApi.assertValid("example of " + route, bodySchema(operation), example);
      Map<String, @Nullable Object> body = Json.object(example.toString());
      assertThat(Fields.fromBody(route, Map.of(), body)).isEqualTo(body);
    }
  }

  @ParameterizedTest
  @EnumSource(Route.class)
  void everyRouteSaysHowItMayFail(Route route) {
    JsonNode responses = OpenApi.operation(route).path("responses");
    List<String> statuses = new ArrayList<>();
    responses.fieldNames().forEachRemaining(statuses::add);
    assertThat(statuses).contains("200", "400", "500");
    OpenApi.check(route, 400, Map.of("error", "why"));
    boolean isAboutOneDevice = route.path().contains("{name}");
    assertThat(isAboutOneDevice && !statuses.contains("404")).isFalse();
  }

  @Test
  void everythingIsDescribedAndEveryReferenceLeadsSomewhere() {
    List<String> wrong = new ArrayList<>();
    walk("", OpenApi.document(), wrong);
    assertThat(wrong).isEmpty();
  }

  private static void walk(String at, JsonNode node, List<String> wrong) {
    if (node.has("$ref") && OpenApi.resolve(node).isMissingNode()) {
      wrong.add(at + ": " + node.path("$ref").asText() + " leads nowhere");
    }
    for (Map.Entry<String, JsonNode> property : node.path("properties").properties()) {
      if (!OpenApi.resolve(property.getValue()).has("description")) {
        wrong.add(at + "/properties/" + property.getKey() + " is not described");
      }
    }
    if (node.isObject()) {
      node.properties().forEach(child -> walk(at + "/" + child.getKey(), child.getValue(), wrong));
    } else {
      node.forEach(child -> walk(at + "/-", child, wrong));
    }
  }
}
