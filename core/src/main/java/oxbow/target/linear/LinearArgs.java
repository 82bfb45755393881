package oxbow.target.linear;

import java.util.List;
import oxbow.target.TargetException;
import oxbow.target.Underlay;
import oxbow.target.Words;

/**
 * The words of a linear's table line: {@code <dev> <offset>}. {@link #parse} and {@link
 * #toTableLine} are inverse.
 *
 * @param offsetSectors where on the device the target begins
 */
public record LinearArgs(String device, long offsetSectors) {
  private static final int WORDS = 2;

  /**
   * Reads the words after "linear" in a table line.
   *
   * @throws TargetException with device-mapper's sentence
   */
  public static LinearArgs parse(List<String> words) throws TargetException {
    if (words.size() != WORDS) {
      throw new TargetException("Invalid argument count");
    }
    Words reader = new Words(words);
    String device = reader.next();
    return new LinearArgs(device, Underlay.parseSector(reader, "Invalid device sector"));
  }

  /** What follows "linear" in a table line. */
  public String toTableLine() {
    return device + " " + offsetSectors;
  }
}
