package oxbow.target.snapshot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import oxbow.block.BlockDevice;
import oxbow.target.Family;
import oxbow.target.InFlightEpochs;

/**
 * What the targets of one origin share: which snapshots there are, who writes to the origin, and
 * who has which store. Guarded by the family's lock, but for what {@code map} reads.
 *
 * <p>When a snapshot begins, writes to the origin are <em>held</em>: those on their way are waited
 * for, new ones wait, and the snapshot becomes active in between (H3, O22). So each write to the
 * origin is either part of what the snapshot shows, in whole, or saved from before.
 */
final class OriginFamily {
  /** Whoever writes to the origin for users. */
  interface Writer {
    /** Writes are not held any more. */
    void goOn();
  }

  /** A table that begins while writes to the origin are held. */
  interface Joining {
    /** Whether all else that it waits for has come. */
    boolean isReady();

    /** No write to the origin is on its way. */
    void begin();
  }

  private static final SnapshotCore[] NONE = {};

  private final Family family = new Family();
  private final InFlightEpochs originWrites = new InFlightEpochs();
  private final List<Writer> writers = new ArrayList<>();

  /** Guarded by this object, as each {@link StoreUse} is. */
  private final IdentityHashMap<BlockDevice, StoreUse> stores = new IdentityHashMap<>();

  private final Runnable whenUnused;
  private final AtomicInteger users = new AtomicInteger();

  /** From the largest to the smallest chunk size (O7). */
  private volatile SnapshotCore[] active = NONE;

  private volatile boolean isHeld;

  private final List<Joining> joining = new ArrayList<>();

  private long awaitedWrites;

  /**
   * @param whenUnused called when the last target has left
   */
  OriginFamily(Runnable whenUnused) {
    this.whenUnused = whenUnused;
  }

  void joined() {
    users.incrementAndGet();
  }

  /** A target has been closed, or could not be made. */
  void left() {
    if (users.decrementAndGet() == 0) {
      whenUnused.run();
    }
  }

  boolean isUsed() {
    return users.get() > 0;
  }

  Family family() {
    return family;
  }

  /** Writes to the origin that are on their way; whoever sends one takes a ticket first. */
  InFlightEpochs originWrites() {
    return originWrites;
  }

  /** Who has a store of this origin. Any thread. */
  synchronized StoreUse use(BlockDevice store) {
    return stores.computeIfAbsent(store, _ -> new StoreUse(this));
  }

  /** C8: whether another store of the origin is being merged, or is about to. Any thread. */
  synchronized boolean isMergingOther(StoreUse use) {
    return stores.values().stream().anyMatch(each -> each != use && each.hasMerge());
  }

  // Writers and snapshots.

  void add(Writer writer) {
    writers.add(writer);
  }

  void remove(Writer writer) {
    writers.remove(writer);
  }

  /** Whether writes to the origin have to wait. Any thread: look after taking a ticket. */
  boolean isHeld() {
    return isHeld;
  }

  /** Holds writes to the origin; when none is on its way the table begins. */
  void hold(Joining table) {
    isHeld = true;
    joining.add(table);
    awaitedWrites = originWrites.await();
    lookAgain();
  }

  /** The table does not begin after all. */
  void cancel(Joining table) {
    joining.remove(table);
    lookAgain();
  }

  /** Something has ended that a table which begins may be waiting for. */
  void lookAgain() {
    if (!isHeld || !originWrites.isOver(awaitedWrites)) {
      return;
    }
    for (Joining table : List.copyOf(joining)) {
      if (table.isReady()) {
        joining.remove(table);
        table.begin();
      }
    }
    if (joining.isEmpty()) {
      isHeld = false;
      List.copyOf(writers).forEach(Writer::goOn);
    }
  }

  void activate(SnapshotCore core) {
    SnapshotCore[] more = Arrays.copyOf(active, active.length + 1);
    more[active.length] = core;
    Arrays.sort(more, Comparator.comparingLong(SnapshotCore::chunkBytes).reversed());
    active = more;
  }

  /** From now on nothing is saved for it. */
  void deactivate(SnapshotCore core) {
    active = Arrays.stream(active).filter(each -> each != core).toArray(SnapshotCore[]::new);
  }

  /** Has all snapshots save a range; whether the waiter need not wait for any of them. */
  boolean preserve(long fromBytes, long toBytes, OriginWaiter waiter) {
    waiter.holdBack();
    for (SnapshotCore snapshot : active) {
      snapshot.preserve(fromBytes, toBytes, waiter);
    }
    return waiter.endsWaiting();
  }

  /** Whether a write to a range of the origin may pass without asking any core. Any thread. */
  boolean isReleased(long fromBytes, long toBytes) {
    for (SnapshotCore snapshot : active) {
      if (!snapshot.isReleased(fromBytes, toBytes)) {
        return false;
      }
    }
    return true;
  }

  boolean hasSnapshots() {
    return active.length > 0;
  }
}
