package oxbow.target;

/**
 * A job that asks a device how a range is allocated; the answer is filled in before the job ends.
 */
public class ExtentQuery extends Job {
  /** No more extents than this come in one answer. */
  public static final int MAX_EXTENTS = 256;

  private final long[] endBytes = new long[MAX_EXTENTS];
  private final boolean[] zero = new boolean[MAX_EXTENTS];
  private long offsetBytes;
  private int count;

  /** Forgets the last answer; the next begins at this offset. */
  public final void begin(long fromBytes) {
    offsetBytes = fromBytes;
    count = 0;
  }

  /** Appends an extent; equal neighbours become one. */
  public final void add(long lengthBytes, boolean isZero) {
    long end = endBytes() + lengthBytes;
    if (count > 0 && zero[count - 1] == isZero) {
      endBytes[count - 1] = end;
    } else {
      zero[count] = isZero;
      endBytes[count++] = end;
    }
  }

  public final long offsetBytes() {
    return offsetBytes;
  }

  /** Where the answer ends: everything in [offsetBytes, endBytes) is known. */
  public final long endBytes() {
    return count == 0 ? offsetBytes : endBytes[count - 1];
  }

  public final boolean isKnown(long atBytes) {
    return atBytes >= offsetBytes && atBytes < endBytes();
  }

  /** Whether the byte at a known offset lies in an extent that reads as zeros. */
  public final boolean isZero(long atBytes) {
    return zero[indexOf(atBytes)];
  }

  /** End of the extent that holds a known offset. */
  public final long extentEndBytes(long atBytes) {
    return endBytes[indexOf(atBytes)];
  }

  private int indexOf(long atBytes) {
    int low = 0;
    int high = count - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (endBytes[middle] > atBytes) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
