package oxbow.target.snapshot;

import org.jspecify.annotations.Nullable;
import oxbow.target.TargetException;

/**
 * Who has a store: one table that uses it and, at a handover, one that will take it over (C10, H1).
 * Tables come and go on threads of their own, which is why this has a guard of its own: the {@link
 * OriginFamily} object.
 */
final class StoreUse {
  private final OriginFamily family;
  private @Nullable StoreTarget holder;
  private @Nullable StoreTarget successor;

  StoreUse(OriginFamily family) {
    this.family = family;
  }

  /**
   * A table with this store has been loaded.
   *
   * @return whether it is the only one and reads the store itself; else it waits for a handover
   * @throws TargetException if there are two already, or (C8) another store of the origin is being
   *     merged and this one shall be too
   */
  boolean claim(StoreTarget table) throws TargetException {
    synchronized (family) {
      if (table.isMerge() && family.isMergingOther(this)) {
        throw new TargetException("A snapshot is already merging.");
      }
      if (holder == null) {
        holder = table;
        return true;
      }
      if (successor != null) {
        throw new TargetException("Snapshot cow pairing for exception table handover failed");
      }
      successor = table;
      return false;
    }
  }

  /** Whose place the table will take; null if it waits for nobody. */
  @Nullable StoreTarget predecessorOf(StoreTarget table) {
    synchronized (family) {
      return successor == table ? holder : null;
    }
  }

  /** Who waits for the table's place; null if nobody does. */
  @Nullable StoreTarget successorOf(StoreTarget table) {
    synchronized (family) {
      return holder == table ? successor : null;
    }
  }

  /** Whether a table merges the store or is about to. */
  boolean hasMerge() {
    synchronized (family) {
      return (holder != null && holder.isMerge()) || (successor != null && successor.isMerge());
    }
  }

  /** The successor has taken over. */
  void handedOver() {
    synchronized (family) {
      holder = successor;
      successor = null;
    }
  }

  /** The table has gone; a successor that has not taken over yet never will (H4). */
  void release(StoreTarget table) {
    synchronized (family) {
      if (successor == table) {
        successor = null;
      } else if (holder == table) {
        holder = successor;
        successor = null;
      }
    }
  }
}
