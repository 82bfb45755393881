package oxbow.target.bow;

import java.util.List;
import java.util.Locale;
import oxbow.format.bow.BowLogHeader;
import oxbow.target.TargetException;
import oxbow.target.Words;

/**
 * The words of a table line: {@code <device> [1 block_size:<bytes>]}. {@link #parse} and {@link
 * #toTableLine} are inverse, but for a count of 0, which is left out.
 *
 * @param givenBlockBytes power of two, 512 to 4096; 0 when the line says nothing
 */
public record BowArgs(String device, int givenBlockBytes) {
  public static final String BLOCK_SIZE = "block_size:";

  /** O32: 512 only where the medium writes sectors whole. */
  public static final int DEFAULT_BLOCK_BYTES = 4096;

  private static final String BAD_FEATURE = "Unrecognised feature requested";

  /**
   * Reads the words after "bow" in a table line.
   *
   * @throws TargetException with a sentence, the value and what is allowed
   */
  public static BowArgs parse(List<String> words) throws TargetException {
    if (words.isEmpty()) {
      throw new TargetException("Invalid argument count: a device is expected");
    }
    Words reader = new Words(words);
    String device = reader.next();
    if (reader.left() == 0) {
      return new BowArgs(device, 0);
    }
    String sentence = "Invalid number of feature arguments";
    long count = reader.nextNumber(1, sentence);
    if (count != reader.left()) {
      throw new TargetException(sentence + ": " + count + ", but " + reader.left() + " follow");
    }
    return new BowArgs(device, count == 0 ? 0 : parseBlockSize(reader.next()));
  }

  private static int parseBlockSize(String word) throws TargetException {
    if (!word.toLowerCase(Locale.ROOT).startsWith(BLOCK_SIZE)) {
      throw new TargetException(BAD_FEATURE + ": " + word);
    }
    long bytes = Words.number(word.substring(BLOCK_SIZE.length()));
    if (!BowLogHeader.isBlockSize(bytes)) {
      throw new TargetException(
          "%s: %s (a power of two from %d to %d is allowed)"
              .formatted(
                  BAD_FEATURE, word, BowLogHeader.MIN_BLOCK_BYTES, BowLogHeader.MAX_BLOCK_BYTES));
    }
    return (int) bytes;
  }

  /** Blocks have this size. */
  public int blockBytes() {
    return givenBlockBytes == 0 ? DEFAULT_BLOCK_BYTES : givenBlockBytes;
  }

  /** What follows "bow" in a table line. */
  public String toTableLine() {
    return givenBlockBytes == 0 ? device : device + " 1 " + BLOCK_SIZE + givenBlockBytes;
  }
}
