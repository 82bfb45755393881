package oxbow.target.snapshot;

import java.util.List;
import oxbow.target.TargetException;

/** The word of a snapshot-origin's table line (C1). {@link #parse} and the line are inverse. */
public record OriginArgs(String origin) {
  /**
   * Reads the words after "snapshot-origin" in a table line.
   *
   * @throws TargetException with device-mapper's sentence, then what there was
   */
  public static OriginArgs parse(List<String> words) throws TargetException {
    if (words.size() != 1) {
      throw new TargetException(
          "origin: incorrect number of arguments: " + words.size() + ", expected 1");
    }
    return new OriginArgs(words.getFirst());
  }

  /** What follows "snapshot-origin" in a table line. */
  public String toTableLine() {
    return origin;
  }
}
