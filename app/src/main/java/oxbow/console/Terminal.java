package oxbow.console;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Whether somebody sits at a terminal, and how wide it is. */
public final class Terminal {
  private static final Path STANDARD_INPUT = Path.of("/proc/self/fd/0");
  private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");
  private static final int DEFAULT_COLUMNS = 80;

  private Terminal() {}

  /** Where the system does not say what standard error is, the answer is no: plain lines. */
  public static boolean isStandardError() {
    return isTerminal(STANDARD_ERROR) && !"dumb".equals(System.getenv("TERM"));
  }

  /** Whether there may be somebody to answer a question. */
  public static boolean isStandardInput() {
    return isTerminal(STANDARD_INPUT);
  }

  private static boolean isTerminal(Path stream) {
    try {
      String target = Files.readSymbolicLink(stream).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException unknown) {
      return false;
    }
  }

  /** Asks the terminal; blocks for some milliseconds. */
  static int columns() {
    int fromEnvironment = parse(System.getenv().getOrDefault("COLUMNS", ""));
    if (fromEnvironment > 0) {
      return fromEnvironment;
    }
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(new File("/dev/tty"))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      stty.waitFor(1, TimeUnit.SECONDS);
      int space = size.indexOf(' ');
      int columns = space < 0 ? 0 : parse(size.substring(space + 1).trim());
      return columns > 0 ? columns : DEFAULT_COLUMNS;
    } catch (IOException noStty) {
      return DEFAULT_COLUMNS;
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return DEFAULT_COLUMNS;
    }
  }

  private static int parse(String number) {
    try {
      return Integer.parseInt(number);
    } catch (NumberFormatException notANumber) {
      return 0;
    }
  }
}
