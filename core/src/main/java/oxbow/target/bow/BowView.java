package oxbow.target.bow;

/**
 * What the core shows to those who map requests without its lock; it makes a new one whenever
 * something of this changes.
 *
 * @param bits in states 0: which blocks are free, and in 1: which are changed; of no use in 2
 * @param block0Bytes where block 0 lies that a user sees; {@link #HELD} while it moves
 * @param owesFlushError the next flush of a user has to fail
 * @param isFailed the log is in doubt: what would need it fails
 */
record BowView(
    BowState state, BlockBits bits, long block0Bytes, boolean isFailed, boolean owesFlushError) {
  /** Requests for block 0 wait in the core. */
  static final long HELD = -1;

  boolean holdsBlock0() {
    return block0Bytes == HELD;
  }

  /** Discards are collected, and writes that go down are counted. */
  boolean isTrim() {
    return state == BowState.TRIM;
  }

  /** Everything passes through, for good. */
  boolean isCommitted() {
    return state == BowState.COMMITTED;
  }

  /** Between the other two: changed blocks may be written, others have to be saved first. */
  boolean isCheckpoint() {
    return state == BowState.CHECKPOINT || state == BowState.COMMITTING;
  }
}
