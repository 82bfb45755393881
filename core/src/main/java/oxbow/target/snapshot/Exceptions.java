package oxbow.target.snapshot;

import org.jspecify.annotations.Nullable;

/**
 * What a store says, in memory; passes from one table's target to the next at a handover (H2).
 *
 * <p>An exception goes through four stages. It is <em>pending</em> while its chunk of the store is
 * being written; <em>readable</em> once it is in the table; <em>durable</em> once committed; and
 * <em>released</em> once no read that began before can still be on its way to the origin, so that a
 * write to the origin may pass (R2). Chunks of the store are handed out upwards and committed in
 * that order: each of the last two stages is a bound of store chunks.
 *
 * <p>Changed under the family's lock; the table, the state and the bounds are read by anybody.
 */
final class Exceptions {
  final ExceptionTable table;
  final ExceptionStore store;

  /** The same store, if it keeps exceptions on disk. */
  final @Nullable PersistentStore persistent;

  private volatile SnapshotState state = SnapshotState.ACTIVE;
  private String why = "";
  private volatile long durableBelow;
  private volatile long releasedBelow;

  /** With what was loaded: all of it is durable, and nobody has read before. */
  Exceptions(ExceptionTable table, ExceptionStore store) {
    this.table = table;
    this.store = store;
    this.persistent = store instanceof PersistentStore onDisk ? onDisk : null;
    if (persistent != null && !persistent.isValid()) {
      set(SnapshotState.INVALID, "the store has been invalidated");
    }
    durableBelow = store.nextFree();
    releasedBelow = durableBelow;
  }

  SnapshotState state() {
    return state;
  }

  boolean isValid() {
    return state != SnapshotState.INVALID;
  }

  String why() {
    return why;
  }

  void set(SnapshotState next, String sentence) {
    why = sentence;
    state = next;
  }

  /** Exceptions whose chunk lies below are durable. */
  long durableBelow() {
    return durableBelow;
  }

  void setDurableBelow(long chunk) {
    durableBelow = chunk;
  }

  /** Writes to the origin may pass exceptions whose chunk lies below. */
  long releasedBelow() {
    return releasedBelow;
  }

  void setReleasedBelow(long chunk) {
    releasedBelow = chunk;
  }

  /** Nothing has been handed out that is not durable. */
  boolean isCommitted() {
    return durableBelow >= store.nextFree();
  }

  SnapshotFigures figures() {
    return store.figures(state, why);
  }
}
