package oxbow.target.snapshot;

import org.jspecify.annotations.Nullable;
import oxbow.target.OwnedRange;
import oxbow.target.Piece;

/**
 * I/O that changes chunks of a store, and the one owner of the origin's chunks that it stands for
 * while it is in flight. Where it makes exceptions these are <em>pending</em> until it has ended.
 */
final class ChunkIo extends OwnedRange {
  /** What is being written to the store. */
  enum Cause {
    /** The origin's contents, before a write to the origin. */
    COPY,
    /** The origin's contents of a chunk too large for a merge; the user's write comes after. */
    COPY_FOR_WRITE,
    /** The user's data, which cover the chunks whole: nothing is copied (W3). */
    OVERWRITE,
    /** The user's data put over what the origin holds of one chunk. */
    MERGE,
    /** The user's data, over exceptions that are there (W1); part of a larger piece. */
    REWRITE,
    /** Zeros, over an exception that is there (D2). */
    DISCARD;

    boolean makesExceptions() {
      return this != REWRITE && this != DISCARD;
    }
  }

  Cause cause = Cause.COPY;

  /** The chunk of the store that the first chunk of the range gets; its neighbours follow. */
  long firstNew;

  /** MERGE: the origin has been read and the chunk is being written; no more pieces join. */
  boolean isWriting;

  /**
   * The chunk of the store holds what it shall; the exceptions wait for their turn to be appended.
   */
  boolean isWritten;

  /** The user's piece; all merged pieces, in order, of MERGE. */
  @Nullable Piece pieces;

  /** The piece is written in parts, of which this is one; then {@link #pieces} is null. */
  @Nullable PartedWrite whole;

  ChunkIo begin(Cause why, long firstOld, long count, long firstNewChunk) {
    set(firstOld, count);
    cause = why;
    firstNew = firstNewChunk;
    isWriting = false;
    isWritten = false;
    pieces = null;
    whole = null;
    return this;
  }

  /** End of the run of store chunks. */
  long endNew() {
    return firstNew + count();
  }

  @Override
  public String toString() {
    return cause + " of chunks " + first() + "+" + count() + " to " + firstNew;
  }
}
