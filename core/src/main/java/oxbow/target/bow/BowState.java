package oxbow.target.bow;

/** Where a device stands on its way, and how that is called in its status. */
public enum BowState {
  /** Discards are collected. */
  TRIM("trim", 0),
  /** From {@link #TRIM} to {@link #CHECKPOINT}; back if that fails. */
  CHECKPOINTING("checkpointing", 0),
  /** Nothing is overwritten that has not been saved. */
  CHECKPOINT("checkpoint", 1),
  /** From {@link #CHECKPOINT} to {@link #COMMITTED}. */
  COMMITTING("committing", 1),
  /** There is no log any more; everything passes through. */
  COMMITTED("committed", 2);

  private final String word;
  private final int number;

  BowState(String word, int number) {
    this.word = word;
    this.number = number;
  }

  /** As status lines have it. */
  public String word() {
    return word;
  }

  /** The original's number. */
  public int number() {
    return number;
  }
}
