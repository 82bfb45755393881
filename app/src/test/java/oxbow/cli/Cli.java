package oxbow.cli;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of the program within the test's process.
 *
 * @param out what went to standard output, and {@code err} to standard error
 */
public record Cli(int status, String out, String err) {
  public static Cli run(Object... words) {
    return runWith(null, words);
  }

  /**
   * One run with somebody who answers questions.
   *
   * @param answers what they type; null for nobody
   */
  static Cli runAnswered(String answers, Object... words) {
    return runWith(new BufferedReader(new StringReader(answers)), words);
  }

  private static Cli runWith(@Nullable BufferedReader answers, Object... words) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] args = List.of(words).stream().map(Object::toString).toArray(String[]::new);
    Main main =
        new Main(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            answers);
    int status = main.run(args);
    return new Cli(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  public List<String> errLines() {
    return err.lines().toList();
  }
}
