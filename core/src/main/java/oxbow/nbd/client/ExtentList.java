package oxbow.nbd.client;

import java.util.Arrays;
import oxbow.block.Extents;

/** What one BLOCK_STATUS has told: consecutive extents, neighbours of the same state joined. */
public final class ExtentList {
  private static final int FIRST_EXTENTS = 16;
  private static final int STATES = Extents.HOLE | Extents.ZERO;

  private final int maxCount;
  private long[] lengths = new long[FIRST_EXTENTS];
  private int[] states = new int[FIRST_EXTENTS];
  private int count;
  private boolean isFull;

  /**
   * @param maxCount at least 1; what would come after so many is dropped
   */
  public ExtentList(int maxCount) {
    this.maxCount = maxCount;
  }

  public void clear() {
    count = 0;
    isFull = false;
  }

  public int count() {
    return count;
  }

  public long lengthBytes(int index) {
    return lengths[index];
  }

  /** Bits of {@link Extents#HOLE} and {@link Extents#ZERO}, which have the protocol's values. */
  public int state(int index) {
    return states[index];
  }

  void add(long lengthBytes, int wireState) {
    int state = wireState & STATES; // Others are reserved and to be ignored.
    if (isFull) {
      return;
    }
    if (count > 0 && states[count - 1] == state) {
      lengths[count - 1] += lengthBytes;
      return;
    }
    if (count == maxCount) {
      isFull = true;
      return;
    }
    if (count == lengths.length) {
      int larger = Math.min(2 * count, maxCount);
      lengths = Arrays.copyOf(lengths, larger);
      states = Arrays.copyOf(states, larger);
    }
    lengths[count] = lengthBytes;
    states[count] = state;
    count++;
  }
}
