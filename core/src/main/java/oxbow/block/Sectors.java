package oxbow.block;

/** Conversions between 512-byte sectors and bytes: the only place that shifts by nine. */
public final class Sectors {
  public static final int SIZE_BYTES = 512;
  private static final int SHIFT = 9;

  private Sectors() {}

  /** Bytes in so many sectors. Throws ArithmeticException beyond 2^63 bytes. */
  public static long toBytes(long sectors) {
    return Math.multiplyExact(sectors, (long) SIZE_BYTES);
  }

  /** Whole sectors in so many bytes, rounded down. */
  public static long fromBytes(long bytes) {
    return bytes >> SHIFT;
  }

  /** Bytes in the whole sectors of so many bytes. */
  public static long wholeBytes(long bytes) {
    return bytes & -SIZE_BYTES;
  }

  /** Whether a byte offset or length is a whole number of sectors. */
  public static boolean isAligned(long bytes) {
    return (bytes & (SIZE_BYTES - 1)) == 0;
  }
}
