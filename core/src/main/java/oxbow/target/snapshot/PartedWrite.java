package oxbow.target.snapshot;

import oxbow.block.Errno;
import oxbow.target.Piece;

/**
 * A user's piece that goes to several places of the store: its chunks have exceptions here and
 * there, or get chunks on both sides of a metadata area. It is answered when the last part has
 * ended, with the first error.
 */
final class PartedWrite {
  final Piece piece;
  private int left = 1;
  private int firstErrno = Errno.OK;

  /** Counts one for the parting itself, which ends with {@link #ended}. */
  PartedWrite(Piece piece) {
    this.piece = piece;
  }

  void partBegun() {
    left++;
  }

  /** A part, or the parting, has ended; true when it was the last. */
  boolean ended(int errno) {
    if (firstErrno == Errno.OK) {
      firstErrno = errno;
    }
    return --left == 0;
  }

  int errno() {
    return firstErrno;
  }
}
