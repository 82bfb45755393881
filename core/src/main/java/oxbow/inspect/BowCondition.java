package oxbow.inspect;

/**
 * What a check has found of a log, and so which ways are open: each constant is a row of the table
 * in docs/format/bow.md, "Damaged and partial logs". Whether the way forward, where it is open, can
 * be gone is for {@link BowForward#obstacle} to say.
 */
public enum BowCondition {
  /** The whole chain is sound and nothing has been undone: back or forward, as one likes. */
  SOUND("sound"),
  /** A roll-back has begun, and all that it still needs is sound: it can only be finished. */
  ROLLING_BACK("rolling-back"),
  /**
   * Sound but for the newest entry. That may be a log write that a power failure has torn; the
   * request the entry was for was then never sent, so that the entry may be left out. It may be
   * damage as well: so forward, unless someone who knows says so.
   */
  NEWEST_ENTRY_BAD("newest-entry-bad"),
  /** Cannot be rolled back: only forward. */
  DAMAGED("damaged"),
  /** Damaged while it was being rolled back: neither way; to be repaired by hand. */
  DAMAGED_ROLLING_BACK("damaged-rolling-back");

  private final String word;

  BowCondition(String word) {
    this.word = word;
  }

  /** The word in reports. */
  public String word() {
    return word;
  }

  /**
   * Whether the device may be put back as it was.
   *
   * @param withoutNewestEntry someone says that the newest entry may be left out if it is bad
   */
  public boolean allowsRollBack(boolean withoutNewestEntry) {
    return switch (this) {
      case SOUND, ROLLING_BACK -> true;
      case NEWEST_ENTRY_BAD -> withoutNewestEntry;
      case DAMAGED, DAMAGED_ROLLING_BACK -> false;
    };
  }
}
