package oxbow.control;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a verb is asked: the fields of its {@link Route}, checked; one that may be left out has a
 * default here.
 *
 * @param isAbandoned whether nobody waits for the answer any more; for verbs that wait
 */
public record Request(Map<String, Object> fields, BooleanSupplier isAbandoned) {
  /** The name of the device. */
  public String name() {
    return (String) fields.getOrDefault("name", "");
  }

  /** False when it was left out. */
  public boolean flag(String field) {
    return (Boolean) fields.getOrDefault(field, false);
  }

  /** 0 when it was left out. */
  public long number(String field) {
    return (Long) fields.getOrDefault(field, 0L);
  }

  /** Null when it was left out. */
  public @Nullable String text(String field) {
    return (String) fields.get(field);
  }

  /** Empty when it was left out. */
  public List<String> words(String field) {
    List<String> words = new ArrayList<>();
    if (fields.get(field) instanceof List<?> list) {
      list.forEach(word -> words.add((String) word));
    }
    return words;
  }
}
