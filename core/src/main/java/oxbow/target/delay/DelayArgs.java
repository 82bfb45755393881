package oxbow.target.delay;

import java.util.ArrayList;
import java.util.List;
import oxbow.target.TargetException;
import oxbow.target.Underlay;
import oxbow.target.Words;

/**
 * The words of a delay's table line: one to three times {@code <dev> <offset> <ms>}, for reads, for
 * writes and for flushes. What is not given is as the one before. {@link #parse} and {@link
 * #toTableLine} are inverse.
 *
 * @param given one to three, in this order
 */
public record DelayArgs(List<Part> given) {
  /** Where requests of one kind go, and how late. */
  public record Part(String device, long offsetSectors, long delayMillis) {
    String toTableLine() {
      return device + " " + offsetSectors + " " + delayMillis;
    }
  }

  /**
   * Reads the words after "delay" in a table line.
   *
   * @throws TargetException with device-mapper's sentence
   */
  public static DelayArgs parse(List<String> words) throws TargetException {
    if (words.size() != 3 && words.size() != 6 && words.size() != 9) {
      throw new TargetException("Requires exactly 3, 6 or 9 arguments");
    }
    List<Part> given = new ArrayList<>();
    for (Words reader = new Words(words); reader.left() > 0; ) {
      String device = reader.next();
      long offset = Underlay.parseSector(reader, "Invalid device sector");
      long delay = reader.nextNumber(Words.MAX_U32, "Invalid delay");
      given.add(new Part(device, offset, delay));
    }
    return new DelayArgs(List.copyOf(given));
  }

  /** Of reads (0), writes (1) or flushes (2). */
  Part of(int kind) {
    return given.get(Math.min(kind, given.size() - 1));
  }

  /** What follows "delay" in a table line. */
  public String toTableLine() {
    return String.join(" ", given.stream().map(Part::toTableLine).toList());
  }
}
