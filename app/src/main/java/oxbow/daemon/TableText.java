package oxbow.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import oxbow.block.Sectors;
import oxbow.control.ControlException;

/** A table as users write it: a line a target, which touch and begin at 0. Nothing is opened. */
record TableText(List<Line> lines) {
  private static final long MAX_SECTORS = Sectors.fromBytes(Long.MAX_VALUE);

  /**
   * One target.
   *
   * @param words after the target's name, unescaped
   */
  record Line(long startSectors, long lengthSectors, String target, List<String> words) {
    @Override
    public String toString() {
      String start = startSectors + " " + lengthSectors + " " + target;
      return words.stream()
          .map(TableWords::escape)
          .collect(Collectors.joining(" ", start + " ", ""));
    }

    /** Without the words. */
    private boolean isWellFormed() {
      return lengthSectors > 0 && startSectors <= MAX_SECTORS - lengthSectors;
    }
  }

  TableText {
    lines = List.copyOf(lines);
  }

  /**
   * Reads a table. Empty lines and those that begin with {@code #} count for nothing; a backslash
   * takes the next character as it is.
   *
   * @throws ControlException with one line that says what is wrong where
   */
  static TableText parse(String text) throws ControlException {
    List<Line> lines = new ArrayList<>();
    int number = 0;
    long end = 0;
    for (String each : text.lines().toList()) {
      number++;
      List<String> words = TableWords.split(each);
      if (words.isEmpty() || words.getFirst().startsWith("#")) {
        continue;
      }
      Line line = line(words, number);
      if (line.startSectors() != end) {
        throw new ControlException(line.target() + ": Gap in table");
      }
      end += line.lengthSectors();
      lines.add(line);
    }
    if (lines.isEmpty()) {
      throw new ControlException("The table has no targets");
    }
    return new TableText(lines);
  }

  private static Line line(List<String> words, int number) throws ControlException {
    if (words.size() >= 3 && isNumber(words.get(0)) && isNumber(words.get(1))) {
      Line line =
          new Line(
              Long.parseLong(words.get(0)),
              Long.parseLong(words.get(1)),
              words.get(2),
              List.copyOf(words.subList(3, words.size())));
      if (line.isWellFormed()) {
        return line;
      }
    }
    throw new ControlException("Invalid format on line " + number + " of table");
  }

  private static boolean isNumber(String word) {
    return word.matches("[0-9]{1,18}");
  }

  /** The same with other words in the place of some. */
  TableText with(UnaryOperator<String> replacement) {
    return new TableText(
        lines.stream()
            .map(
                line ->
                    new Line(
                        line.startSectors(),
                        line.lengthSectors(),
                        line.target(),
                        line.words().stream().map(replacement).toList()))
            .toList());
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return lines.stream().map(Line::toString).collect(Collectors.joining("\n"));
  }
}
