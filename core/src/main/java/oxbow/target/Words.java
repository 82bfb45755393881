package oxbow.target;

import java.util.List;

/** The words of a table line, read one after the other. */
public final class Words {
  /** The largest unsigned 32-bit value. */
  public static final long MAX_U32 = 0xFFFFFFFFL;

  private final List<String> words;
  private int at;

  public Words(List<String> words) {
    this.words = words;
  }

  /** How many are still to come. */
  public int left() {
    return words.size() - at;
  }

  /** The next word; there must be one. */
  public String next() {
    return words.get(at++);
  }

  /**
   * The next word as a decimal number. Without one, or beyond the limit, the sentence is thrown.
   */
  public long nextNumber(long most, String sentence) throws TargetException {
    if (left() == 0) {
      throw new TargetException(sentence);
    }
    String word = next();
    long value = number(word);
    if (value < 0 || value > most) {
      throw new TargetException(sentence + ": " + word);
    }
    return value;
  }

  /** A decimal number below 2^63 without sign, or -1. */
  public static long number(String word) {
    if (word.isEmpty() || !word.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return -1;
    }
    try {
      return Long.parseLong(word);
    } catch (NumberFormatException tooLarge) {
      return -1;
    }
  }
}
