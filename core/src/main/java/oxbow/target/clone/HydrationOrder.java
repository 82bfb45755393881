package oxbow.target.clone;

import java.util.Arrays;
import oxbow.target.Geometry;

/**
 * Runs of regions that the background hydrates before all others, in this order. It goes through
 * them once: what cannot be taken when its turn has come is left to the cursor (H2).
 */
final class HydrationOrder {
  private final Geometry geometry;
  private long[] firsts = new long[16];
  private long[] ends = new long[16];
  private int count;
  private int at;

  HydrationOrder(Geometry geometry) {
    this.geometry = geometry;
  }

  /**
   * Appends the regions that a range touches.
   *
   * @param lengthBytes at least 1; the range lies within the device
   */
  void add(long offsetBytes, long lengthBytes) {
    long first = geometry.partOf(offsetBytes);
    long end = geometry.partOf(offsetBytes + lengthBytes - 1) + 1;
    if (count > 0 && first >= firsts[count - 1] && first <= ends[count - 1]) {
      ends[count - 1] = Math.max(end, ends[count - 1]);
      return;
    }
    if (count == firsts.length) {
      firsts = Arrays.copyOf(firsts, 2 * count);
      ends = Arrays.copyOf(ends, 2 * count);
    }
    firsts[count] = first;
    ends[count++] = end;
  }

  /** Whether every run has had its turn. */
  boolean isOver() {
    return at == count;
  }

  /** The first region of the run whose turn it is that has not been passed. */
  long first() {
    return firsts[at];
  }

  /** The end of that run. */
  long end() {
    return ends[at];
  }

  /** Regions of the present run up to here have been taken, or cannot be. */
  void pass(long endRegion) {
    firsts[at] = endRegion;
    if (endRegion >= ends[at]) {
      at++;
    }
  }
}
