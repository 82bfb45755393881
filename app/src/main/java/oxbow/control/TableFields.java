package oxbow.control;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The words of a table line by name, for those who do not want to count them. A line that has been
 * loaded and not looked at yet may be of any form: what follows a word that cannot be there has no
 * name.
 */
final class TableFields {
  private static final List<String> DELAYED = List.of("read", "write", "flush");
  private static final int WORDS_OF_A_DELAY = 3;
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

  private final List<String> words;
  private final Map<String, @Nullable Object> fields = new LinkedHashMap<>();
  private int at;

  private TableFields(String text) {
    this.words = text.isBlank() ? List.of() : List.of(text.strip().split(" +"));
  }

  /** The fields of a line; empty for a target without words, or one that is not known. */
  static Map<String, @Nullable Object> of(String target, String text) {
    TableFields line = new TableFields(text);
    switch (target) {
      case "clone" -> line.devices("metadata", "destination", "source").clonePart();
      case "snapshot", "snapshot-merge" ->
          line.devices("origin", "store").word("persistence").number("chunkSizeSectors").features();
      case "snapshot-origin" -> line.devices("origin");
      case "bow" -> line.devices("device").features();
      case "linear" -> line.devices("device").number("offsetSectors");
      case "delay" -> line.delays();
      case "flakey" ->
          line.devices("device")
              .number("offsetSectors")
              .number("upSeconds")
              .number("downSeconds")
              .features();
      case "log-writes" -> line.devices("device", "log");
      default -> {}
    }
    return line.fields;
  }

  private TableFields devices(String... names) {
    for (String name : names) {
      word(name);
    }
    return this;
  }

  private TableFields word(String name) {
    if (at < words.size()) {
      fields.put(name, words.get(at++));
    }
    return this;
  }

  private TableFields number(String name) {
    if (isNumberNext()) {
      fields.put(name, Long.valueOf(words.get(at++)));
    }
    return this;
  }

  private boolean isNumberNext() {
    if (at < words.size() && !NUMBER.matcher(words.get(at)).matches()) {
      at = words.size();
    }
    return at < words.size();
  }

  /** A count, and as many words. */
  private TableFields features() {
    fields.put("features", counted());
    return this;
  }

  private List<String> counted() {
    long count = isNumberNext() ? Long.parseLong(words.get(at++)) : 0;
    List<String> counted = new ArrayList<>();
    for (long i = 0; i < count && at < words.size(); i++) {
      counted.add(words.get(at++));
    }
    return counted;
  }

  /** Features, then pairs of a name and a number. */
  private void clonePart() {
    number("regionSizeSectors");
    features();
    List<String> core = counted();
    for (int i = 0; i + 1 < core.size(); i += 2) {
      if (NUMBER.matcher(core.get(i + 1)).matches()) {
        fields.put(camelCase(core.get(i)), Long.valueOf(core.get(i + 1)));
      }
    }
  }

  private static String camelCase(String words) {
    StringBuilder name = new StringBuilder();
    boolean isUpper = false;
    for (int i = 0; i < words.length(); i++) {
      char c = words.charAt(i);
      if (c == '_') {
        isUpper = true;
      } else {
        name.append(isUpper ? Character.toUpperCase(c) : c);
        isUpper = false;
      }
    }
    return name.toString();
  }

  /** A device, an offset and a delay for each of reads, writes and flushes that has its own. */
  private void delays() {
    for (String operation : DELAYED) {
      if (at + WORDS_OF_A_DELAY <= words.size()) {
        word(operation + "Device").number(operation + "OffsetSectors").number(operation + "Millis");
      }
    }
  }
}
