package oxbow.block;

/** Sizes as users write them: {@code 4096}, {@code 4KiB}, {@code 4K}, {@code 8s}. */
public final class ByteSize {
  private static final String[] LONG_UNITS = {"TiB", "GiB", "MiB", "KiB"};
  private static final String[] SHORT_UNITS = {"T", "G", "M", "K"};
  private static final int LARGEST_SHIFT = 40;
  private static final int SHIFT_STEP = 10;

  private ByteSize() {}

  /**
   * Bytes for a number with an optional unit: KiB MiB GiB TiB or K M G T, all powers of 1024, or s
   * for sectors.
   *
   * @throws IllegalArgumentException with a sentence for the user
   */
  public static long parse(String text) {
    int digits = 0;
    while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
      digits++;
    }
    String unit = text.substring(digits);
    long unitBytes = bytesIn(unit);
    if (digits == 0 || unitBytes == 0) {
      throw new IllegalArgumentException(
          "\""
              + text
              + "\" is not a size: a number of bytes, or with KiB, MiB, GiB, TiB, K, M, G, T or s"
              + " (512-byte sectors), is expected");
    }
    try {
      return Math.multiplyExact(Long.parseLong(text, 0, digits, 10), unitBytes);
    } catch (ArithmeticException | NumberFormatException tooLarge) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is too large: sizes end at " + Long.MAX_VALUE + " bytes", tooLarge);
    }
  }

  /** 0 for what is no unit. */
  private static long bytesIn(String unit) {
    if (unit.isEmpty()) {
      return 1;
    }
    if (unit.equals("s")) {
      return Sectors.SIZE_BYTES;
    }
    for (int i = 0; i < LONG_UNITS.length; i++) {
      if (unit.equals(LONG_UNITS[i]) || unit.equals(SHORT_UNITS[i])) {
        return 1L << (LARGEST_SHIFT - i * SHIFT_STEP);
      }
    }
    return 0;
  }

  /**
   * The shortest exact form: {@code 4KiB}, {@code 1536MiB}, {@code 1000}; {@link #parse} reads it.
   */
  public static String format(long bytes) {
    for (int i = 0; i < LONG_UNITS.length; i++) {
      long unitBytes = 1L << (LARGEST_SHIFT - i * SHIFT_STEP);
      if (bytes != 0 && bytes % unitBytes == 0) {
        return bytes / unitBytes + LONG_UNITS[i];
      }
    }
    return Long.toString(bytes);
  }
}
