package oxbow.daemon;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A table that is only a text so far. The devices of this daemon that it names have it follow them
 * when they get other names, like those that an opened table has leased. Unchangeable.
 */
final class KeptTable {
  private static final String NAMED = "oxbow:";

  private final TableText text;
  private final Map<String, ManagedDevice> named;

  private KeptTable(TableText text, Map<String, ManagedDevice> named) {
    this.text = text;
    this.named = named;
  }

  /**
   * @param devices finds those that are there now, by their names
   */
  static KeptTable of(TableText text, Function<String, @Nullable ManagedDevice> devices) {
    Map<String, ManagedDevice> named = new HashMap<>();
    for (String name : names(text)) {
      ManagedDevice device = devices.apply(name);
      if (device != null) {
        named.put(word(name), device);
      }
    }
    return new KeptTable(text, named);
  }

  /** The names of devices of this daemon in a table. */
  static List<String> names(TableText text) {
    return text.lines().stream()
        .flatMap(line -> line.words().stream())
        .filter(word -> word.startsWith(NAMED))
        .map(word -> word.substring(NAMED.length()))
        .distinct()
        .toList();
  }

  /** How tables name a device of this daemon. */
  static String word(String name) {
    return NAMED + name;
  }

  /** With the names that the devices have now. */
  TableText text() {
    return text.with(
        word -> {
          ManagedDevice device = named.get(word);
          return device == null ? word : word(device.name());
        });
  }
}
