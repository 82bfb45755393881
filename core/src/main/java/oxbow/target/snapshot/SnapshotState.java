package oxbow.target.snapshot;

/** How a snapshot is; what status shows instead of figures, where that is not ACTIVE (T1). */
public enum SnapshotState {
  ACTIVE(""),
  /** A write to the snapshot found no room; what is there stays readable (W4). */
  OVERFLOW("Overflow"),
  /** A merge has met an error; I/O goes on (M9). */
  MERGE_FAILED("Merge failed"),
  /** Of no use any more. */
  INVALID("Invalid");

  private final String word;

  SnapshotState(String word) {
    this.word = word;
  }

  /** The status, where it is no figures. */
  public String word() {
    return word;
  }
}
