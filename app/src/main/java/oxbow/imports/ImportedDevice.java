package oxbow.imports;

import java.util.List;

/**
 * A device to be made.
 *
 * @param name as the text has it; it need not be one that the daemon allows
 * @param table its lines; none for a device without a table
 */
public record ImportedDevice(String name, List<String> table) {
  public ImportedDevice {
    table = List.copyOf(table);
  }

  /** A word so that a table holds it as one. */
  static String word(String word) {
    return word.replaceAll("([\\\\\\s])", "\\\\$1");
  }

  /** Whether one of the words of the table is this one. */
  boolean mentions(String word) {
    return table.stream().anyMatch(line -> List.of(line.split(" ", -1)).contains(word));
  }
}
