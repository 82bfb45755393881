package oxbow.target.snapshot;

import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Piece;
import oxbow.target.TurnQueue;

/**
 * Commits of a store, in turns. A turn waits until everything that was handed out before it was
 * asked for has been written; then, one after the other: zeroes next areas, flushes the store,
 * writes the entries and makes them durable (snapshot-cow.md, section 5).
 *
 * <p>Invariants. T1: entries are written only after a flush that began when their chunks had been
 * written, and next areas zeroed. T2: whoever asks while a turn runs waits for the next (O4). T3: a
 * turn with nothing to commit is a flush of the store (F1).
 */
final class StoreCommits {
  /** Where a turn is. */
  private enum Step {
    IDLE,
    AWAITS_WRITES,
    ZEROES,
    FLUSHES,
    WRITES_ENTRIES,
    FLUSHES_ENTRIES
  }

  private final SnapshotCore core;
  private final Exceptions exceptions;
  private final Effects out;
  private final Job job = new Job();
  private final TurnQueue turns = new TurnQueue();
  private Step step = Step.IDLE;

  /** What is handed out below was before the turn was asked for; from the freeze on: is in it. */
  private long bound;

  /** What somebody wants durable that the running turn need not bring. */
  private long wantedBelow;

  private @Nullable Commit commit;

  /** The next of the commit's ranges to zero, then of its writes. */
  private int next;

  StoreCommits(SnapshotCore core, Exceptions exceptions, Effects out) {
    this.core = core;
    this.exceptions = exceptions;
    this.out = out;
  }

  boolean isIdle() {
    return step == Step.IDLE;
  }

  /** The piece is answered at the end of the next turn. */
  void awaitTurn(Piece piece) {
    turns.join(piece, null);
    beginIfIdle();
  }

  /** The piece, a FUA write to exceptions, is sent to the store at the end of the next turn. */
  void issueAfterTurn(Piece piece, long storeOffsetBytes) {
    turns.join(piece, storeOffsetBytes);
    beginIfIdle();
  }

  /** Has all exceptions committed whose chunks lie below. */
  void want(long below) {
    wantedBelow = Math.max(wantedBelow, below);
    if (isCommitWanted()) {
      beginIfIdle();
    }
  }

  private boolean isCommitWanted() {
    return exceptions.persistent != null
        && exceptions.isValid()
        && exceptions.durableBelow() < wantedBelow;
  }

  private void beginIfIdle() {
    if (step == Step.IDLE) {
      begin();
    }
  }

  private void begin() {
    turns.begin();
    bound = exceptions.store.nextFree();
    step = Step.AWAITS_WRITES;
    lookAgain();
  }

  /** Chunks have been written: they may be what the turn waits for. */
  void lookAgain() {
    if (step != Step.AWAITS_WRITES || core.writtenBelow() < bound) {
      return;
    }
    bound = core.writtenBelow(); // All of it is appended, and so part of the commit.
    commit = exceptions.persistent == null ? null : exceptions.persistent.beginCommit();
    next = 0;
    if (commit != null && commit.isPastEnd()) {
      core.invalidate("the store ends where its next metadata area belongs");
      return;
    }
    step = Step.ZEROES;
    goOn();
  }

  /** The I/O of a step has ended. */
  void ended(Job ended, int errno) {
    if (ended != job) {
      throw new IllegalStateException("not a job of this store");
    }
    if (!exceptions.isValid()) {
      step = Step.IDLE;
    } else if (errno == Errno.OK) {
      goOn();
    } else if (commit == null) {
      step = Step.IDLE;
      answerTurn(errno);
      beginNext();
    } else {
      core.invalidate("exceptions could not be committed: " + Errno.describe(errno));
      step = Step.IDLE;
    }
  }

  /** The I/O before has ended well, if there was any. */
  private void goOn() {
    Commit frozen = commit;
    switch (step) {
      case ZEROES -> {
        if (frozen != null && next < frozen.zeroes().size()) {
          Commit.Zeroes range = frozen.zeroes().get(next++);
          long length = range.lengthBytes();
          out.range(
              job, SnapshotCore.STORE, Operation.WRITE_ZEROES, range.offsetBytes(), length, 0);
        } else {
          step = Step.FLUSHES;
          next = 0;
          out.flushThen(job, SnapshotCore.STORE, null);
        }
      }
      case FLUSHES, WRITES_ENTRIES -> {
        step = Step.WRITES_ENTRIES;
        if (frozen == null) {
          succeeded();
        } else if (next < frozen.writes().size()) {
          writeEntries(frozen);
        } else if (frozen.writes().size() == 1) {
          succeeded();
        } else {
          step = Step.FLUSHES_ENTRIES;
          out.flushThen(job, SnapshotCore.STORE, null);
        }
      }
      case FLUSHES_ENTRIES -> succeeded();
      case IDLE, AWAITS_WRITES -> throw new IllegalStateException("no I/O in step " + step);
    }
  }

  /** A single write brings its own flush; several share one that follows. */
  private void writeEntries(Commit frozen) {
    int flags = frozen.writes().size() == 1 ? Flags.FUA : 0;
    Write write = frozen.writes().get(next++);
    out.writeBytes(job, write.bytes(), SnapshotCore.STORE, write.offsetBytes(), flags);
  }

  private void succeeded() {
    Commit ended = commit;
    commit = null;
    step = Step.IDLE;
    if (ended != null && exceptions.persistent != null) {
      exceptions.persistent.ended(ended);
    }
    answerTurn(Errno.OK);
    core.committed(bound);
    beginNext();
  }

  private void answerTurn(int errno) {
    for (Piece piece = turns.takeTurn(); piece != null; ) {
      Piece following = piece.next;
      if (errno == Errno.OK && piece.waitsFor instanceof Long storeOffset) {
        out.issue(piece, SnapshotCore.STORE, storeOffset);
      } else {
        out.complete(piece, errno);
      }
      piece = following;
    }
  }

  private void beginNext() {
    if (step == Step.IDLE && exceptions.isValid() && (isCommitWanted() || !turns.isEmpty())) {
      begin();
    }
  }

  /** Nothing will be committed any more: whoever waits gets an error (E3). */
  void invalidated() {
    if (step == Step.AWAITS_WRITES) {
      step = Step.IDLE;
    }
    commit = null;
    answerTurn(Errno.EIO);
    turns.begin();
    answerTurn(Errno.EIO);
  }
}
