package oxbow.target;

import org.jspecify.annotations.Nullable;

/**
 * Who waits for a turn of something that all who wait share, a flush or a commit: whoever asks
 * while a turn runs waits for the next, which begins after the question (O4).
 */
public final class TurnQueue {
  private @Nullable Piece turnFirst;
  private @Nullable Piece nextFirst;
  private @Nullable Piece nextLast;

  /**
   * The piece waits for the next turn.
   *
   * @param note kept in {@link Piece#waitsFor}
   */
  public void join(Piece piece, @Nullable Object note) {
    piece.waitsFor = note;
    piece.next = null;
    if (nextLast == null) {
      nextFirst = piece;
    } else {
      nextLast.next = piece;
    }
    nextLast = piece;
  }

  /** Whether nobody waits for the next turn. */
  public boolean isEmpty() {
    return nextFirst == null;
  }

  /** A turn begins: it is that of everybody who waits now. The turn before has been taken. */
  public void begin() {
    if (turnFirst != null) {
      throw new IllegalStateException("a turn runs");
    }
    turnFirst = nextFirst;
    nextFirst = null;
    nextLast = null;
  }

  /** The turn has ended: takes all whose it was, in arrival order, linked by {@link Piece#next}. */
  public @Nullable Piece takeTurn() {
    Piece all = turnFirst;
    turnFirst = null;
    return all;
  }
}
