package oxbow.it;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A conversation with a shell as {@code it/oracle/transcripts} records it: Markdown with a block of
 * code for each command line.
 */
final class Transcript {
  private static final String KERNEL = "[kernel] ";

  private Transcript() {}

  /**
   * A command line, and what came of it.
   *
   * @param section the heading above it
   * @param output with the exit status if it was not 0, without the kernel's log
   * @param log the kernel's lines
   */
  record Exchange(String section, String command, List<String> output, List<String> log) {
    private static final Pattern SENTENCE =
        Pattern.compile(
            "device-mapper: table: 254:\\d+: ((?:clone|snapshot|snapshot-origin|snapshot-merge):"
                + " .*) \\(-E\\w+\\)");

    /** Why the kernel refused tables, each with the target's name before it. */
    List<String> sentences() {
      return log.stream()
          .map(SENTENCE::matcher)
          .filter(Matcher::matches)
          .map(m -> m.group(1))
          .toList();
    }
  }

  static List<Exchange> parse(String markdown) {
    List<Exchange> exchanges = new ArrayList<>();
    String section = "";
    List<String> block = new ArrayList<>();
    boolean isBlock = false;
    for (String line : markdown.lines().toList()) {
      if (line.equals("```")) {
        if (isBlock) {
          exchanges.add(exchange(section, block));
          block.clear();
        }
        isBlock = !isBlock;
      } else if (isBlock) {
        block.add(line);
      } else if (line.startsWith("## ")) {
        section = line.substring("## ".length());
      }
    }
    return exchanges;
  }

  private static Exchange exchange(String section, List<String> block) {
    List<String> output = new ArrayList<>();
    List<String> log = new ArrayList<>();
    for (String line : block.subList(1, block.size())) {
      if (line.startsWith(KERNEL)) {
        log.add(line.substring(KERNEL.length()));
      } else {
        output.add(line);
      }
    }
    String command = block.getFirst().substring("# ".length());
    return new Exchange(section, command, List.copyOf(output), List.copyOf(log));
  }
}
