package oxbow.it;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A Java source as a style test needs it: its code without the contents of comments and literals,
 * on the same lines, and the methods found in that by counting braces. It does not parse: code that
 * the formatter has been over has few shapes.
 */
final class JavaText {
  /** A method or constructor body: the line its header begins on (from 1) and its length. */
  record Method(int line, int lines) {}

  /** What stands before the brace of a method: a parameter list at the end. */
  private static final Pattern METHOD_HEADER =
      Pattern.compile("\\w\\s*\\([^;]*\\)\\s*(throws\\s+[\\w.,\\s]+)?$", Pattern.DOTALL);

  /** What also ends with a parenthesis before a brace and is no method. */
  private static final Pattern OTHER_HEADER =
      Pattern.compile(
          "\\b(if|for|while|switch|catch|synchronized|try|new|class|interface|enum|record)\\b");

  private final String code;

  private JavaText(String code) {
    this.code = code;
  }

  /** Blanks what is inside comments, strings, text blocks and character literals. */
  static JavaText of(String source) {
    StringBuilder code = new StringBuilder(source);
    int at = 0;
    while (at < source.length()) {
      int end = endOfOpaque(source, at);
      for (int i = at; i < end; i++) {
        if (source.charAt(i) != '\n') {
          code.setCharAt(i, ' ');
        }
      }
      at = Math.max(end, at + 1);
    }
    return new JavaText(code.toString());
  }

  /** The end of the comment or literal that begins here, or the place itself when none does. */
  private static int endOfOpaque(String source, int at) {
    if (source.startsWith("//", at)) {
      return indexOr(source, "\n", at);
    }
    if (source.startsWith("/*", at)) {
      return indexOr(source, "*/", at + 2) + 2;
    }
    if (source.startsWith("\"\"\"", at)) {
      return endOfLiteral(source, at + 3, "\"\"\"");
    }
    char first = source.charAt(at);
    return first == '"' || first == '\'' ? endOfLiteral(source, at + 1, String.valueOf(first)) : at;
  }

  private static int endOfLiteral(String source, int from, String delimiter) {
    int at = from;
    while (at < source.length() && !source.startsWith(delimiter, at)) {
      at += source.charAt(at) == '\\' ? 2 : 1;
    }
    return Math.min(at + delimiter.length(), source.length());
  }

  private static int indexOr(String source, String text, int from) {
    int at = source.indexOf(text, from);
    return at < 0 ? source.length() - text.length() : at;
  }

  /** The code, with line ends where they were. */
  String code() {
    return code;
  }

  /** The line, from 1, of a place in the code. */
  int lineOf(int offset) {
    return (int) code.substring(0, offset).chars().filter(c -> c == '\n').count() + 1;
  }

  /** All methods and constructors with a body, inner ones included. */
  List<Method> methods() {
    List<Method> methods = new ArrayList<>();
    List<Integer> openings = new ArrayList<>();
    int statement = 0;
    for (int at = 0; at < code.length(); at++) {
      switch (code.charAt(at)) {
        case '{' -> {
          openings.add(isMethodHeader(code.substring(statement, at)) ? statement : -1);
          statement = at + 1;
        }
        case '}' -> {
          int header = openings.isEmpty() ? -1 : openings.removeLast();
          if (header >= 0) {
            int first = lineOf(firstCharacter(header));
            methods.add(new Method(first, lineOf(at) - first + 1));
          }
          statement = at + 1;
        }
        case ';' -> statement = at + 1;
        default -> {}
      }
    }
    return methods;
  }

  private int firstCharacter(int from) {
    int at = from;
    while (Character.isWhitespace(code.charAt(at))) {
      at++;
    }
    return at;
  }

  private static boolean isMethodHeader(String header) {
    String text = header.replaceAll("@\\w+(\\([^)]*\\))?", "").strip();
    return METHOD_HEADER.matcher(text).find()
        && !text.contains("->")
        && !text.contains("=")
        && !OTHER_HEADER.matcher(text).find();
  }
}
