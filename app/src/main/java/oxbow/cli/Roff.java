package oxbow.cli;

import java.util.List;
import java.util.Locale;

/** Text in roff, with the macros of manual pages. What is given is shown as it is. */
final class Roff {
  private static final int LAST_ASCII = 0x7e;

  private final StringBuilder text = new StringBuilder();

  void title(String name, String source) {
    line(".TH " + quoted(name.toUpperCase(Locale.ROOT)) + " 1 \"\" " + quoted(source) + " Oxbow");
  }

  void section(String heading) {
    line(".SH " + quoted(heading));
  }

  /** A line that flows together with those around it. */
  void text(String words) {
    if (!words.isBlank()) {
      line(atLineStart(words));
    }
  }

  /** Bold words, and others behind them in the same line. */
  void bold(String bold, String behind) {
    line("\\fB" + escaped(bold) + "\\fR" + escaped(behind));
  }

  /** A bold term, and what it means, indented. */
  void item(String term, List<String> meaning) {
    line(".TP");
    bold(term, "");
    meaning.forEach(this::text);
  }

  /** Lines that stay as they are. */
  void verbatim(List<String> lines) {
    line(".PP");
    line(".nf");
    lines.forEach(each -> line(atLineStart(each)));
    line(".fi");
  }

  /** The text so far. */
  @Override
  public String toString() {
    return text.toString();
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  /** What begins with a dot or an apostrophe would be a request. */
  private static String atLineStart(String words) {
    String escaped = escaped(words);
    return escaped.startsWith(".") || escaped.startsWith("\\(aq") ? "\\&" + escaped : escaped;
  }

  private static String quoted(String words) {
    return '"' + escaped(words).replace("\"", "\\(dq") + '"';
  }

  private static String escaped(String words) {
    StringBuilder escaped = new StringBuilder();
    words
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\\' -> escaped.append("\\e");
                case '-' -> escaped.append("\\-");
                case '\'' -> escaped.append("\\(aq");
                case '`' -> escaped.append("\\(ga");
                case '^' -> escaped.append("\\(ha");
                case '~' -> escaped.append("\\(ti");
                default -> {
                  if (c > LAST_ASCII) {
                    escaped.append(String.format(Locale.ROOT, "\\[u%04X]", c));
                  } else {
                    escaped.appendCodePoint(c);
                  }
                }
              }
            });
    return escaped.toString();
  }
}
