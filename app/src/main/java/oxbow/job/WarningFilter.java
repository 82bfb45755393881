package oxbow.job;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Keeps a thousand failures from being a thousand lines: of warnings that differ in numbers only
 * the first few are shown, then every time their count has doubled. Any thread may ask.
 */
final class WarningFilter {
  private static final int SHOWN_AT_FIRST = 3;
  private static final Pattern NUMBERS = Pattern.compile("[0-9]+");

  private final Map<String, Long> counts = new LinkedHashMap<>();

  /** What to show of a warning; empty when nothing. */
  synchronized String show(String warning) {
    String kind = NUMBERS.matcher(warning).replaceAll("#");
    long count = counts.merge(kind, 1L, Long::sum);
    if (count <= SHOWN_AT_FIRST) {
      return warning;
    }
    return Long.bitCount(count) == 1 ? warning + " (" + count + " of this kind so far)" : "";
  }
}
