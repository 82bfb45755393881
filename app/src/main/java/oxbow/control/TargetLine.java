package oxbow.control;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of {@code table} or {@code status}: where the target lies, which one it is, and its
 * text.
 *
 * @param text the target's own words, as device-mapper prints them after the target's name
 * @param fields the same by name, for those who do not want to count words; may be empty
 */
public record TargetLine(
    long startSector,
    long lengthSectors,
    String target,
    String text,
    Map<String, ? extends @Nullable Object> fields) {

  /** The same line of a table with its words by name. */
  TargetLine withFieldsOfTable() {
    return new TargetLine(startSector, lengthSectors, target, text, TableFields.of(target, text));
  }

  /** As dmsetup prints it. */
  @Override
  public String toString() {
    return startSector + " " + lengthSectors + " " + target + " " + text;
  }

  /** As an object of the control protocol. */
  Map<String, @Nullable Object> toJson() {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("start", startSector);
    json.put("length", lengthSectors);
    json.put("target", target);
    json.put("text", text);
    json.putAll(fields);
    return json;
  }
}
