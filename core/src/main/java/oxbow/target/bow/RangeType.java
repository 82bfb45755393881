package oxbow.target.bow;

/** What a block is. */
enum RangeType {
  /** As at the checkpoint. */
  UNCHANGED("Unchanged"),
  /** Discarded before the checkpoint: nothing worth keeping. */
  FREE("Free"),
  /** Free, but kept back for the next log. */
  RESERVED("Free"),
  /** Written since; what was there has been saved, or was free. */
  CHANGED("Changed"),
  /** Holds a saved copy, or will when it has been written. */
  BACKUP("Backup"),
  /** Block 0, which holds the log. */
  SECTOR0("Sector0"),
  /** Holds what a user finds in block 0. */
  SECTOR0_CURRENT("Sector0_current");

  private final String word;

  RangeType(String word) {
    this.word = word;
  }

  /** As the list of ranges has it. */
  String word() {
    return word;
  }

  /** Whether a write must wait until what is there has been saved. */
  boolean mustBeSaved() {
    return this == UNCHANGED || this == BACKUP || this == SECTOR0_CURRENT;
  }
}
