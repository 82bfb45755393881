package oxbow.nbd.server;

import org.jspecify.annotations.Nullable;

/** Slots in the order in which they came, through {@link Slot#next}. */
final class SlotQueue {
  private @Nullable Slot first;
  private @Nullable Slot last;

  void add(Slot slot) {
    Slot before = last;
    if (before == null) {
      first = slot;
    } else {
      before.next = slot;
    }
    last = slot;
  }

  boolean isEmpty() {
    return first == null;
  }

  @Nullable Slot first() {
    return first;
  }

  /** What follows the first becomes the first, which is given because its link may be reused. */
  void removeFirst(@Nullable Slot following) {
    first = following;
    if (following == null) {
      last = null;
    }
  }
}
