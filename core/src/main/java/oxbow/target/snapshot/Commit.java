package oxbow.target.snapshot;

import java.util.List;

/**
 * A change of a persistent store's table, to be carried out in this order: the zeroes are written;
 * the store is flushed, which makes them durable, and with them the data that the new exceptions
 * point to; then the writes, which must be durable when the commit has ended. Zeroes, and likewise
 * writes, may be in flight together.
 *
 * <p>Why that order: a reader goes on until it meets an entry without a chunk. What lies behind the
 * last entry must be zeros before that entry is there, or a crash could have it go on into what was
 * once written there and never committed (O23).
 *
 * @param zeroes ranges of whole sectors that must read as zeros: areas that come next, and what a
 *     crash left behind the table's end
 * @param isPastEnd an area becomes full, and the next one would lie past the end of the store:
 *     nothing of this commit may be done, the store becomes invalid (section 8, boundary case)
 * @param endChunk once this has ended, every exception whose new chunk lies below is durable
 * @param entryCount how many exceptions the table then has
 */
record Commit(
    List<Zeroes> zeroes, List<Write> writes, boolean isPastEnd, long endChunk, long entryCount) {

  /** A range of a store. */
  record Zeroes(long offsetBytes, long lengthBytes) {}
}
