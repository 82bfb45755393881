package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.sim.Choices;
import oxbow.sim.SimDisk;
import oxbow.sim.SimTarget;
import oxbow.target.snapshot.SnapshotMachine.Use;

/**
 * Aim: no order of completion breaks a promise. Method: all of them, for every choice of a few
 * requests from a menu, over an origin of four sectors and one or two snapshots; the same model as
 * for the histories, and at each step the question what a crash would leave.
 */
class SnapshotSmallWorldsTest {
  private static final int ORIGIN = -1;
  private static final int SNAPSHOT = 0;
  private static final int SECTORS = 4;

  /** A request of the menu. */
  private record Dish(int whose, Operation operation, int first, int count, int flags) {
    Dish(int whose, Operation operation, int first, int count) {
      this(whose, operation, first, count, 0);
    }

    @Override
    public String toString() {
      String fua = flags == 0 ? "" : " FUA";
      return (whose == ORIGIN ? "o " : "s ") + operation + " " + first + "+" + count + fua;
    }
  }

  private static final Dish ORIGIN_WRITE_0 = new Dish(ORIGIN, Operation.WRITE, 0, 1);
  private static final Dish ORIGIN_WRITE_1_FUA = new Dish(ORIGIN, Operation.WRITE, 1, 1, Flags.FUA);
  private static final Dish ORIGIN_WRITE_ACROSS = new Dish(ORIGIN, Operation.WRITE, 1, 2);
  private static final Dish ORIGIN_WRITE_ALL = new Dish(ORIGIN, Operation.WRITE, 0, 4);
  private static final Dish ORIGIN_DISCARD_0 = new Dish(ORIGIN, Operation.DISCARD, 0, 2);
  private static final Dish ORIGIN_READ = new Dish(ORIGIN, Operation.READ, 0, 4);
  private static final Dish ORIGIN_FLUSH = new Dish(ORIGIN, Operation.FLUSH, 0, 0);
  private static final Dish WRITE_0 = new Dish(SNAPSHOT, Operation.WRITE, 0, 1);
  private static final Dish WRITE_1_FUA = new Dish(SNAPSHOT, Operation.WRITE, 1, 1, Flags.FUA);
  private static final Dish OVERWRITE_0 = new Dish(SNAPSHOT, Operation.WRITE, 0, 2);
  private static final Dish OVERWRITE_ALL_FUA =
      new Dish(SNAPSHOT, Operation.WRITE, 0, 4, Flags.FUA);
  private static final Dish WRITE_ACROSS = new Dish(SNAPSHOT, Operation.WRITE, 1, 2);
  private static final Dish ZERO_2 = new Dish(SNAPSHOT, Operation.WRITE_ZEROES, 2, 1);
  private static final Dish READ = new Dish(SNAPSHOT, Operation.READ, 0, 2);
  private static final Dish READ_ALL = new Dish(SNAPSHOT, Operation.READ, 0, 4);
  private static final Dish FLUSH = new Dish(SNAPSHOT, Operation.FLUSH, 0, 0);

  private static final List<Dish> MENU =
      List.of(
          ORIGIN_WRITE_0,
          ORIGIN_WRITE_1_FUA,
          ORIGIN_WRITE_ACROSS,
          ORIGIN_WRITE_ALL,
          ORIGIN_DISCARD_0,
          ORIGIN_FLUSH,
          WRITE_0,
          WRITE_1_FUA,
          OVERWRITE_0,
          OVERWRITE_ALL_FUA,
          WRITE_ACROSS,
          ZERO_2,
          READ,
          READ_ALL,
          FLUSH);

  /** Where there are more orders. */
  private static final List<Dish> SHORT_MENU =
      List.of(ORIGIN_WRITE_0, WRITE_0, WRITE_1_FUA, READ, FLUSH);

  /** Of the front while a snapshot is merged. */
  private static final List<Dish> MERGE_MENU =
      List.of(ORIGIN_WRITE_0, ORIGIN_WRITE_1_FUA, ORIGIN_WRITE_ACROSS, ORIGIN_READ, ORIGIN_FLUSH);

  private static final SnapshotPlan ONE = plan(2);
  private static final SnapshotPlan TWO = plan(2, 1);

  /** Of each plan: what is in stores is looked at once. */
  private final Map<SnapshotPlan, SnapshotCrashCheck> checks = new HashMap<>();

  private int runs;

  /** Whether one completion of each run may fail. */
  private boolean mayFail;

  /** Whether it is open when a read sees its disk, and when a request comes to its core. */
  private boolean hasWhims;

  /** Whether every crash is tried before every event, not only the outermost ones. */
  private boolean triesEveryCrash;

  /** Snapshots of the whole origin with chunks of so many sectors, and room for all. */
  private static SnapshotPlan plan(int... chunkSectors) {
    List<SnapshotPlan.Store> stores = new ArrayList<>();
    for (int chunk : chunkSectors) {
      int storeSectors = (2 + SECTORS / chunk) * chunk + chunk;
      stores.add(new SnapshotPlan.Store("P", chunk, SECTORS, storeSectors, true, List.of()));
    }
    return new SnapshotPlan(SECTORS, List.copyOf(stores), Defect.NONE);
  }

  @Test
  @DisplayName("R W O E F1-F4 O20: two requests, every order of completion")
  void twoRequestsInEveryOrder() {
    explorePairs(ONE, MENU, this::active);
    assertThat(runs).isGreaterThan(3_500);
  }

  @Test
  @DisplayName("R1 R2 O2 O24: a read and a write, every order, every time of reading and coming")
  void aReadAndAWriteToTheOriginInEveryOrder() {
    hasWhims = true;
    for (Dish write : List.of(ORIGIN_WRITE_0, ORIGIN_DISCARD_0)) {
      explore(ONE, this::active, List.of(READ, write));
      explore(ONE, this::active, List.of(write, READ));
    }
    assertThat(runs).isGreaterThan(400);
  }

  @Test
  @DisplayName("R W O E F1-F4 O20: three requests, every order of completion")
  void threeRequestsInEveryOrder() {
    exploreTriples(ONE, SHORT_MENU, this::active);
    assertThat(runs).isGreaterThan(4_000);
  }

  @Test
  @DisplayName("N1 N2 O2 O7: two requests with two snapshots, every order of completion")
  void twoRequestsWithTwoSnapshotsInEveryOrder() {
    explorePairs(TWO, SHORT_MENU, this::active);
    assertThat(runs).isGreaterThan(1_000);
  }

  @Test
  @DisplayName("H3 S3 O22 C11: a snapshot begins among two requests, every order of completion")
  void aSnapshotBeginsInEveryOrder() {
    hasWhims = true;
    for (Dish before : List.of(ORIGIN_WRITE_0, ORIGIN_WRITE_ACROSS, ORIGIN_WRITE_ALL)) {
      for (Dish after : SHORT_MENU) {
        explore(ONE, this::beginning, List.of(before, after));
      }
      explore(TWO, this::beginning, List.of(before, ORIGIN_WRITE_0));
    }
    assertThat(runs).isGreaterThan(1_000);
  }

  @Test
  @DisplayName("O3 E3 F5: two requests, and any one completion fails: every order")
  void twoRequestsWithAFailureInEveryOrder() {
    mayFail = true;
    explorePairs(ONE, SHORT_MENU, this::active);
    explore(ONE, this::active, List.of(ORIGIN_WRITE_ALL, FLUSH));
    assertThat(runs).isGreaterThan(700);
  }

  @Test
  @DisplayName("M1-M9: a request while a snapshot is merged; any one completion may fail")
  void aRequestToAMergeWithAFailureInEveryOrder() {
    mayFail = true;
    for (Dish dish : MERGE_MENU) {
      explore(ONE, this::merging, List.of(dish));
    }
    assertThat(runs).isGreaterThan(1_000);
  }

  @Test
  @DisplayName("F2 F3 F5 O20 O21: two requests, every order, every crash at every event")
  void everyCrashOfTwoRequestsInEveryOrder() {
    triesEveryCrash = true;
    SnapshotPlan plan = plan(2);
    for (Dish first : List.of(ORIGIN_WRITE_0, ORIGIN_WRITE_ACROSS, WRITE_0, OVERWRITE_0)) {
      for (Dish second : List.of(ORIGIN_WRITE_0, ORIGIN_FLUSH, WRITE_1_FUA, FLUSH)) {
        explore(plan, this::active, List.of(first, second));
      }
    }
    System.out.println("snapshot, small: " + crashes() + " crash states in " + runs + " runs");
    assertThat(crashes()).isGreaterThan(5_000);
  }

  // Worlds.

  /** A machine and what may be expected of it. */
  private record World(SnapshotMachine machine, SnapshotModel model, SnapshotCrashCheck check) {
    SimTarget target(Dish dish) {
      return dish.whose == ORIGIN ? machine.front() : machine.snapshot(dish.whose);
    }

    void create(int k) {
      SimTarget snapshot = machine.loadSnapshot(k);
      machine.use(k, snapshot);
      model.activating(k);
      snapshot.resume();
    }
  }

  /** All snapshots are in use. */
  private World active(SnapshotPlan plan) {
    World world = beginning(plan);
    for (int k = 0; k < plan.stores().size(); k++) {
      world.create(k);
    }
    world.machine.frame.runToRest();
    return world;
  }

  /** Snapshots begin when the first request has been sent. */
  private World beginning(SnapshotPlan plan) {
    SnapshotMachine machine = SnapshotMachine.fresh(plan).start();
    SnapshotCrashCheck check = checks.computeIfAbsent(plan, SnapshotCrashCheck::new);
    return new World(machine, new SnapshotModel(machine), check);
  }

  /** The first snapshot has exceptions of both its chunks, and its merge has begun. */
  private World merging(SnapshotPlan plan) {
    World world = active(plan);
    SnapshotMachine machine = world.machine;
    SimTarget snapshot = machine.snapshot(0);
    SimTarget origin = machine.front();
    snapshot.write(2, 2);
    machine.frame.runToRest();
    snapshot.write(0, 1);
    origin.write(3, 1);
    machine.frame.runToRest();
    snapshot.suspend();
    origin.suspend();
    machine.frame.runToRest();
    snapshot.remove();
    origin.remove();
    machine.frame.runToRest();
    assertThat(snapshot.isRemoved() && origin.isRemoved()).isTrue();
    SimTarget merge = machine.loadFront(0);
    machine.forget(0);
    machine.uses[0] = Use.MERGE;
    world.model.merging(0);
    merge.resume();
    return world;
  }

  // Exploration.

  private void explorePairs(
      SnapshotPlan plan, List<Dish> menu, Function<SnapshotPlan, World> maker) {
    for (Dish first : menu) {
      for (Dish second : menu) {
        explore(plan, maker, List.of(first, second));
      }
    }
  }

  private void exploreTriples(
      SnapshotPlan plan, List<Dish> menu, Function<SnapshotPlan, World> maker) {
    for (Dish first : menu) {
      for (Dish second : menu) {
        for (Dish third : menu) {
          explore(plan, maker, List.of(first, second, third));
        }
      }
    }
  }

  /** Every order in which these requests are sent, one after the other, and all I/O ends. */
  private void explore(SnapshotPlan plan, Function<SnapshotPlan, World> maker, List<Dish> dishes) {
    Choices choices = new Choices();
    do {
      try {
        World world = maker.apply(plan);
        if (hasWhims) {
          world.machine.frame.decideBy(() -> choices.next(2) > 0);
        }
        if (triesEveryCrash) {
          world.machine.events.watch(disk -> tryEveryCrash(world));
        }
        run(world, dishes, choices);
        world.machine.frame.close();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(dishes + " with " + plan + ", choices " + choices, e);
      }
      runs++;
    } while (choices.advance());
  }

  private long crashes() {
    return checks.values().stream().mapToLong(SnapshotCrashCheck::crashes).sum();
  }

  private static void tryEveryCrash(World world) {
    int[] sectors = new int[1 + world.machine.plan.stores().size()];
    Arrays.fill(sectors, SnapshotMachine.SECTOR);
    try {
      world.machine.events.forEachCrash(
          sectors, images -> world.check.check(world.machine, world.model, images));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void run(World world, List<Dish> dishes, Choices choices) {
    SnapshotMachine machine = world.machine;
    int sent = 0;
    boolean hasTicked = false;
    while (true) {
      boolean canSend = sent < dishes.size() && !isBusy(world, dishes.get(sent));
      int others = machine.frame.inFlight();
      if (!canSend && others == 0) {
        if (hasTicked) {
          break;
        }
        machine.frame.second(); // What has not been committed is.
        hasTicked = true;
        continue;
      }
      int choice = choices.next(others + (canSend ? 1 : 0));
      if (choice == others) {
        send(world, dishes.get(sent++));
      } else if (mayFail && faults(machine) == 0 && mayFail(machine, choice, choices)) {
        machine.frame.fail(choice);
      } else {
        machine.frame.finish(choice);
      }
      checkOutermostCrashes(world);
    }
    assertThat(sent).isEqualTo(dishes.size());
    machine.frame.decideBy(() -> false);
    machine.frame.targets().forEach(target -> target.read(0, target.sectors()));
    machine.frame.runToRest();
    world.model.checkAtRest();
  }

  private static boolean mayFail(SnapshotMachine machine, int choice, Choices choices) {
    return machine.frame.canFail(choice) && choices.next(2) > 0;
  }

  private static int faults(SnapshotMachine machine) {
    return machine.stores.stream().mapToInt(store -> store.faults().count()).sum()
        + machine.origin.faults().count();
  }

  private static void send(World world, Dish dish) {
    SimTarget target = world.target(dish);
    target.submit(dish.operation, dish.first, dish.count, dish.flags);
    for (int k = 0; k < world.machine.uses.length && dish.whose == ORIGIN; k++) {
      if (world.machine.uses[k] == Use.NONE && world.machine.merging() < 0) {
        world.create(k);
      }
    }
  }

  /** Everything that is not durable is lost, or kept, on each disk. */
  private static void checkOutermostCrashes(World world) {
    for (int sample = 0; sample < world.machine.events.cornerCount(); sample++) {
      List<SimDisk> images = world.machine.events.crash(0, sample);
      world.model.checkAfterCrash(images, world.check.views(world.machine, images));
    }
  }

  /** Users do not send what overlaps their requests in flight. */
  private static boolean isBusy(World world, Dish dish) {
    return dish.count > 0 && world.model.isBusy(world.target(dish), dish.first, dish.count);
  }
}
