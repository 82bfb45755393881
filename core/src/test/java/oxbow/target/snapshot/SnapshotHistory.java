package oxbow.target.snapshot;

import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.sim.SimDisk;
import oxbow.sim.SimFaults;
import oxbow.sim.SimTarget;
import oxbow.target.snapshot.SnapshotMachine.Use;

/**
 * One seeded history: users of an origin and of its snapshots, which come, are taken over by new
 * instances, are merged and go; errors and crashes; each completion picked by the seed; all of it
 * checked against a {@link SnapshotModel}. Before every event on a disk several crashes are tried.
 */
final class SnapshotHistory {
  private static final int LINES_SHOWN = 60;
  private static final int STEPS = 160;
  private static final int MOST_STEPS_OF_A_WAIT = 5000;

  /** Of each cut: each disk has lost or kept all; and any other. */
  private static final int CORNER_SAMPLES = 3;

  private static final int RANDOM_SAMPLES = 4;

  private static final int CRASHES_TO_CHOOSE_FROM = 5;
  private static final int SECTOR_ENTRIES = 32;

  /** Entries in more than one sector are being written. */
  private static final Pattern TWO_SECTORS = Pattern.compile(".*: bytes \\S+ \\d+\\+[2-9].*");

  /** What neighbouring seeds of a {@link Random} bring first is nearly the same. */
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  /** Each life has stamps of its own. */
  private static final int STAMPS_PER_LIFE = 100_000;

  private final long seed;
  private final Random random;
  private final boolean isFaulty;
  private final boolean isNewestFirst;
  private final SnapshotPlan plan;
  private final SnapshotModel model;
  private final SnapshotCrashCheck check;
  private SnapshotMachine machine;
  private int lives;

  /** The crash of the present cut that is, or was last, looked at. */
  private int sample;

  SnapshotHistory(long seed, Defect defect) {
    this.seed = seed;
    random = new Random(seed * SPREAD);
    plan = SnapshotPlan.random(random, defect);
    machine = SnapshotMachine.fresh(plan);
    isFaulty = random.nextInt(3) == 0;
    isNewestFirst = random.nextBoolean();
    model = new SnapshotModel(machine);
    check = new SnapshotCrashCheck(plan);
  }

  /**
   * Throws AssertionError when a promise is broken.
   *
   * @return how many crashes were tried
   */
  long run() {
    try {
      live();
      return check.crashes();
    } catch (AssertionError | RuntimeException e) {
      List<String> log = machine.frame.log();
      String last =
          String.join("\n  ", log.subList(Math.max(0, log.size() - LINES_SHOWN), log.size()));
      throw new AssertionError(
          "%s%n  (life %d, event %d, sample %d, %s)%n  last: %s"
              .formatted(e.getMessage(), lives, machine.events.cut(), sample, plan, last),
          e);
    }
  }

  private void live() {
    begin();
    int first = random.nextInt(plan.stores().size());
    create(first);
    if (random.nextBoolean()) {
      fillASectorOfEntries(plan.stores().get(first));
    }
    for (int step = 0; step < STEPS; step++) {
      step();
    }
    end();
  }

  /** Almost: what comes soon needs two sectors, of which a crash may leave the second alone. */
  private void fillASectorOfEntries(SnapshotPlan.Store store) {
    int sectors = store.chunkSectors() * (SECTOR_ENTRIES - 1 - random.nextInt(6));
    boolean hasMore = store.layout().exceptionsPerArea() > SECTOR_ENTRIES;
    if (hasMore && sectors < store.sectors() && store.capacity() > SECTOR_ENTRIES) {
      machine.front().write(0, sectors);
      rest();
    }
  }

  private void begin() {
    lives++;
    machine.frame.decideBy(() -> random.nextInt(4) == 0).stampsFrom(1 + lives * STAMPS_PER_LIFE);
    machine.frame.copyPartBytes = (1 + random.nextInt(8)) * SnapshotMachine.SECTOR;
    machine.events.watch(this::powerMayFail);
    machine.start();
  }

  /** Called before each event on a disk. */
  private void powerMayFail(SimDisk disk) {
    // With nothing pending there is only one way to crash.
    int samples = machine.events.hasPending() ? 2 + CORNER_SAMPLES + RANDOM_SAMPLES : 1;
    int corners = machine.events.cornerCount();
    for (int i = 0; i < samples; i++) {
      sample =
          switch (i) {
            case 0 -> 0;
            case 1 -> corners - 1;
            default -> i < 2 + CORNER_SAMPLES ? (machine.events.cut() + i) % corners : corners + i;
          };
      check.check(machine, model, machine.events.crash(seed, sample));
    }
  }

  private void step() {
    machine.frame.isUserBusy = random.nextInt(4) == 0;
    int dice = random.nextInt(100);
    if (isTearable() && random.nextInt(3) == 0) {
      crash();
    } else if (dice < 30) {
      submit(machine.front());
    } else if (dice < 42) {
      SimTarget snapshot = any(Use.SNAPSHOT);
      if (snapshot != null) {
        submit(snapshot);
      }
    } else if (dice < 86) {
      finishOne();
    } else if (dice < 89) {
      machine.frame.second();
    } else if (dice < 91) {
      machine.frame.wake();
    } else if (dice < 97) {
      changeSnapshots();
    } else if (dice < 98) {
      crash();
    } else if (isFaulty) {
      fault();
    }
  }

  /** Any, or in this history mostly the newest, so that others stay for long. */
  private boolean finishOne() {
    int count = machine.frame.inFlight();
    if (count > 0) {
      boolean isAny = !isNewestFirst || random.nextInt(3) == 0;
      machine.frame.finish(isAny ? random.nextInt(count) : count - 1);
    }
    return count > 0;
  }

  private @Nullable SimTarget any(Use use) {
    int k = anyStore(use);
    return k < 0 ? null : machine.snapshot(k);
  }

  /** A store that is used so; -1 if there is none. */
  private int anyStore(Use use) {
    int start = random.nextInt(machine.uses.length);
    for (int i = 0; i < machine.uses.length; i++) {
      int k = (start + i) % machine.uses.length;
      if (machine.uses[k] == use) {
        return k;
      }
    }
    return -1;
  }

  // Users.

  private void submit(SimTarget target) {
    int first = random.nextInt(target.sectors());
    int usual = random.nextInt(4) == 0 ? target.sectors() / 3 + 1 : 5;
    int most = Math.min(target.sectors() - first, usual);
    int count = 1 + random.nextInt(most);
    if (random.nextInt(4) == 0) {
      first -= first % 8;
      count = Math.min(8, target.sectors() - first);
    }
    if (model.isBusy(target, first, count)) {
      return;
    }
    switch (random.nextInt(14)) {
      case 0, 1, 2, 3, 4, 5 -> target.write(first, count);
      case 6 -> target.writeFua(first, count);
      case 7 -> target.zero(first, count);
      case 8, 9, 10 -> target.read(first, count);
      case 11 -> discard(target, first, count);
      default -> target.flush();
    }
  }

  private void discard(SimTarget target, int first, int count) {
    if (target.target().limits().canDiscard()) {
      int flags = random.nextInt(4) == 0 ? Flags.FUA : 0;
      target.submit(Operation.DISCARD, first, count, flags);
    }
  }

  // Snapshots come and go.

  private void changeSnapshots() {
    int k = anyStore(Use.SNAPSHOT);
    switch (random.nextInt(8)) {
      case 0, 1 -> {
        int unused = anyStore(Use.NONE);
        if (unused >= 0) {
          create(unused);
        }
      }
      case 2 -> {
        if (k >= 0) {
          remove(k);
        }
      }
      case 3 -> {
        if (k >= 0 && !model.isInvalid(k)) {
          handOver(k);
        }
      }
      case 4, 5 -> {
        if (k >= 0 && machine.merging() < 0 && canMerge(k)) {
          merge(k);
        }
      }
      case 6 -> {
        if (machine.merging() >= 0 && machine.isMerged()) {
          endMerge();
        }
      }
      default -> restart();
    }
  }

  /** Writes to the origin may be in flight, and more come (O22). */
  private void create(int k) {
    if (machine.merging() >= 0 || !machine.stores.get(k).faults().isSound()) {
      return; // M11: what the origin holds is not what its users see.
    }
    machine.clear(k);
    SimTarget snapshot = machine.loadSnapshot(k);
    machine.use(k, snapshot);
    model.activating(k);
    snapshot.resume();
  }

  private void remove(int k) {
    suspend(machine.snapshot(k));
    SimTarget removed = machine.snapshot(k);
    machine.forget(k);
    model.removed(k);
    remove(removed);
  }

  private void suspend(SimTarget target) {
    target.suspend();
    waitUntil(target + " is suspended", target::isSuspended);
  }

  private void remove(SimTarget target) {
    target.remove();
    waitUntil(target + " is removed", target::isRemoved);
  }

  /** Waits; meanwhile I/O ends, and users of the origin may go on. */
  private void waitUntil(String what, BooleanSupplier condition) {
    for (int i = 0; !condition.getAsBoolean(); i++) {
      if (i == MOST_STEPS_OF_A_WAIT) {
        throw new AssertionError("does not come to be: " + what);
      }
      if (machine.front().isResumed() && random.nextInt(6) == 0) {
        submit(machine.front());
      } else if (!finishOne()) {
        machine.frame.second();
        machine.frame.wake();
      }
    }
  }

  /** H1: a new instance takes the store over, while users of the origin go on. */
  private void handOver(int k) {
    SimTarget before = machine.snapshot(k);
    SimTarget after = machine.loadSnapshot(k);
    suspend(before);
    machine.use(k, after);
    after.resume();
    waitUntil(after + " has taken over", () -> before.status().equals("Invalid"));
    remove(before);
  }

  private boolean canMerge(int k) {
    String kind = plan.stores().get(k).kind();
    boolean isReadable = machine.stores.get(k).faults().isSound();
    return isReadable && !kind.equals("N") && machine.snapshot(k).status().contains("/");
  }

  /** The front becomes the merge: it takes the snapshot over, or loads what that has left. */
  private void merge(int k) {
    SimTarget snapshot = machine.snapshot(k);
    SimTarget origin = machine.front();
    suspend(origin);
    suspend(snapshot);
    if (!canMerge(k)) {
      snapshot.resume(); // It has become invalid meanwhile.
      origin.resume();
      return;
    }
    boolean isTakenOver = plan.defect() != Defect.MERGE_WITHOUT_OTHERS && random.nextBoolean();
    if (!isTakenOver) {
      remove(snapshot);
    }
    SimTarget merge = machine.loadFront(k);
    machine.forget(k);
    machine.uses[k] = Use.MERGE;
    model.merging(k);
    merge.resume();
    if (isTakenOver) {
      waitUntil(merge + " has taken over", () -> snapshot.status().equals("Invalid"));
      remove(snapshot);
    }
    remove(origin);
  }

  private void endMerge() {
    SimTarget merge = machine.front();
    int k = machine.merging();
    suspend(merge);
    machine.forget(k);
    SimTarget origin = machine.loadFront(-1);
    remove(merge);
    origin.resume();
  }

  // Ends of lives.

  /** Of some crashes the one that leaves most entries for which there is no use (O23). */
  private void crash() {
    List<SimDisk> worst = machine.events.crash(seed, random.nextInt(100));
    for (int i = 0; i < CRASHES_TO_CHOOSE_FROM; i++) {
      List<SimDisk> other = machine.events.crash(seed, random.nextInt(100));
      if (check.staleEntries(machine, other) > check.staleEntries(machine, worst)) {
        worst = other;
      }
    }
    next(worst, false);
  }

  private boolean isTearable() {
    return machine.frame.whatIsInFlight().stream()
        .anyMatch(what -> TWO_SECTORS.matcher(what).matches());
  }

  /** All is suspended and removed, in good order, and loaded again. */
  private void restart() {
    List<SimTarget> targets = machine.frame.targets();
    for (SimTarget target : targets) {
      suspend(target);
    }
    for (SimTarget target : targets) {
      remove(target);
    }
    int keepAll = machine.events.cornerCount() - 1;
    next(machine.events.crash(seed, keepAll), true);
  }

  private void next(List<SimDisk> disks, boolean isInOrder) {
    @Nullable StoreImage[] views = check.views(machine, disks);
    SnapshotMachine after = machine.afterCrash(disks, plan.defect());
    model.restarted(after, disks, views, isInOrder);
    machine.frame.close();
    machine = after;
    begin();
  }

  /** Something will fail soon. */
  private void fault() {
    int k = random.nextInt(plan.stores().size());
    SimFaults store = machine.stores.get(k).faults();
    SimFaults origin = machine.origin.faults();
    switch (random.nextInt(9)) {
      case 0, 1 -> store.failingWrites++;
      case 2 -> store.failingFlushes++;
      case 3 -> store.failingReads++;
      case 4 -> store.isFull = true;
      case 5 -> store.isDead = true;
      case 6 -> origin.failingWrites++;
      case 7 -> origin.failingReads++;
      default -> origin.failingFlushes++;
    }
  }

  /** All that was asked for is answered, is there, and is still there when loaded again. */
  private void end() {
    machine.repair();
    machine.frame.isUserBusy = false;
    rest();
    readAll();
    if (machine.merging() >= 0 && !machine.front().status().equals("Merge failed")) {
      for (int ticks = 0; !machine.isMerged() && ticks < MOST_STEPS_OF_A_WAIT; ticks++) {
        rest();
      }
      endMerge();
      readAll();
    }
    restart();
    readAll();
    model.checkAtRest();
    machine.frame.close();
  }

  private void rest() {
    machine.frame.runToRest();
    machine.frame.second();
    machine.frame.runToRest();
  }

  private void readAll() {
    for (SimTarget target : machine.frame.targets()) {
      target.read(0, target.sectors());
    }
    rest();
    model.checkAtRest();
  }
}
