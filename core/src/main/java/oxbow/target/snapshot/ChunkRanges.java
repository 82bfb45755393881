package oxbow.target.snapshot;

import java.util.Arrays;

/** Ranges of chunks, to find out whether any two have a chunk in common. */
final class ChunkRanges {
  private long[] firsts = new long[1024];
  private long[] ends = new long[1024];
  private int count;

  /** Adds a range of at least one chunk. */
  void add(long first, long chunkCount) {
    if (count == firsts.length) {
      firsts = Arrays.copyOf(firsts, 2 * count);
      ends = Arrays.copyOf(ends, 2 * count);
    }
    firsts[count] = first;
    ends[count++] = first + chunkCount;
  }

  /**
   * A chunk that two ranges have; -1 if there is none. Where no two overlap each range, taken in
   * order, ends before the next one begins: so it is enough to sort beginnings and ends each by
   * themselves. Afterwards ranges cannot be added any more.
   */
  long firstInTwo() {
    Arrays.sort(firsts, 0, count);
    Arrays.sort(ends, 0, count);
    for (int i = 1; i < count; i++) {
      if (ends[i - 1] > firsts[i]) {
        return firsts[i];
      }
    }
    return -1;
  }
}
