package oxbow.job;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.inspect.Problem;

/** What {@code oxbow inspect} has found: fields for programs, and the same in lines for people. */
final class Inspection {
  /** At most so many problems are listed, and so many ranges or runs. */
  static final int MAX_PROBLEMS = 100;

  static final int MAX_RANGES = 16;

  private final Map<String, @Nullable Object> fields = new LinkedHashMap<>();
  private final List<String> lines = new ArrayList<>();

  void field(String name, @Nullable Object value) {
    fields.put(name, value);
  }

  void line(String line) {
    lines.add(line);
  }

  void line(String label, String value) {
    lines.add(String.format(Locale.ROOT, "  %-17s %s", label + ":", value));
  }

  /** Shows some of many ranges of numbers. */
  void ranges(String label, List<String> some, long count) {
    if (!some.isEmpty()) {
      long more = count - some.size();
      String rest = more > 0 ? " and " + more + " more" : "";
      line(label, String.join(" ", some) + rest);
    }
  }

  /** From a number on so many. */
  static String range(long first, long count) {
    return count == 1 ? "" + first : first + "-" + (first + count - 1);
  }

  /** What a check of every structure has found. */
  void findings(List<Problem> problems, long unlisted, List<String> warnings) {
    List<Map<String, @Nullable Object>> listed = new ArrayList<>();
    for (Problem problem : problems) {
      Map<String, @Nullable Object> object = new LinkedHashMap<>();
      object.put("block", problem.blockNr());
      object.put("what", problem.what());
      object.put("path", problem.path());
      listed.add(object);
      lines.add("  problem: " + problem.what() + pathOf(problem));
    }
    if (unlisted > 0) {
      lines.add("  and " + unlisted + " more problems");
    }
    warnings.forEach(warning -> lines.add("  warning: " + warning));
    field("problems", listed);
    field("unlistedProblems", unlisted);
    field("warnings", warnings);
    field("clean", problems.isEmpty());
    if (problems.isEmpty()) {
      lines.add("  checked: every structure is as it must be");
    }
  }

  private static String pathOf(Problem problem) {
    StringBuilder path = new StringBuilder(" (block " + problem.blockNr());
    if (problem.path().size() > 1) {
      path.append(", by way of");
      problem.path().forEach(block -> path.append(' ').append(block));
    }
    return path.append(')').toString();
  }

  void show(Console console) {
    if (console.isJson()) {
      console.result(fields);
    } else {
      lines.forEach(console::result);
    }
  }
}
