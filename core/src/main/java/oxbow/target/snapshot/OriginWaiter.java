package oxbow.target.snapshot;

/**
 * Something that is about to overwrite a range of the origin and waits until snapshots have saved
 * what is there: a user's write, or a run of a merge. Used again for the next range.
 */
abstract class OriginWaiter {
  /** Snapshots that it waits for, and one while they are being asked. */
  private int waits;

  /** It waits for one more, which calls {@link #released}. */
  final void mustWait() {
    waits++;
  }

  /** Whoever it waited for has released the range, or has become invalid. */
  final void released() {
    if (endsWaiting()) {
      lookAgain();
    }
  }

  /** While it waits for this itself, nobody's answer has it go on. */
  final void holdBack() {
    waits = 1;
  }

  /** One wait has ended; whether it was the last. */
  final boolean endsWaiting() {
    return --waits == 0;
  }

  /** Nobody is waited for any more; others may have come: the whole check is repeated (O2). */
  abstract void lookAgain();
}
