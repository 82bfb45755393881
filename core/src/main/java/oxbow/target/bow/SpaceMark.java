package oxbow.target.bow;

import oxbow.target.Effects;

/** Warns once when the room for copies is nearly used up: what comes after is up to a policy. */
final class SpaceMark {
  static final int MAX_PERCENT = 99;

  private static final int DEFAULT_PERCENT = 80;
  private static final int WHOLE = 100;

  private final Effects out;
  private int atPercent = DEFAULT_PERCENT;
  private boolean isPassed;

  SpaceMark(Effects out) {
    this.out = out;
  }

  /** Sets the mark: so much of what was free at the checkpoint is used. 1 to 99. */
  void set(int percent) {
    atPercent = percent;
    isPassed = false;
  }

  /**
   * Something has been taken.
   *
   * @param gainedBlocks were free at the checkpoint
   */
  void look(long freeBlocks, long gainedBlocks) {
    long used = gainedBlocks == 0 ? 0 : WHOLE - freeBlocks * WHOLE / gainedBlocks;
    if (!isPassed && used >= atPercent) {
      isPassed = true;
      out.event("space for copies is " + used + " % used");
    }
  }
}
