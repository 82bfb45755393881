package oxbow.daemon;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;

/**
 * The daemon's log: a line for each thing that happens, with the time and named fields ({@code
 * device=vol1 request=17}), on standard error; with {@code --json} objects on standard output as
 * well. Any thread.
 */
final class DaemonLog {
  /** Nothing that parts words, ends lines, or tells a terminal what to do. */
  private static final Pattern PLAIN = Pattern.compile("[^\\p{Z}\\p{C}\"=\\\\]+");

  private final Console console;

  DaemonLog(Console console) {
    this.console = console;
  }

  /**
   * @param what one word
   * @param fields a field that is null is left out of the line for people
   */
  void write(String what, Map<String, ? extends @Nullable Object> fields) {
    String time = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    StringBuilder line = new StringBuilder(time).append(' ').append(what);
    fields.forEach(
        (name, value) -> {
          if (value != null) {
            line.append(' ').append(name).append('=').append(quoted(value.toString()));
          }
        });
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    object.put("time", time);
    object.putAll(fields);
    console.event(what, object, line.toString());
  }

  /** A value that is no single plain word stands in quotes; a log line stays one line. */
  private static String quoted(String value) {
    if (PLAIN.matcher(value).matches()) {
      return value;
    }
    String escaped = value.replaceAll("[\"\\\\]", "\\\\$0");
    return '"' + escaped.replaceAll("[\\p{Z}\\p{C}]", " ") + '"';
  }
}
