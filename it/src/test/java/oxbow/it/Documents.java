package oxbow.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Markdown, as far as a style test needs it: links, headings, and commands in blocks of code. */
final class Documents {
  private static final Pattern FENCE = Pattern.compile("^\\s*```");
  private static final Pattern PROGRAM =
      Pattern.compile("^(?:\\$ )?((?:\\./|bin/|it/|\\.ci/)[\\w./-]+)(?: .*)?$");

  private Documents() {}

  /** The text with blocks and words of code left blank. */
  static String withoutCode(String text) {
    StringBuilder prose = new StringBuilder();
    boolean code = false;
    for (String line : text.lines().toList()) {
      if (FENCE.matcher(line).find()) {
        code = !code;
      } else if (!code) {
        prose.append(line.replaceAll("`[^`]*`", ""));
      }
      prose.append('\n');
    }
    return prose.toString();
  }

  /**
   * The programs of this repository that blocks of code call: lines that begin with {@code ./},
   * {@code bin/} or {@code it/}.
   */
  static List<String> programs(String text) {
    List<String> programs = new ArrayList<>();
    boolean fenced = false;
    for (String line : text.lines().toList()) {
      if (FENCE.matcher(line).find()) {
        fenced = !fenced;
      } else if (fenced || line.startsWith("    ")) {
        var matcher = PROGRAM.matcher(line.strip());
        if (matcher.matches()) {
          programs.add(matcher.group(1));
        }
      }
    }
    return programs;
  }

  /** What is wrong with a link of a document, or nothing. Addresses elsewhere are not looked at. */
  static String problemOf(Path document, String link) {
    if (link.matches("[a-z+]+:.*")) {
      return "";
    }
    int hash = link.indexOf('#');
    String path = hash < 0 ? link : link.substring(0, hash);
    Path target = path.isEmpty() ? document : document.resolveSibling(path).normalize();
    if (!Files.exists(target)) {
      return "no such file";
    }
    boolean hasHeading =
        hash < 0
            || !target.toString().endsWith(".md")
            || anchors(target).contains(link.substring(hash + 1));
    return hasHeading ? "" : "no such heading";
  }

  /** Headings as the usual renderers name them: lower case, hyphens for spaces, no punctuation. */
  private static List<String> anchors(Path document) {
    try {
      boolean code = false;
      List<String> anchors = new ArrayList<>();
      for (String line : Files.readAllLines(document)) {
        if (FENCE.matcher(line).find()) {
          code = !code;
        } else if (!code && line.startsWith("#")) {
          anchors.add(
              line.replaceFirst("^#+\\s*", "")
                  .toLowerCase(Locale.ROOT)
                  .replaceAll("[^\\p{L}\\p{N}_ -]", "")
                  .replace(' ', '-'));
        }
      }
      return anchors;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
