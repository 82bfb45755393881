package oxbow.console;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How far a job is, as a bar or a line. Feed it with {@link #update}; it works out rate and time
 * left from the recent past, so that a pause shows at once and old glory does not.
 */
public final class Progress {
  private static final double SMOOTHING_SECONDS = 4;
  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final int MIN_BAR = 10;
  private static final int MAX_BAR = 40;

  private final String label;
  private final long totalBytes;
  private long doneBytes;
  private long movedBytes;
  private long atNanos;
  private double bytesPerSecond;
  private double movedPerSecond;
  private long failures;
  private @Nullable String note;

  /** A job that starts with {@code doneBytes} of {@code totalBytes} at {@code nowNanos}. */
  public Progress(String label, long totalBytes, long doneBytes, long nowNanos) {
    this.label = label;
    this.totalBytes = totalBytes;
    this.doneBytes = doneBytes;
    this.atNanos = nowNanos;
    this.bytesPerSecond = Double.NaN;
  }

  /**
   * Takes in where the job is now.
   *
   * @param newDoneBytes how much needs no more work
   * @param newMovedBytes how much was really copied or read since the job began; less than what is
   *     done where there were holes
   * @param newNote why the job stands still, or null
   */
  public void update(
      long nowNanos,
      long newDoneBytes,
      long newMovedBytes,
      long newFailures,
      @Nullable String newNote) {
    double seconds = (nowNanos - atNanos) / (double) NANOS_PER_SECOND;
    if (seconds > 0) {
      double weight = 1 - Math.exp(-seconds / SMOOTHING_SECONDS);
      double recent = Math.max(0, newDoneBytes - doneBytes) / seconds;
      double recentMoved = Math.max(0, newMovedBytes - movedBytes) / seconds;
      boolean isFirst = Double.isNaN(bytesPerSecond);
      bytesPerSecond = isFirst ? recent : bytesPerSecond + weight * (recent - bytesPerSecond);
      movedPerSecond =
          isFirst ? recentMoved : movedPerSecond + weight * (recentMoved - movedPerSecond);
      atNanos = nowNanos;
    }
    doneBytes = newDoneBytes;
    movedBytes = newMovedBytes;
    failures = newFailures;
    note = newNote;
  }

  /** Whole percent, rounded down, so that 100 means all. */
  public int percent() {
    return percent(doneBytes, totalBytes);
  }

  /** Whole percent, rounded down; an empty job is complete. */
  public static int percent(long done, long total) {
    return done >= total ? 100 : Math.min(99, (int) (100.0 * done / total));
  }

  /** One line for a log: {@code clone: 37 %, 3.7 GiB of 10 GiB, 412 MiB/s, 16 s left}. */
  public String line() {
    return label + ": " + percent() + " %, " + amounts() + ", " + tail();
  }

  /** The same with a bar, not wider than a terminal of so many columns. */
  public String bar(int columns) {
    String head = label + String.format(Locale.ROOT, " %3d %% ", percent());
    String tail = " " + amounts() + ", " + tail();
    int room = columns - 1 - head.length() - tail.length() - 2;
    if (room < MIN_BAR) {
      String plain = head + tail.strip();
      return plain.length() < columns ? plain : plain.substring(0, Math.max(0, columns - 1));
    }
    int width = Math.min(room, MAX_BAR);
    int filled = (int) ((long) width * percent() / 100);
    String arrow = filled == 0 || filled == width ? "" : ">";
    String bar = "=".repeat(Math.max(0, filled - arrow.length())) + arrow;
    return head + "[" + bar + " ".repeat(width - bar.length()) + "]" + tail;
  }

  private String amounts() {
    return human(doneBytes) + " of " + human(totalBytes);
  }

  private String tail() {
    StringBuilder text = new StringBuilder();
    text.append(human((long) movedPerSecond)).append("/s");
    if (note != null) {
      text.append(", ").append(note);
    } else if (doneBytes < totalBytes && bytesPerSecond >= 1) {
      text.append(", ")
          .append(duration((long) ((totalBytes - doneBytes) / bytesPerSecond)))
          .append(" left");
    }
    if (failures > 0) {
      text.append(", ").append(failures).append(failures == 1 ? " failure" : " failures");
    }
    return text.toString();
  }

  /** A size with three digits or so: {@code 412 MiB}, {@code 3.7 GiB}. */
  public static String human(long bytes) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    boolean isWhole = unit == 0 || value >= 100 || value == Math.rint(value);
    return String.format(Locale.ROOT, isWhole ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }

  /** {@code 16 s}, {@code 3 min 20 s}, {@code 2 h 05 min}, {@code 3 d 4 h}. */
  public static String duration(long seconds) {
    if (seconds < 60) {
      return seconds + " s";
    }
    if (seconds < 3600) {
      return seconds / 60 + " min " + seconds % 60 + " s";
    }
    if (seconds < 86_400) {
      return String.format(Locale.ROOT, "%d h %02d min", seconds / 3600, seconds / 60 % 60);
    }
    long days = seconds / 86_400;
    return days > 9999 ? "years" : days + " d " + seconds / 3600 % 24 + " h";
  }
}
