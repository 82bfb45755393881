package oxbow.target.snapshot;

/** What a snapshot's store is; the {@link #word} stands in table lines. */
public enum StoreKind {
  /** Outlives the device; a snapshot whose store is full becomes invalid. */
  PERSISTENT("P"),
  /** The same, but a write that finds the store full fails and leaves the snapshot as it is. */
  PERSISTENT_OVERFLOW("PO"),
  /** Lost with the device. */
  TRANSIENT("N");

  private final String word;

  StoreKind(String word) {
    this.word = word;
  }

  public String word() {
    return word;
  }

  public boolean isPersistent() {
    return this != TRANSIENT;
  }
}
