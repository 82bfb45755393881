package oxbow.target.bow;

import org.jspecify.annotations.Nullable;

/**
 * Block 0 as users see it moves, because the free block that it lies in is written to. Requests for
 * block 0 are held from its beginning to its end; those on their way are waited for before anything
 * is copied, so that no write is missed, and no read finds what is written there afterwards (B6).
 */
final class Block0Move {
  private final BowCore core;
  private @Nullable BowBackup io;
  private boolean isCopying;
  private long awaited;

  Block0Move(BowCore core) {
    this.core = core;
  }

  boolean isUnderWay() {
    return io != null;
  }

  void begin(BowBackup move) {
    io = move;
    isCopying = false;
    core.publish();
    awaited = core.epochs().await();
    lookAgain();
  }

  /** Something that was tracked may have ended. */
  void lookAgain() {
    BowBackup now = io;
    if (now != null && !isCopying && core.epochs().isOver(awaited)) {
      isCopying = true;
      core.copy(now);
    }
  }

  /** What still waits for its copy to begin, if anything does. */
  @Nullable BowBackup notCopying() {
    return isCopying ? null : io;
  }

  /** A backup has ended, well or badly: if it was this, block 0 is free again. */
  void forget(BowBackup ended) {
    if (ended == io) {
      io = null;
      core.publish();
    }
  }
}
