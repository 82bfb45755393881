package oxbow.target.flakey;

import java.util.List;
import oxbow.target.TargetException;
import oxbow.target.Underlay;
import oxbow.target.Words;

/**
 * The words of a flakey's table line: {@code <dev> <offset> <up s> <down s> [<#features> ...]}.
 * {@link #parse} and {@link #toTableLine} are inverse, but for surplus words, which are ignored.
 *
 * @param upSeconds how long it works
 * @param downSeconds how long it then does not; one of the two is not 0
 */
public record FlakeyArgs(
    String device, long offsetSectors, long upSeconds, long downSeconds, Faults faults) {

  /**
   * Reads the words after "flakey" in a table line.
   *
   * @throws TargetException with device-mapper's sentence
   */
  public static FlakeyArgs parse(List<String> words) throws TargetException {
    if (words.size() < 4) {
      throw new TargetException("Invalid argument count");
    }
    Words reader = new Words(words);
    String device = reader.next();
    long offset = Underlay.parseSector(reader, "Invalid device sector");
    // The kernel has the same sentence for both.
    long up = reader.nextNumber(Words.MAX_U32, "Invalid up interval");
    long down = reader.nextNumber(Words.MAX_U32, "Invalid up interval");
    if (up + down == 0) {
      throw new TargetException("Total (up + down) interval is zero");
    }
    return new FlakeyArgs(device, offset, up, down, FaultWords.parse(reader));
  }

  /** What follows "flakey" in a table line; the kernel's line ends with a blank, too. */
  public String toTableLine() {
    List<String> features = FaultWords.of(faults);
    StringBuilder line = new StringBuilder();
    line.append(device).append(' ').append(offsetSectors);
    line.append(' ').append(upSeconds).append(' ').append(downSeconds);
    line.append(' ').append(features.size()).append(' ');
    features.forEach(word -> line.append(word).append(' '));
    return line.toString();
  }
}
