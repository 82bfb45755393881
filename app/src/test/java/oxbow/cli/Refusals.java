package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Commands that must be refused in one clear line, and perhaps one of advice, and change nothing.
 *
 * @param directory all that could be changed
 * @param command the word on the command line
 */
record Refusals(Path directory, String command) {
  /**
   * Runs the command.
   *
   * @param status the exit status that is expected
   * @param why a pattern for the first line
   * @param words after the command
   * @return the lines
   */
  List<String> check(int status, String why, Object... words) throws Exception {
    Snapshot before = Snapshot.of(directory);
    List<String> lines = run(status, why, words);
    assertThat(Snapshot.of(directory)).isEqualTo(before);
    return lines;
  }

  /**
   * The same where a target is made before it is refused: what it may write to has been asked
   * whether it can discard, and only trying tells, which sets the file's time of change.
   */
  List<String> checkContent(int status, String why, Object... words) throws Exception {
    Snapshot before = Snapshot.of(directory).withoutTimes();
    List<String> lines = run(status, why, words);
    assertThat(Snapshot.of(directory).withoutTimes()).isEqualTo(before);
    return lines;
  }

  private List<String> run(int status, String why, Object... words) {
    List<Object> all = new ArrayList<>(List.of(command));
    all.addAll(List.of(words));
    if (!all.contains("--control")) {
      all.addAll(List.of("--control", directory.resolve("control.sock")));
    }
    Cli refused = Cli.run(all.toArray());
    assertThat(refused.err()).containsPattern("(?m)^oxbow: " + command + ": .*" + why);
    assertThat(refused.status()).isEqualTo(status);
    assertThat(refused.out()).isEmpty();
    List<String> lines =
        refused.errLines().stream().filter(line -> !line.startsWith("warning: ")).toList();
    assertThat(lines).hasSizeBetween(1, 2);
    assertThat(lines.stream().skip(1)).allMatch(line -> line.startsWith("  "));
    return lines;
  }
}
