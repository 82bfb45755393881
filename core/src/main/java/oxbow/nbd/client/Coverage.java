package oxbow.nbd.client;

import java.util.Arrays;

/**
 * Which bytes of a READ have been told so far. A structured reply may bring its chunks in any order
 * but must tell each byte exactly once; only then is the read complete.
 *
 * <p>Kept as disjoint ranges in ascending order, neighbours joined: one range for servers that
 * answer from front to back, which is all that exist in practice. A server that scatters its chunks
 * wildly is cut off, because its ranges are our memory.
 */
final class Coverage {
  static final int MAX_RANGES = 4096;
  private static final int FIRST_RANGES = 4;

  private long[] starts = new long[FIRST_RANGES];
  private long[] ends = new long[FIRST_RANGES];
  private int count;

  void clear() {
    count = 0;
  }

  /** Whether exactly the bytes from 0 to {@code lengthBytes} have been told. */
  boolean isComplete(long lengthBytes) {
    return count == 1 && starts[0] == 0 && ends[0] == lengthBytes;
  }

  /**
   * Adds a range of at least one byte.
   *
   * @return false if part of it is covered already, or if there would be too many ranges
   */
  boolean add(long start, long end) {
    int index = firstAfter(start);
    if ((index > 0 && ends[index - 1] > start) || (index < count && starts[index] < end)) {
      return false;
    }
    boolean joinsBefore = index > 0 && ends[index - 1] == start;
    boolean joinsAfter = index < count && starts[index] == end;
    if (joinsBefore && joinsAfter) {
      ends[index - 1] = ends[index];
      close(index);
    } else if (joinsBefore) {
      ends[index - 1] = end;
    } else if (joinsAfter) {
      starts[index] = start;
    } else {
      if (count == MAX_RANGES) {
        return false;
      }
      open(index);
      starts[index] = start;
      ends[index] = end;
    }
    return true;
  }

  /** Index of the first range that begins after {@code start}; looked for from the end. */
  private int firstAfter(long start) {
    int index = count;
    while (index > 0 && starts[index - 1] > start) {
      index--;
    }
    return index;
  }

  private void open(int index) {
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, 2 * count);
      ends = Arrays.copyOf(ends, 2 * count);
    }
    System.arraycopy(starts, index, starts, index + 1, count - index);
    System.arraycopy(ends, index, ends, index + 1, count - index);
    count++;
  }

  private void close(int index) {
    count--;
    System.arraycopy(starts, index + 1, starts, index, count - index);
    System.arraycopy(ends, index + 1, ends, index, count - index);
  }
}
