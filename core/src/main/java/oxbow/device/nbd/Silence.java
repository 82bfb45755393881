package oxbow.device.nbd;

/**
 * How long one connection has said nothing although commands are in flight on it. A server that is
 * stopped, or behind a network that swallows packets, keeps its connections: only this tells.
 *
 * <p>Any byte that arrives ends the silence, and so does room for bytes that had to wait to leave:
 * a slow server is not a dead one. Where the answer to a single command takes longer than the
 * limit, the command is granted twice the time on the next connection, so that it gets its answer
 * in the end.
 */
final class Silence {
  /** Patience doubles at most so often. */
  private static final int MAX_DOUBLINGS = 5;

  private long seenSigns;

  /** When the server last showed that it lives, as far as was looked. */
  private long lastSignNanos;

  /** When something was first seen in flight after that. */
  private long quietSinceNanos;

  private int doublings;
  private boolean isGivenUp;

  /** A connection has become ready. */
  void begin(long nowNanos) {
    seenSigns = -1;
    lastSignNanos = nowNanos;
    quietSinceNanos = nowNanos;
    doublings = 0;
    isGivenUp = false;
  }

  /** A command was sent that has cost so many connections by silence. */
  void sent(int silences) {
    doublings = Math.max(doublings, Math.min(silences, MAX_DOUBLINGS));
  }

  /**
   * Takes in how the connection is; called often enough that the limit is met well.
   *
   * @param signs a number that grows with each sign of life, from 0 on
   * @param isAwaited whether an answer is due
   */
  void look(long signs, boolean isAwaited, long nowNanos) {
    if (signs != seenSigns) {
      seenSigns = signs;
      lastSignNanos = nowNanos;
      quietSinceNanos = nowNanos;
    }
    if (!isAwaited) {
      quietSinceNanos = nowNanos;
      doublings = 0;
    }
  }

  /** Whether it has lasted for longer than the limit, as doubled for what is in flight. */
  boolean isOver(long limitNanos, long nowNanos) {
    boolean isEndless = limitNanos > Long.MAX_VALUE >> MAX_DOUBLINGS;
    return !isEndless && nowNanos - quietSinceNanos >= limitNanos << doublings;
  }

  /** Whether the server has shown no life on this connection since another's silence began. */
  boolean isNoBetterThan(Silence other) {
    return lastSignNanos - other.quietSinceNanos <= 0;
  }

  /** The connection is given up for a silence that began then. */
  void giveUp(long sinceNanos) {
    quietSinceNanos = sinceNanos;
    isGivenUp = true;
  }

  boolean isGivenUp() {
    return isGivenUp;
  }

  long sinceNanos() {
    return quietSinceNanos;
  }
}
