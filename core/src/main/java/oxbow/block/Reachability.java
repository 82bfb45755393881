package oxbow.block;

/**
 * How a {@link Remote} device is to be reached at one moment.
 *
 * @param sinceNanos when this state began, on the clock of {@link System#nanoTime}
 * @param why half a sentence for people; empty while PRESENT
 * @param isHolding AWAY: requests wait; otherwise the hold is over and they fail with EIO
 */
public record Reachability(State state, long sinceNanos, String why, boolean isHolding) {
  /** A device comes back from AWAY, never from GONE. */
  public enum State {
    /** It answers, as far as is known. */
    PRESENT,
    /** It does not, and is being tried again. */
    AWAY,
    /** It never will: all requests fail. */
    GONE
  }

  /** Whether it does not answer now and may again. */
  public boolean isAway() {
    return state == State.AWAY;
  }
}
