package oxbow.target.snapshot;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.sim.SimDevice;
import oxbow.sim.SimDisk;
import oxbow.sim.SimFrame;
import oxbow.sim.SimMachine;
import oxbow.sim.SimRequest;
import oxbow.sim.SimTarget;
import oxbow.target.Target;
import oxbow.target.TargetException;
import oxbow.target.TargetType;

/**
 * An origin and its snapshots on a machine whose power can fail. Users write to the origin through
 * its <em>front</em>: the snapshot-origin, or the snapshot-merge of the snapshot that is being
 * merged. Disks are there from the beginning, the origin's first, whether they are in use or not.
 */
final class SnapshotMachine {
  static final int SECTOR = SimDisk.SECTOR_BYTES;
  private static final String ORIGIN = "origin";
  private static final String SNAPSHOT = "snap";

  /** What a store is used for; that outlives a crash, as a table in a start-up script does. */
  enum Use {
    NONE,
    SNAPSHOT,
    MERGE
  }

  final SnapshotPlan plan;
  final SimMachine events = new SimMachine();
  final SimFrame frame = new SimFrame();
  final SimDevice origin;
  final List<SimDevice> stores = new ArrayList<>();
  final Use[] uses;
  private final Origins origins = new Origins();
  private final @Nullable SimTarget[] snapshots;
  private @Nullable SimTarget front;

  /** Stores that are not in use any more: what is in them is nobody's. */
  private final BitSet wasUsed = new BitSet();

  /** Of the targets that were made: names for the log. */
  private int made;

  private SnapshotMachine(SnapshotPlan plan, Use[] uses, List<SimDisk> disks) {
    this.plan = plan;
    this.uses = uses;
    snapshots = new SimTarget[plan.stores().size()];
    origin = new SimDevice(ORIGIN, events.add(disks.get(0)).refuseOverlaps());
    for (int k = 0; k < snapshots.length; k++) {
      stores.add(new SimDevice("store" + k, events.add(disks.get(1 + k)).refuseOverlaps()));
    }
  }

  /**
   * Nothing runs yet, no store is in use; the origin holds stamps below 0, and here and there 0.
   */
  static SnapshotMachine fresh(SnapshotPlan plan) {
    List<SimDisk> disks = new ArrayList<>();
    byte[] content = SimRequest.stamped(-1000, plan.originSectors());
    Arrays.fill(content, 0, SECTOR, (byte) 0);
    disks.add(SimDisk.of(content, content.length));
    for (SnapshotPlan.Store store : plan.stores()) {
      disks.add(blank(store));
    }
    Use[] uses = new Use[plan.stores().size()];
    Arrays.fill(uses, Use.NONE);
    return new SnapshotMachine(plan, uses, disks);
  }

  /** Zeros, or full of another store's exceptions but for what a new store needs (O11). */
  private static SimDisk blank(SnapshotPlan.Store store) {
    byte[] content = new byte[store.storeSectors() * SECTOR];
    if (!store.isUsed()) {
      return new SimDisk(content.length);
    }
    ExceptionArea stale = ExceptionArea.over(content, content.length);
    for (int i = 0; i < stale.entryCount(); i++) {
      stale.set(i, 1 + i % store.chunkCount(), 2 + i);
    }
    SimDisk disk = SimDisk.of(content, content.length);
    format(store, disk);
    return disk.resized(content.length);
  }

  private static void format(SnapshotPlan.Store store, SimDisk disk) {
    try {
      if (store.isPersistent()) {
        StoreOpener.format(disk, store.chunkSectors());
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Makes a store that was in use empty. */
  void clear(int k) {
    if (wasUsed.get(k)) {
      format(plan.stores().get(k), stores.get(k).disk());
    }
  }

  /** What is there after a crash; the images become its disks. Nothing runs yet. */
  SnapshotMachine afterCrash(List<SimDisk> images, Defect defect) {
    Use[] kept = uses.clone();
    for (int k = 0; k < kept.length; k++) {
      if (!plan.stores().get(k).isPersistent()) {
        kept[k] = Use.NONE; // N: lost.
      }
    }
    SnapshotMachine after = new SnapshotMachine(plan.with(defect), kept, images);
    after.wasUsed.set(0, kept.length);
    return after;
  }

  /** Loads what is in use, and begins. */
  SnapshotMachine start() {
    int merging = merging();
    for (int k = 0; k < snapshots.length; k++) {
      if (uses[k] == Use.SNAPSHOT) {
        SimTarget loaded = loadSnapshot(k);
        use(k, loaded);
        loaded.resume();
      }
    }
    loadFront(merging).resume();
    return this;
  }

  // Targets.

  /** A snapshot on a store; not resumed. */
  SimTarget loadSnapshot(int k) {
    int sectors = plan.stores().get(k).sectors();
    return construct(new SnapshotTargetType(origins), SNAPSHOT + k, sectors, words(k));
  }

  /** It is the one that users of the snapshot see. */
  void use(int k, SimTarget loaded) {
    snapshots[k] = loaded;
    uses[k] = Use.SNAPSHOT;
  }

  /**
   * The origin's front; not resumed.
   *
   * @param merging whose merge it is; -1 for none
   */
  SimTarget loadFront(int merging) {
    SimTarget loaded;
    if (merging < 0) {
      TargetType type = new SnapshotOriginTargetType(origins);
      loaded = construct(type, ORIGIN, plan.originSectors(), List.of(ORIGIN));
    } else {
      // M5 broken: the merge knows no other snapshots.
      Origins known = plan.defect() == Defect.MERGE_WITHOUT_OTHERS ? new Origins() : origins;
      TargetType type = new SnapshotMergeTargetType(known);
      loaded =
          construct(type, "merge" + merging, plan.stores().get(merging).sectors(), words(merging));
    }
    front = loaded;
    return loaded;
  }

  private List<String> words(int k) {
    SnapshotPlan.Store store = plan.stores().get(k);
    List<String> words =
        new ArrayList<>(
            List.of(ORIGIN, "store" + k, store.kind(), String.valueOf(store.chunkSectors())));
    words.addAll(store.features());
    return words;
  }

  private SimTarget construct(TargetType type, String name, int sectors, List<String> words) {
    try {
      Target sound = type.construct(sectors, words, this::open);
      Target target =
          plan.defect() == Defect.NONE ? sound : new DefectiveTarget(sound, plan.defect());
      return frame.add(made++ + "-" + name, target);
    } catch (TargetException e) {
      throw new AssertionError("a crash leaves what does not load: " + e.getMessage(), e);
    }
  }

  private BlockDevice open(String address, boolean isWritable) throws IOException {
    if (address.equals(ORIGIN)) {
      return origin;
    }
    for (SimDevice store : stores) {
      if (address.equals(store.address())) {
        return store;
      }
    }
    throw new IOException(address + ": No such device");
  }

  SimTarget front() {
    return Objects.requireNonNull(front);
  }

  /** Of a store in use. */
  SimTarget snapshot(int k) {
    return Objects.requireNonNull(snapshots[k]);
  }

  /** Whose target it is or was: a snapshot's number, or -1. */
  int indexOf(SimTarget target) {
    for (int k = 0; k < snapshots.length; k++) {
      if (target.name().endsWith(SNAPSHOT + k)) {
        return k;
      }
    }
    return -1;
  }

  boolean isFront(SimTarget target) {
    return target == front;
  }

  /** The snapshot is gone; its store is not in use. */
  void forget(int k) {
    wasUsed.set(k);
    snapshots[k] = null;
    uses[k] = Use.NONE;
  }

  /** Which snapshot is being merged; -1 for none. */
  int merging() {
    return Arrays.asList(uses).indexOf(Use.MERGE);
  }

  /** Whether the merge has come to its end: M7. */
  boolean isMerged() {
    String[] figures = front().status().split("[/ ]", -1);
    return figures.length == 3 && figures[0].equals(figures[2]);
  }

  // Faults.

  /** Errors so far of all that a snapshot needs. */
  int faults(int k) {
    return origin.faults().count() + stores.get(k).faults().count();
  }

  void repair() {
    origin.faults().repair();
    stores.forEach(store -> store.faults().repair());
  }
}
