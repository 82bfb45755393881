package oxbow.target.snapshot;

/**
 * A page of 256 chunks of the origin whose exceptions ascend, as one word: the first chunk of the
 * store plus 1, and in the low 8 bits the <em>leap</em>. From there on the chunks of the store are
 * one further up, since one was left out: with a chunk size of 8 sectors an area's chunk lies
 * between any 256 others. 0 is no run.
 */
final class PageRun {
  /** Chunks of a page. */
  static final int CHUNKS = 256;

  private static final int LEAP_BITS = 8;

  private PageRun() {}

  /**
   * A run.
   *
   * @param newChunk of the page's first chunk, at most 2^56 - 256
   * @param leap 1 to 255, or 0 if no chunk is left out
   */
  static long of(long newChunk, int leap) {
    return (newChunk + 1) << LEAP_BITS | leap;
  }

  /** The chunk of the store by the index in the page, 0 to 255. */
  static long newChunk(long run, int index) {
    int leap = leap(run);
    return (run >>> LEAP_BITS) - 1 + index + (leap != 0 && index >= leap ? 1 : 0);
  }

  /** The index at which those end that follow an index without a leap; at most 256. */
  static int ascendingEnd(long run, int index) {
    int leap = leap(run);
    return index < leap ? leap : CHUNKS;
  }

  private static int leap(long run) {
    return (int) run & ((1 << LEAP_BITS) - 1);
  }
}
