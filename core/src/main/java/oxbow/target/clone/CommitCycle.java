package oxbow.target.clone;

import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Piece;
import oxbow.target.TurnQueue;

/**
 * Flushes and commits, in turns. One turn is: freeze the recorded regions and start a new set;
 * flush the destination; if the frozen set is not empty, write metadata for it and for nothing else
 * (M1).
 *
 * <p>Invariants. K1: a region recorded after the freeze belongs to the next turn, even if its data
 * happened to be flushed. K2: whoever asks while a turn runs waits for the next one, whose flush
 * and commit begin after the question (O4). K3: the frozen set is the task's from {@link #start}
 * until the turn's end, and nobody else's.
 */
final class CommitCycle {
  /** Mark of a piece that is sent to the destination after its turn, not answered (F3). */
  private static final Object THEN_ISSUE = new Object();

  private final Job job = new Job();
  private final CloneCommitter committer;
  private final TurnQueue turns = new TurnQueue();
  private RegionSet recorded;
  private RegionSet frozen;
  private boolean isRunning;
  private long commitCount;
  private boolean hasFailed;

  CommitCycle(long regionCount, CloneCommitter committer) {
    this.committer = committer;
    this.recorded = new RegionSet(regionCount);
    this.frozen = new RegionSet(regionCount);
  }

  /**
   * Every region is committed: no set will ever have one again (M7). Flushes take their turns as
   * ever.
   */
  void release() {
    if (!isClean()) {
      throw new IllegalStateException("regions wait for their commit");
    }
    recorded = new RegionSet(1);
    frozen = new RegionSet(1);
    committer.release();
  }

  /** Notes regions whose contents the destination holds now; durable after the next turn. */
  void record(long first, long count) {
    recorded.add(first, count);
  }

  /** Nothing is recorded that is not durable (F1, F3); after a failure never again (M6). */
  boolean isClean() {
    return !hasFailed && recorded.isEmpty() && (!isRunning || frozen.isEmpty());
  }

  /** Turns that have made regions durable. */
  long commitCount() {
    return commitCount;
  }

  boolean isIdle() {
    return !isRunning && turns.isEmpty();
  }

  boolean isJob(Job ended) {
    return ended == job;
  }

  /** The piece is answered at the end of the next turn. */
  void awaitTurn(Piece piece, Effects out) {
    join(piece, null, out);
  }

  /** The piece, a FUA write to a hydrated region, is sent at the end of the next turn (F3). */
  void issueAfterTurn(Piece piece, Effects out) {
    join(piece, THEN_ISSUE, out);
  }

  private void join(Piece piece, @Nullable Object then, Effects out) {
    turns.join(piece, then);
    if (!isRunning) {
      start(out);
    }
  }

  /** The one-second commit, and suspend's: does nothing at all when nothing changed (M4). */
  void commitIfChanged(Effects out) {
    if (!isRunning && !recorded.isEmpty()) {
      start(out);
    }
  }

  private void start(Effects out) {
    RegionSet empty = frozen;
    frozen = recorded;
    recorded = empty;
    turns.begin();
    isRunning = true;
    RegionSet toCommit = frozen;
    out.flushThen(
        job, CloneCore.DESTINATION, toCommit.isEmpty() ? null : () -> committer.commit(toCommit));
  }

  /** The turn has ended well: answers and sends what waited, and begins the next if asked for. */
  void succeeded(Effects out) {
    isRunning = false;
    commitCount += frozen.isEmpty() ? 0 : 1;
    frozen.clear();
    for (Piece piece = turns.takeTurn(); piece != null; ) {
      Piece following = piece.next;
      if (piece.waitsFor == THEN_ISSUE) {
        out.issue(piece, CloneCore.DESTINATION, piece.offsetBytes());
      } else {
        out.complete(piece, Errno.OK);
      }
      piece = following;
    }
    if (!turns.isEmpty()) {
      start(out);
    }
  }

  /** The turn has failed: whoever waits for this or a later one gets an error (F7, O3). */
  void failed(Effects out) {
    isRunning = false;
    hasFailed = true;
    failAll(turns.takeTurn(), out);
    turns.begin();
    failAll(turns.takeTurn(), out);
  }

  private static void failAll(@Nullable Piece first, Effects out) {
    for (Piece piece = first; piece != null; ) {
      Piece following = piece.next;
      out.complete(piece, Errno.EIO);
      piece = following;
    }
  }
}
