package oxbow.target.bow;

import oxbow.block.Errno;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Piece;
import oxbow.target.TurnQueue;

/**
 * Users' flushes in state 1, in turns that all share who wait; and the debt of an error. A flush of
 * our own that fails may have lost what users wrote, and the device tells it once: so the next one
 * of a user has to fail. And theirs are not passed down as they are in state 1, since one that
 * fails may have lost copies, whatever the next one answers (B8).
 */
final class Flushes {
  private final BowCore core;
  private final Effects out;
  private final Job job = new Job();
  private final TurnQueue turns = new TurnQueue();
  private boolean isRunning;

  /** A flush has failed of which no user has been told. */
  private boolean isOwing;

  Flushes(BowCore core, Effects out) {
    this.core = core;
    this.out = out;
  }

  boolean owns(Job ended) {
    return ended == job;
  }

  boolean isIdle() {
    return !isRunning;
  }

  boolean isOwing() {
    return isOwing;
  }

  /** A flush has failed that no user has asked for. */
  void owe() {
    isOwing = true;
    core.publish();
  }

  /** The piece is answered at the end of the next turn, or told of what has failed before. */
  void add(Piece piece) {
    if (isOwing) {
      isOwing = core.hasFailed();
      core.publish();
      out.complete(piece, Errno.EIO);
      return;
    }
    turns.join(piece, null);
    if (!isRunning) {
      begin();
    }
  }

  private void begin() {
    isRunning = true;
    turns.begin();
    out.flushThen(job, BowCore.DEVICE, null);
  }

  void ended(int errno) {
    isRunning = false;
    int result = errno == Errno.OK && isOwing ? Errno.EIO : errno;
    for (Piece piece = turns.takeTurn(); piece != null; ) {
      Piece following = piece.next;
      out.complete(piece, result);
      piece = following;
    }
    if (errno != Errno.OK && core.state().number() == 1) {
      core.fail("a flush has failed: " + Errno.describe(errno));
    }
    if (!turns.isEmpty()) {
      begin();
    }
  }
}
