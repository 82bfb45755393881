package oxbow.imports;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import oxbow.console.UserException;

/**
 * What {@code dmsetup table} prints: of all devices {@code NAME: START LENGTH TARGET ARGS}, of one
 * the same without the name. Devices in it are {@code MAJOR:MINOR}.
 */
public final class DmsetupTables {
  /** A name may hold blanks and colons; the first place where a target begins ends it. */
  private static final Pattern LINE =
      Pattern.compile("(?:(?<name>.+?): )?(?<target>[0-9]+ [0-9]+ [a-z][a-z0-9_-]*(?: .*)?)");

  private static final Pattern WITHOUT_TABLE = Pattern.compile("(?<name>.+):");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+:[0-9]+");
  private static final String NOTHING = "No devices found";
  private static final int WORDS_BEFORE_ARGUMENTS = 3;

  private final DeviceNumbers numbers;
  private final @Nullable String nameOfOne;

  /**
   * @param nameOfOne the name of the device whose lines have none; null if there is none
   */
  public DmsetupTables(DeviceNumbers numbers, @Nullable String nameOfOne) {
    this.numbers = numbers;
    this.nameOfOne = nameOfOne;
  }

  /** Whether a line is one of these rather than one of a clonetab. */
  static boolean isLine(String line) {
    String stripped = line.strip();
    return stripped.equals(NOTHING)
        || LINE.matcher(stripped).matches()
        || WITHOUT_TABLE.matcher(stripped).matches();
  }

  /**
   * The devices of a text, those before others that lie on them.
   *
   * @param refused takes a line about each device that cannot be made
   */
  public List<ImportedDevice> read(String text, Consumer<String> refused) {
    Set<String> broken = new TreeSet<>();
    Map<String, List<String>> tables = tables(text, broken, refused);
    List<ImportedDevice> devices = new ArrayList<>();
    tables.forEach(
        (name, lines) -> {
          if (broken.contains(name)) {
            return;
          }
          try {
            List<String> resolved = new ArrayList<>();
            for (String line : lines) {
              resolved.add(resolve(line, tables.keySet()));
            }
            devices.add(new ImportedDevice(name, resolved));
          } catch (IOException unknown) {
            refused.accept(name + ": " + UserException.reason(unknown));
          }
        });
    return lowestFirst(devices);
  }

  private Map<String, List<String>> tables(
      String text, Set<String> broken, Consumer<String> refused) {
    Map<String, List<String>> tables = new LinkedHashMap<>();
    int number = 0;
    for (String each : text.lines().toList()) {
      number++;
      String line = each.strip();
      if (Clonetab.isComment(line) || line.equals(NOTHING)) {
        continue;
      }
      Matcher target = LINE.matcher(line);
      Matcher empty = WITHOUT_TABLE.matcher(line);
      if (target.matches()) {
        String name = target.group("name") == null ? nameOfOne : target.group("name");
        if (name == null) {
          refused.accept("line " + number + ": the device has no name here; --name gives it one");
        } else {
          tables.computeIfAbsent(name, _ -> new ArrayList<>()).add(target.group("target"));
        }
      } else if (empty.matches()) {
        tables.computeIfAbsent(empty.group("name"), _ -> new ArrayList<>());
      } else {
        refused.accept("line " + number + ": NAME: START LENGTH TARGET ARGS is expected");
        int colon = line.indexOf(": ");
        broken.add(colon < 0 ? line : line.substring(0, colon));
      }
    }
    return tables;
  }

  private String resolve(String line, Set<String> imported) throws IOException {
    String[] words = line.split(" ", -1);
    for (int i = WORDS_BEFORE_ARGUMENTS; i < words.length; i++) {
      if (NUMBER.matcher(words[i]).matches()) {
        words[i] = ImportedDevice.word(numbers.address(words[i], imported));
      }
    }
    return String.join(" ", words);
  }

  /** Where devices lie on each other in a ring, which the daemon refuses, order is no help. */
  private static List<ImportedDevice> lowestFirst(List<ImportedDevice> devices) {
    List<ImportedDevice> waiting = new ArrayList<>(devices);
    List<ImportedDevice> sorted = new ArrayList<>();
    while (!waiting.isEmpty()) {
      ImportedDevice next =
          waiting.stream()
              .filter(device -> waiting.stream().noneMatch(below -> liesOn(device, below)))
              .findFirst()
              .orElse(waiting.getFirst());
      waiting.remove(next);
      sorted.add(next);
    }
    return sorted;
  }

  private static boolean liesOn(ImportedDevice device, ImportedDevice below) {
    return device.mentions(DeviceNumbers.named(below.name()));
  }
}
