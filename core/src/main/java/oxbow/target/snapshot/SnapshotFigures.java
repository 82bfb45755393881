package oxbow.target.snapshot;

/**
 * The figures of a status line (T1), and why the state is what it is.
 *
 * @param allocatedSectors of the store, pending exceptions and metadata included (T4)
 * @param metadataSectors of them; both are equal while there is no exception
 * @param exceptions whose chunks make the difference, pending ones included; while a snapshot is
 *     merged, holes that merged ones left before the last are counted too (M7)
 * @param why a sentence; empty while ACTIVE
 */
public record SnapshotFigures(
    long allocatedSectors,
    long totalSectors,
    long metadataSectors,
    long exceptions,
    SnapshotState state,
    String why) {

  /** What follows the target's name in a status line. */
  public String toStatusLine() {
    return state == SnapshotState.ACTIVE
        ? allocatedSectors + "/" + totalSectors + " " + metadataSectors
        : state.word();
  }

  /** Whether there is no exception: nothing written since the snapshot was taken, or all merged. */
  public boolean isEmpty() {
    return exceptions == 0;
  }
}
