package oxbow.format;

import java.io.IOException;

/**
 * An on-disk structure is not what it must be. The message is device-mapper's own sentence where
 * there is one, with the place; nothing was changed.
 */
public final class FormatException extends IOException {
  private final Fault fault;
  private final long blockNr;
  private final String sentence;

  /**
   * @param blockNr the block that was looked at
   * @param sentence what was found and what was expected
   */
  public FormatException(Fault fault, long blockNr, String sentence) {
    super(sentence + " (block " + Long.toUnsignedString(blockNr) + ")");
    this.fault = fault;
    this.blockNr = blockNr;
    this.sentence = sentence;
  }

  /** What was found and what was expected, without the place. */
  public String sentence() {
    return sentence;
  }

  public Fault fault() {
    return fault;
  }

  /** The block that was looked at; not necessarily the one at fault. */
  public long blockNr() {
    return blockNr;
  }
}
