package oxbow.target.snapshot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.sim.SimDisk;
import oxbow.sim.SimRequest;
import oxbow.sim.SimTarget;
import oxbow.target.snapshot.SnapshotMachine.Use;

/**
 * Looks at what a crash would leave of a {@link SnapshotMachine}: each store is sound, and each
 * sector is what the {@link SnapshotModel} allows; and, of some crashes, all is loaded, shows just
 * these contents, and a merge goes on to its end, which shows them, too.
 */
final class SnapshotCrashCheck {
  /** One in so many crashes is loaded. */
  private static final int CRASHES_PER_LOAD = 64;

  private static final int MOST_TICKS = 1000;

  /** What an invalid snapshot shows, or one that is not in use. */
  private static final int[] NONE = {};

  /** What is in stores, by what is on their disks: seen once, known for good. */
  private final List<Map<Object, StoreImage>> known = new ArrayList<>();

  private final SnapshotPlan plan;
  private long crashes;

  SnapshotCrashCheck(SnapshotPlan plan) {
    this.plan = plan;
    plan.stores().forEach(store -> known.add(new HashMap<>()));
  }

  /** How many crashes have been looked at. */
  long crashes() {
    return crashes;
  }

  /** The stores in use, as a crash has left them; null for those that are not, or do not last. */
  @Nullable StoreImage[] views(SnapshotMachine machine, List<SimDisk> images) {
    @Nullable StoreImage[] views = new StoreImage[plan.stores().size()];
    for (int k = 0; k < views.length; k++) {
      if (machine.uses[k] != Use.NONE && plan.stores().get(k).isPersistent()) {
        views[k] = view(k, images.get(1 + k));
      }
    }
    return views;
  }

  /** How many entries a crash leaves behind the ends of tables. */
  int staleEntries(SnapshotMachine machine, List<SimDisk> images) {
    int count = 0;
    for (StoreImage view : views(machine, images)) {
      count += view == null ? 0 : view.staleCount();
    }
    return count;
  }

  private StoreImage view(int k, SimDisk image) {
    return known
        .get(k)
        .computeIfAbsent(
            image.contentKey(),
            key -> StoreImage.read(plan.stores().get(k), plan.originSectors(), image));
  }

  /**
   * Throws AssertionError when a promise is broken.
   *
   * @param images of all disks
   */
  void check(SnapshotMachine crashed, SnapshotModel model, List<SimDisk> images) {
    @Nullable StoreImage[] views = views(crashed, images);
    model.checkAfterCrash(images, views);
    if (crashes++ % CRASHES_PER_LOAD == 0) {
      load(crashed, images, views);
    }
  }

  /** Loads what was left, without its defects, and compares; then merges. */
  private void load(SnapshotMachine crashed, List<SimDisk> images, @Nullable StoreImage[] views) {
    List<SimDisk> disks = images.stream().map(image -> image.resized(image.sizeBytes())).toList();
    SnapshotMachine machine = crashed.afterCrash(disks, Defect.NONE);
    int[][] expected = new int[plan.stores().size()][];
    Arrays.fill(expected, NONE);
    for (int k = 0; k < expected.length; k++) {
      StoreImage view = views[k];
      if (view != null && view.isValid()) {
        expected[k] = new int[plan.stores().get(k).sectors()];
        for (int sector = 0; sector < expected[k].length; sector++) {
          expected[k][sector] = view.look(sector, images.get(1 + k), images.get(0));
        }
      }
    }
    machine.start();
    compare(machine, expected);
    if (machine.merging() >= 0) {
      merge(machine, machine.merging());
      compare(machine, expected);
    }
    machine.frame.close();
  }

  private void compare(SnapshotMachine machine, int[][] expected) {
    for (int k = 0; k < expected.length; k++) {
      if (expected[k] == NONE) {
        if (machine.uses[k] == Use.SNAPSHOT) {
          require(machine.snapshot(k).status().equals("Invalid"), machine, k + " is not invalid");
        }
        continue;
      }
      SimTarget target = machine.uses[k] == Use.MERGE ? machine.front() : machine.snapshot(k);
      SimRequest read = target.read(0, expected[k].length);
      machine.frame.runToRest();
      boolean mayHaveNoRoom = machine.merging() >= 0 && machine.merging() != k;
      if (mayHaveNoRoom && target.status().equals("Invalid")) {
        continue; // M5: it had no room for what the merge has overwritten.
      }
      require(read.isDone() && read.errno() == 0, machine, "after a crash fails " + read);
      for (int sector = 0; sector < expected[k].length; sector++) {
        require(
            read.found(sector) == expected[k][sector],
            machine,
            "sector %d of snapshot %d: found %d when loaded after a crash, %d on its disks"
                .formatted(sector, k, read.found(sector), expected[k][sector]));
      }
    }
  }

  private void merge(SnapshotMachine machine, int k) {
    for (int ticks = 0; !machine.isMerged() && ticks < MOST_TICKS; ticks++) {
      machine.frame.runToRest();
      machine.frame.second();
    }
    machine.frame.runToRest();
    require(machine.isMerged(), machine, "a merge stops at " + machine.front().status());
    StoreImage view =
        StoreImage.read(plan.stores().get(k), plan.originSectors(), machine.stores.get(k).disk());
    require(view.exceptionCount() == 0, machine, "a merge has ended and leaves " + view);
  }

  private static void require(boolean condition, SnapshotMachine machine, String what) {
    if (!condition) {
      throw new AssertionError(what + "\n  " + String.join("\n  ", machine.frame.log()));
    }
  }
}
