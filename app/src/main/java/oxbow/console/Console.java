package oxbow.console;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Standard output and standard error of one command. Output holds results only (with {@code --json}
 * one object a line); error holds lines for people and, on a terminal, a bar that stays below them.
 *
 * <p>Any thread may speak; the monitor of this object keeps lines whole.
 */
public final class Console {
  private static final String CLEAR_LINE = "\r\u001b[K";

  private final PrintStream out;
  private final PrintStream err;
  private final boolean isTerminal;
  private final boolean isJson;
  private final @Nullable BufferedReader answers;
  private String bar = "";
  private int columns;

  /**
   * @param isTerminal whether {@code err} understands a bar that is drawn over and over
   * @param isJson whether results are JSON lines
   */
  public Console(PrintStream out, PrintStream err, boolean isTerminal, boolean isJson) {
    this(out, err, isTerminal, isJson, null);
  }

  /**
   * The same with somebody who can be asked.
   *
   * @param answers what they type; null where there is nobody
   */
  public Console(
      PrintStream out,
      PrintStream err,
      boolean isTerminal,
      boolean isJson,
      @Nullable BufferedReader answers) {
    this.out = out;
    this.err = err;
    this.isTerminal = isTerminal;
    this.isJson = isJson;
    this.answers = answers;
  }

  public boolean isTerminal() {
    return isTerminal;
  }

  public boolean isJson() {
    return isJson;
  }

  /** Width of the terminal in characters; asked for once. May block for some milliseconds. */
  public synchronized int columns() {
    if (columns == 0) {
      columns = Terminal.columns();
    }
    return columns;
  }

  /** A line of result on standard output. */
  public synchronized void result(String line) {
    clearBar();
    out.println(line);
    out.flush();
    drawBar();
  }

  /** An object of result on standard output, in one line. */
  public void result(Map<String, ? extends @Nullable Object> fields) {
    result(Json.line(fields));
  }

  /**
   * Something that happened: a line on standard error and, with {@code --json}, an object that
   * starts with {@code "event"} on standard output.
   */
  public void event(String name, Map<String, ? extends @Nullable Object> fields, String line) {
    if (isJson) {
      Map<String, @Nullable Object> object = new LinkedHashMap<>();
      object.put("event", name);
      object.putAll(fields);
      result(object);
    }
    say(line);
  }

  /** A line for people on standard error. */
  public synchronized void say(String line) {
    clearBar();
    err.println(line);
    err.flush();
    drawBar();
  }

  /** Whether there is somebody who can be asked. */
  public boolean canAsk() {
    return answers != null;
  }

  /** Asks on standard error and waits for a line; only {@code y} and {@code yes} agree. Blocks. */
  public synchronized boolean agrees(String question) throws IOException {
    if (answers == null) {
      return false;
    }
    clearBar();
    err.print(question + " [y/N] ");
    err.flush();
    String answer = answers.readLine();
    return answer != null && Set.of("y", "yes").contains(answer.strip().toLowerCase(Locale.ROOT));
  }

  /** Shows the bar, in place of the one before, at the bottom of a terminal. */
  public synchronized void showBar(String text) {
    if (isTerminal && !text.equals(bar)) {
      bar = text;
      err.print(CLEAR_LINE);
      drawBar();
    }
  }

  /** Leaves the bar as it is now and goes on below it. */
  public synchronized void endBar() {
    if (!bar.isEmpty()) {
      err.println();
      err.flush();
      bar = "";
    }
  }

  private void clearBar() {
    if (!bar.isEmpty()) {
      err.print(CLEAR_LINE);
    }
  }

  private void drawBar() {
    if (!bar.isEmpty()) {
      err.print(bar);
      err.flush();
    }
  }
}
