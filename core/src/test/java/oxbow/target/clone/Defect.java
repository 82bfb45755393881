package oxbow.target.clone;

/**
 * Orders of things that lose data: each drops or swaps two steps of a rule. A simulated clone with
 * a defect carries the core's decisions out wrongly, or takes its place, or writes its metadata
 * wrongly; the tests must notice every one of them.
 *
 * @see "docs/testing/crash.md"
 */
enum Defect {
  NONE(""),

  // Flush and commit.
  COMMIT_BEFORE_FLUSH("M1 M2: metadata is written first, the destination flushed after it"),
  COMMIT_WITHOUT_FLUSH("M2, metadata 7.1: the destination is not flushed before the metadata"),
  COMMIT_THE_LIVE_MAP("M1: regions recorded after the freeze slip into the commit"),
  RECORD_BEFORE_WRITE_ENDS("M2 C1: a region is recorded when it was read, before it is written"),
  ANSWER_FLUSH_WITHOUT_FLUSH("F1: with nothing recorded a flush is not passed down"),
  ANSWER_FLUSH_BEFORE_COMMIT("F2: a flush is answered once the destination is flushed"),
  SEND_FUA_BEFORE_COMMIT("F3: FUA to a hydrated region does not wait for the commit of its bit"),
  FORGET_FUA("F3: a write with FUA is sent down without it"),
  ANSWER_FUA_BEFORE_COMMIT("F4: a FUA overwrite is answered once its data is written"),
  ANSWER_FUA_MERGE_BEFORE_COMMIT("F5: so is a FUA write to part of a region"),
  SHARE_A_RUNNING_FLUSH("F6 O4: a flush shares a device flush that began before it arrived"),
  SHARE_A_RUNNING_COMMIT("F6 O4: a flush shares a commit that began before it arrived"),

  // Discards, owners, merges, zeros.
  RECORD_DISCARD_BEFORE_IT_ENDS("D6: a discarded region is recorded before the discard has ended"),
  DISCARD_GOES_AROUND_A_COPY("O1 D10: a discard is done at once, and the copy lands on top"),
  WRITE_GOES_AROUND_A_COPY("O1 W5: a write is done at once, and the copy lands on top"),
  ANSWER_BEFORE_MERGED_WRITE("O2: a merged write is answered before the region is written"),
  RECORD_A_READ_WHEN_IT_IS_ANSWERED("O13 C1: a region that a read hydrates is recorded too soon"),
  READ_OVER_MERGED_WRITE("O2: the source is read after the user's data was put in place"),
  RECORD_A_FAILED_WRITE("O2 C1: a region is recorded although its write has failed"),
  RETRY_A_FAILED_FLUSH("O3: a failed flush is taken for a success when tried again"),
  FORGET_AFTER_A_FAILED_COMMIT("O3: after a failed commit the map is read from disk again"),
  ZEROES_ARE_A_DISCARD("O5: WRITE_ZEROES is treated as a discard"),
  BELIEVE_IN_ZEROS_AFTER_A_FAILED_WRITE("O6: it is still taken for zeros after a failed write"),
  BELIEVE_IN_ZEROS_AFTER_A_CRASH("O6: it is still taken for zeros after an unclean stop"),
  NEVER_WRITE_HOLES("O6: zeros are never written, whatever an old destination holds"),
  DISCARD_WITHOUT_ZEROS("O7: a discard without passdown reveals what an old destination held"),

  // Metadata, section 7.
  SUPERBLOCK_FIRST("7.3 before 7.5: the superblock is written and flushed before the blocks"),
  NO_FLUSH_BEFORE_SUPERBLOCK("7.4: the superblock may be durable before the blocks"),
  NO_FLUSH_AFTER_SUPERBLOCK("7.6: a commit succeeds before the superblock is durable"),
  NO_SUPERBLOCK("7.5: the superblock is not written"),
  SKIP_ARRAY_BLOCK("7.2: the new array block is not written"),
  SKIP_TREE_NODE("7.2: the new tree node is not written"),
  SKIP_INDEX("7, rule 4: the new index of the space map is not written"),
  SKIP_BITMAP("7, rule 4: the new bitmap of the space map is not written"),
  WRITE_IN_PLACE("7, rule 1: a block that the last superblock reaches is changed in place"),
  REUSE_FREED_BLOCKS("7, rule 2: a block is reused in the transaction that freed it");

  /** The rule that is broken, and how. */
  final String rule;

  Defect(String rule) {
    this.rule = rule;
  }
}
