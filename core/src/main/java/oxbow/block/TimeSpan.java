package oxbow.block;

import java.util.concurrent.TimeUnit;

/**
 * Times as users write them: {@code 30}, {@code 30s}, {@code 5m}; and holds, see {@link Remote}.
 */
public final class TimeSpan {
  private static final String HOLD_FOREVER = "forever";
  private static final String HOLD_NOT = "fail";

  private TimeSpan() {}

  /**
   * Nanoseconds for a number of seconds, or of ms, s, m, h or d.
   *
   * @throws IllegalArgumentException with a sentence for the user
   */
  public static long parse(String text) {
    int digits = 0;
    while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
      digits++;
    }
    TimeUnit unit =
        switch (text.substring(digits)) {
          case "ms" -> TimeUnit.MILLISECONDS;
          case "", "s" -> TimeUnit.SECONDS;
          case "m" -> TimeUnit.MINUTES;
          case "h" -> TimeUnit.HOURS;
          case "d" -> TimeUnit.DAYS;
          default -> null;
        };
    if (digits == 0 || digits > 9 || unit == null) {
      throw new IllegalArgumentException(
          "\""
              + text
              + "\" is not a time: a number of seconds, or with ms, s, m, h or d,"
              + " is expected");
    }
    return unit.toNanos(Long.parseLong(text, 0, digits, 10));
  }

  /**
   * How long to hold requests: a time, {@code forever}, or {@code fail} for not at all.
   *
   * @throws IllegalArgumentException with a sentence for the user
   */
  public static long parseHold(String text) {
    return switch (text) {
      case HOLD_FOREVER -> Remote.FOREVER;
      case HOLD_NOT -> 0;
      default -> {
        try {
          yield parse(text);
        } catch (IllegalArgumentException wrong) {
          throw new IllegalArgumentException(
              "\"" + text + "\" is neither a time, such as 30 (seconds) or 5m, nor forever or fail",
              wrong);
        }
      }
    };
  }
}
