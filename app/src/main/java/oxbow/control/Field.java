package oxbow.control;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A field of a request: a member of its JSON object, a parameter of its query, or a part of its
 * path.
 */
public record Field(String name, Type type, boolean isRequired) {
  /** What a field may hold, and how it is read. */
  public enum Type {
    /** {@code Boolean}. */
    FLAG("true or false"),
    /** {@code Long}, not negative. */
    NUMBER("a number from 0 on"),
    /** {@code String}. */
    TEXT("a string"),
    /** {@code List<String>}. */
    WORDS("a list of strings");

    private final String description;

    Type(String description) {
      this.description = description;
    }
  }

  static Field flag(String name) {
    return new Field(name, Type.FLAG, false);
  }

  static Field number(String name) {
    return new Field(name, Type.NUMBER, false);
  }

  static Field text(String name) {
    return new Field(name, Type.TEXT, false);
  }

  static Field words(String name) {
    return new Field(name, Type.WORDS, false);
  }

  Field required() {
    return new Field(name, type, true);
  }

  /** A value of a JSON object, once it is known to be of this type. */
  Object fromJson(Object value) throws ControlException {
    boolean isRight =
        switch (type) {
          case FLAG -> value instanceof Boolean;
          case NUMBER -> value instanceof Long number && number >= 0;
          case TEXT -> value instanceof String;
          case WORDS -> value instanceof List<?> list && isWords(list);
        };
    if (!isRight) {
      throw wrong();
    }
    return value;
  }

  /** A value that was written in a query or a path. */
  Object fromText(@Nullable String value) throws ControlException {
    return switch (type) {
      case FLAG -> {
        if (!"true".equals(value) && !"false".equals(value)) {
          throw wrong();
        }
        yield Boolean.valueOf(value);
      }
      case NUMBER -> {
        try {
          yield fromJson(Long.valueOf(String.valueOf(value)));
        } catch (NumberFormatException noNumber) {
          throw wrong();
        }
      }
      case TEXT -> {
        if (value == null) {
          throw wrong();
        }
        yield value;
      }
      case WORDS -> throw new IllegalStateException(name + " has no place in a query");
    };
  }

  private static boolean isWords(List<?> list) {
    return list.stream().allMatch(String.class::isInstance);
  }

  private ControlException wrong() {
    return new ControlException(name + " is not " + type.description);
  }
}
