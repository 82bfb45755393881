package oxbow.target.clone;

/**
 * Orders of things that lose data. A world with a defect carries the core's decisions out wrongly,
 * or takes its place; the tests of histories must notice every one of them.
 */
enum Defect {
  NONE,
  /** M1, M2: metadata is written first, the destination flushed after it. */
  COMMIT_BEFORE_FLUSH,
  /** M2: metadata is written, the destination is not flushed at all. */
  COMMIT_WITHOUT_FLUSH,
  /** M1: regions recorded after the freeze slip into the commit. */
  COMMIT_THE_LIVE_MAP,
  /** F4: a FUA overwrite is answered once its data is written. */
  ANSWER_FUA_BEFORE_COMMIT,
  /** F5: so is a FUA write to part of a region. */
  ANSWER_FUA_MERGE_BEFORE_COMMIT,
  /** O1, D10: a discard records its regions at once, and the copy in flight lands later. */
  DISCARD_GOES_AROUND_A_COPY,
  /** C1: a region is recorded when its contents were read, before they are written. */
  RECORD_BEFORE_WRITE_ENDS,
  /** O13, C1: a region that a read hydrates is recorded when the user has been answered. */
  RECORD_A_READ_WHEN_IT_IS_ANSWERED,
  /** O6: after a failed write the destination is still taken for zeros. */
  BELIEVE_IN_ZEROS_AFTER_A_FAILED_WRITE,
  /** O6: zeros are never written, whatever an old destination holds. */
  NEVER_WRITE_HOLES,
  /** O4: a flush is answered by a device flush that began before it arrived. */
  SHARE_A_RUNNING_FLUSH
}
