package oxbow.console;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as plain values: {@code Map} (in order), {@code List}, {@code String}, {@code Long}, {@code
 * Double}, {@code Boolean} and null. Kept apart so that a command without JSON does not load the
 * parser.
 */
public final class Json {
  private static final int MAX_DEPTH = 16;
  private static final int MAX_STRING_CHARS = 1 << 20;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxStringLength(MAX_STRING_CHARS)
                  .maxNumberLength(32)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private Json() {}

  /** One object in one line, without the line end. */
  public static String line(Map<String, ? extends @Nullable Object> object) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = FACTORY.createGenerator(text)) {
      write(generator, object);
    } catch (IOException cannotHappen) {
      throw new UncheckedIOException(cannotHappen);
    }
    return text.toString();
  }

  private static void write(JsonGenerator to, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> to.writeNull();
      case Map<?, ?> map -> {
        to.writeStartObject();
        for (Map.Entry<?, ?> field : map.entrySet()) {
          to.writeFieldName(String.valueOf(field.getKey()));
          write(to, field.getValue());
        }
        to.writeEndObject();
      }
      case Iterable<?> list -> {
        to.writeStartArray();
        for (Object element : list) {
          write(to, element);
        }
        to.writeEndArray();
      }
      case Boolean bool -> to.writeBoolean(bool);
      case Integer number -> to.writeNumber(number);
      case Long number -> to.writeNumber(number);
      case Double number -> to.writeNumber(number);
      default -> to.writeString(value.toString());
    }
  }

  /**
   * Reads exactly one object.
   *
   * @throws IOException with a one-line reason when the text is anything else, or too deep or large
   */
  public static Map<String, @Nullable Object> object(String text) throws IOException {
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("not a JSON object");
      }
      Map<String, @Nullable Object> object = readObject(parser);
      if (parser.nextToken() != null) {
        throw new IOException("more than one JSON object");
      }
      return object;
    } catch (com.fasterxml.jackson.core.JsonProcessingException bad) {
      throw new IOException("bad JSON: " + bad.getOriginalMessage(), bad);
    }
  }

  private static @Nullable Object readValue(JsonParser from, JsonToken token) throws IOException {
    return switch (token) {
      case START_OBJECT -> readObject(from);
      case START_ARRAY -> readArray(from);
      case VALUE_STRING -> from.getText();
      case VALUE_NUMBER_INT -> from.getLongValue();
      case VALUE_NUMBER_FLOAT -> from.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case END_ARRAY, END_OBJECT, FIELD_NAME, NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT ->
          throw new IOException("unexpected " + token);
    };
  }

  private static Map<String, @Nullable Object> readObject(JsonParser from) throws IOException {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    for (String name = from.nextFieldName(); name != null; name = from.nextFieldName()) {
      object.put(name, readValue(from, next(from)));
    }
    return object;
  }

  private static List<@Nullable Object> readArray(JsonParser from) throws IOException {
    List<@Nullable Object> array = new ArrayList<>();
    for (JsonToken token = next(from); token != JsonToken.END_ARRAY; token = next(from)) {
      array.add(readValue(from, token));
    }
    return array;
  }

  private static JsonToken next(JsonParser from) throws IOException {
    JsonToken token = from.nextToken();
    if (token == null) {
      throw new IOException("JSON ends too early");
    }
    return token;
  }
}
