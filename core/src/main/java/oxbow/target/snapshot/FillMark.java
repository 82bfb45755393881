package oxbow.target.snapshot;

import oxbow.target.Effects;

/** Warns once when a store is nearly full: what comes after is lost or the snapshot is. */
final class FillMark {
  private final ExceptionStore store;
  private final int atPercent;
  private final Effects out;
  private boolean isPassed;

  FillMark(ExceptionStore store, int atPercent, Effects out) {
    this.store = store;
    this.atPercent = atPercent;
    this.out = out;
    isPassed = store.fullPercent() >= atPercent;
  }

  /** Something has been handed out. */
  void look() {
    if (!isPassed && store.fullPercent() >= atPercent) {
      isPassed = true;
      out.event("store is " + store.fullPercent() + " % full");
    }
  }

  /** The store has grown: it may be well below the mark again. */
  void reset() {
    isPassed = store.fullPercent() >= atPercent;
  }
}
