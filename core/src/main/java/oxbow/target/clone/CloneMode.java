package oxbow.target.clone;

/** rw, then ro, then Fail; never back while the target lives. */
public enum CloneMode {
  /** All is well. */
  READ_WRITE("rw"),
  /** A commit or a flush of the destination failed: no region can be hydrated any more. */
  READ_ONLY("ro"),
  /** The metadata cannot even be read any more: only reads are served. */
  FAIL("Fail");

  private final String word;

  CloneMode(String word) {
    this.word = word;
  }

  /** As the status line says it. */
  public String word() {
    return word;
  }
}
