package oxbow.target;

import org.jspecify.annotations.Nullable;

/**
 * The one owner of a run of regions or chunks while I/O for them is in flight. Whoever wants to
 * change one of them meanwhile waits here, in arrival order.
 */
public class OwnedRange extends Job {
  private long first;
  private long count;
  private @Nullable Piece firstWaiter;
  private @Nullable Piece lastWaiter;

  /** Which parts it owns; while it owns none. */
  protected final void set(long firstPart, long partCount) {
    first = firstPart;
    count = partCount;
  }

  public final long first() {
    return first;
  }

  public final long count() {
    return count;
  }

  public final long end() {
    return first + count;
  }

  public final boolean overlaps(long firstPart, long endPart) {
    return first < endPart && firstPart < end();
  }

  /** The piece waits until the I/O has ended. */
  public final void addWaiter(Piece piece) {
    piece.next = null;
    if (lastWaiter == null) {
      firstWaiter = piece;
    } else {
      lastWaiter.next = piece;
    }
    lastWaiter = piece;
  }

  /** Takes the whole list, in arrival order, linked by {@link Piece#next}. */
  public final @Nullable Piece takeWaiters() {
    Piece all = firstWaiter;
    firstWaiter = null;
    lastWaiter = null;
    return all;
  }
}
