package oxbow.target;

import java.util.List;

/** A kind of target: the word in table lines, and how such a line becomes a target. */
public interface TargetType {
  /** The word in the table line. */
  String name();

  /** Version of the kernel's target that is followed, as {@code dmsetup targets} prints it. */
  String version();

  /**
   * Makes a target from a table line; checks everything first. Blocks.
   *
   * @param lengthSectors at least 1
   * @param words after the target's name
   * @throws TargetException with device-mapper's sentence
   */
  Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException;
}
