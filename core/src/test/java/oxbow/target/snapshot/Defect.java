package oxbow.target.snapshot;

/**
 * Orders of things that lose data: each drops or swaps two steps of a rule. A {@link
 * DefectiveTarget} between a sound target and its frame breaks them; the tests must notice every
 * one.
 *
 * @see "docs/testing/crash.md"
 */
enum Defect {
  NONE(""),

  // Exceptions and their commits.
  RECORD_BEFORE_WRITE_ENDS("5, S2: a chunk is recorded while it is being written"),
  RECORD_A_FAILED_WRITE("E3: a chunk is recorded although its write has failed"),
  COMMIT_WITHOUT_FLUSH("5, 2: entries are written without the flush before"),
  RETRY_A_FAILED_FLUSH("O3: a failed flush of a commit is taken for a success"),
  COMMIT_WITHOUT_FUA("5, 2: nothing makes the entries durable"),
  COMMIT_OUT_OF_ORDER("E1: entries are not in the order in which their chunks were handed out"),
  NEXT_AREA_NOT_ZEROED("5, 1: an area becomes full while the next one holds old bytes"),
  KEEP_STALE_ENTRIES("O23: what lies behind the terminator is written back"),

  // Writes to the origin.
  ORIGIN_WRITE_BEFORE_COMMIT("F2: a write goes on while the entries are being written"),
  ORIGIN_WRITE_BEFORE_READS_END("R2 O24: a write does not wait for reads of the snapshot"),
  ORIGIN_WRITE_GOES_AROUND("O2 E4: a write goes on while its chunk is being saved"),
  ORIGIN_DISCARD_GOES_AROUND("O4: a discard saves nothing"),
  JOIN_WITHOUT_WAITING("H3 S3 O22: a snapshot begins while writes are on their way"),

  // Answers.
  ANSWER_FLUSH_BEFORE_COMMIT("O20: a flush is passed down and commits nothing"),
  ANSWER_FUA_BEFORE_COMMIT("O20: a FUA write is answered before its exception is durable"),

  // Invalidation.
  NO_INVALIDATION("F5 O3: the origin's write goes on and the store is not told"),
  INVALIDATION_WITHOUT_FUA("F5: the origin's write goes on before the store is told for good"),

  // Merges.
  MERGE_WITHOUT_FLUSH("9, 6 before 7: entries are removed before the origin is flushed"),
  MERGE_WITHOUT_OTHERS("M5: other snapshots save nothing of what a merge overwrites"),
  MERGE_BEFORE_WRITES_END("M4: a run is copied while writes to its chunks are under way"),
  WRITE_GOES_AROUND_A_MERGE("M3: a write goes to a chunk that is being merged"),
  RELEASE_BEFORE_REMOVAL("9, 7 before 8: held writes go on while the entries are being removed");

  /** The rule that is broken, and how. */
  final String rule;

  Defect(String rule) {
    this.rule = rule;
  }
}
