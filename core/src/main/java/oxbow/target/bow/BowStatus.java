package oxbow.target.bow;

/**
 * The figures of a status line. The original's is empty.
 *
 * @param freeBytes room for copies: what is free, without the block that is kept for the log
 * @param logEntries of all logs
 * @param logBlocks logs, the one in block 0 included; 0 before the checkpoint
 * @param backedUpBytes what the entries say was saved, logs and copies of copies included
 * @param sequence number of the log in block 0
 * @param gainedBytes free when the checkpoint began; until then, what is free now
 */
public record BowStatus(
    BowState state,
    long freeBytes,
    long logEntries,
    long logBlocks,
    long backedUpBytes,
    long sequence,
    long gainedBytes) {

  /** What follows "bow" in a status line. */
  public String toStatusLine() {
    return "%s %d %d %d %d %d %d"
        .formatted(
            state.word(), freeBytes, logEntries, logBlocks, backedUpBytes, sequence, gainedBytes);
  }
}
