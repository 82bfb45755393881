package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.sim.Choices;
import oxbow.sim.SimDisk;

/**
 * Aim: no order of completion breaks a promise. Method: all of them, for every choice of a few
 * requests from a menu, over two regions of two sectors; the same model as for the histories, and
 * at each step the question what a crash would leave.
 */
class CloneSmallWorldsTest {
  private static final CloneOptions PRISTINE = new CloneOptions(false, 0, 10, true, 64);

  /** A request of the menu; each has its own value to write. */
  private record Dish(String name, int first, int count, Sender sender) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Sends a request into a world. */
  private interface Sender {
    UserRequest send(CloneWorld world, int value);
  }

  private static final Dish WRITE_0 = new Dish("w0", 0, 1, (w, value) -> w.write(0, 1, value));
  private static final Dish WRITE_1_FUA =
      new Dish("w1 fua", 1, 1, (w, value) -> w.writeFua(1, 1, value));
  private static final Dish OVERWRITE_0 =
      new Dish("w0-1", 0, 2, (w, value) -> w.write(0, 2, value));
  private static final Dish OVERWRITE_0_FUA =
      new Dish("w0-1 fua", 0, 2, (w, value) -> w.writeFua(0, 2, value));
  private static final Dish WRITE_ACROSS =
      new Dish("w1-2", 1, 2, (w, value) -> w.write(1, 2, value));
  private static final Dish WRITE_3 = new Dish("w3", 3, 1, (w, value) -> w.write(3, 1, value));
  private static final Dish ZERO_1 = new Dish("z1", 1, 1, (w, value) -> w.zero(1, 1));
  private static final Dish ZERO_ALL = new Dish("z0-3", 0, 4, (w, value) -> w.zero(0, 4));
  private static final Dish DISCARD_0 = new Dish("d0-1", 0, 2, (w, value) -> w.discard(0, 2));
  private static final Dish DISCARD_1 = new Dish("d2-3", 2, 2, (w, value) -> w.discard(2, 2));
  private static final Dish HINT = new Dish("c0-3", 0, 0, (w, value) -> w.cache(0, 4));
  private static final Dish READ = new Dish("r0-1", 0, 2, (w, value) -> w.read(0, 2));
  private static final Dish READ_ACROSS = new Dish("r1-2", 1, 2, (w, value) -> w.read(1, 2));
  private static final Dish FLUSH = new Dish("flush", 0, 0, (w, value) -> w.flush());

  private static final List<Dish> MENU =
      List.of(
          WRITE_0,
          WRITE_1_FUA,
          OVERWRITE_0,
          OVERWRITE_0_FUA,
          WRITE_ACROSS,
          WRITE_3,
          ZERO_1,
          ZERO_ALL,
          DISCARD_0,
          DISCARD_1,
          HINT,
          READ,
          FLUSH);

  /** Where a background adds its own orders, there are enough of them. */
  private static final List<Dish> SHORT_MENU =
      MENU.stream()
          .filter(dish -> !List.of(READ, WRITE_3, ZERO_1, DISCARD_1).contains(dish))
          .toList();

  /** Where every crash is tried as well. */
  private static final List<Dish> CRASH_MENU =
      List.of(WRITE_0, WRITE_1_FUA, OVERWRITE_0_FUA, WRITE_ACROSS, ZERO_ALL, DISCARD_0, FLUSH);

  /** Metadata is lost or kept by blocks, which are sound or not as a whole; data by sectors. */
  private static final int[] PIECES = {4096, 512};

  private final CrashCheck crashes = new CrashCheck();
  private int runs;

  /** Whether one completion of each run may fail. */
  private boolean mayFail;

  @Test
  @DisplayName("R W D F M O1-O7: three requests, every order of completion, no background")
  void threeRequestsInEveryOrderWithoutBackground() {
    CloneWorld.Plan plan = new CloneWorld.Plan(4, 2, CloneOptions.TABLE, "1 no_hydration");
    exploreTriples(plan, MENU);
    assertThat(runs).isGreaterThan(40_000);
  }

  @Test
  @DisplayName("R W D F M H O1-O7: two requests, every order of completion, with background")
  void twoRequestsInEveryOrderWithBackground() {
    String tail = "0 4 hydration_threshold 2 hydration_batch_size 1";
    for (String features : List.of(tail, tail.replace("0 4", "1 no_discard_passdown 4"))) {
      CloneWorld.Plan plan = new CloneWorld.Plan(4, 2, CloneOptions.TABLE, features);
      explorePairs(plan, MENU, CloneWorld::new);
    }
    assertThat(runs).isGreaterThan(10_000);
  }

  @Test
  @DisplayName("R W D F M H O1-O7: three requests, every order, with both regions as one batch")
  void threeRequestsInEveryOrderWithABatch() {
    CloneWorld.Plan plan =
        new CloneWorld.Plan(
            4, 2, CloneOptions.TABLE, "0 4 hydration_threshold 2 hydration_batch_size 2");
    exploreTriples(plan, SHORT_MENU);
    assertThat(runs).isGreaterThan(200_000);
  }

  @Test
  @DisplayName("O13 R W D F M O1-O7: three requests where reads hydrate, every order of completion")
  void threeRequestsInEveryOrderWhereReadsHydrate() {
    CloneWorld.Plan plan =
        new CloneWorld.Plan(4, 2, CloneOptions.TABLE, "2 no_hydration hydrate_on_read");
    List<Dish> menu =
        List.of(READ, READ_ACROSS, WRITE_0, OVERWRITE_0_FUA, WRITE_ACROSS, DISCARD_0, HINT, FLUSH);
    for (Dish read : List.of(READ, READ_ACROSS)) {
      for (Dish second : menu) {
        for (Dish third : menu) {
          explore(plan, CloneWorld::new, List.of(read, second, third));
          explore(plan, CloneSmallWorldsTest::withoutABuffer, List.of(read, second, third));
        }
      }
    }
    assertThat(runs).isGreaterThan(10_000);
  }

  @Test
  @DisplayName("R W D F M H O1-O7: three requests to one region that is being copied as one batch")
  void threeRequestsToARegionBeingCopied() {
    CloneWorld.Plan plan =
        new CloneWorld.Plan(
            2, 2, CloneOptions.TABLE, "0 4 hydration_threshold 1 hydration_batch_size 1");
    List<Dish> menu =
        List.of(WRITE_0, WRITE_1_FUA, OVERWRITE_0, OVERWRITE_0_FUA, ZERO_1, DISCARD_0, READ, FLUSH);
    exploreTriples(plan, menu);
    assertThat(runs).isGreaterThan(10_000);
  }

  @Test
  @DisplayName("O6: two requests over a source hole, pristine or not, every order of completion")
  void twoRequestsOverAHoleInEveryOrder() {
    for (CloneOptions options : List.of(CloneOptions.TABLE, PRISTINE)) {
      CloneWorld.Plan plan =
          new CloneWorld.Plan(4, 2, options, "0 4 hydration_threshold 2 hydration_batch_size 2");
      explorePairs(plan, MENU, it -> new CloneWorld(it).sourceHole(1, 3));
    }
    assertThat(runs).isGreaterThan(10_000);
  }

  @Test
  @DisplayName("W6 W7 O2 O3 M5: three requests, and any one completion fails: every order")
  void threeRequestsWithAFailureInEveryOrder() {
    mayFail = true;
    CloneWorld.Plan plan = new CloneWorld.Plan(4, 2, CloneOptions.TABLE, "1 no_hydration");
    exploreTriples(plan, MENU);
    assertThat(runs).isGreaterThan(200_000);
  }

  @Test
  @DisplayName("O13 W6 O2 M5: two requests where reads hydrate, and any one completion fails")
  void twoRequestsWhereReadsHydrateWithAFailureInEveryOrder() {
    mayFail = true;
    CloneWorld.Plan plan =
        new CloneWorld.Plan(4, 2, CloneOptions.TABLE, "2 no_hydration hydrate_on_read");
    for (Dish read : List.of(READ, READ_ACROSS)) {
      for (Dish second : MENU) {
        explore(plan, CloneWorld::new, List.of(read, second, FLUSH));
      }
    }
    assertThat(runs).isGreaterThan(1_000);
  }

  @Test
  @DisplayName("W6 H5 O2 O3 O6 O9 M5: a request and a flush with background, and any one fails")
  void aRequestWithBackgroundAndAFailureInEveryOrder() {
    mayFail = true;
    CloneWorld.Plan plan =
        new CloneWorld.Plan(
            4, 2, CloneOptions.TABLE, "0 4 hydration_threshold 2 hydration_batch_size 2");
    for (Dish dish : List.of(WRITE_0, WRITE_1_FUA, OVERWRITE_0, DISCARD_0, READ)) {
      List<Dish> dishes = List.of(dish, FLUSH);
      explore(plan, CloneWorld::new, dishes);
      explore(plan.with(PRISTINE), it -> new CloneWorld(it).sourceHole(0, 3), dishes);
    }
    assertThat(runs).isGreaterThan(10_000);
  }

  @Test
  @DisplayName("M1 M2 F1-F5 D6 O1-O7: two requests, every order, every crash at every event")
  void everyCrashOfTwoRequestsInEveryOrder() {
    CloneWorld.Plan plan = new CloneWorld.Plan(4, 2, CloneOptions.TABLE, "1 no_hydration");
    for (Dish first : CRASH_MENU) {
      for (Dish second : CRASH_MENU) {
        exploreCrashes(plan, List.of(first, second));
      }
    }
    System.out.println("clone, small: " + crashes.crashes() + " crash states in " + runs + " runs");
    assertThat(crashes.crashes()).isGreaterThan(100_000);
  }

  /** One read finds no buffer free. */
  private static CloneWorld withoutABuffer(CloneWorld.Plan plan) {
    CloneWorld world = new CloneWorld(plan);
    world.missingBuffers = 1;
    return world;
  }

  private void explorePairs(
      CloneWorld.Plan plan, List<Dish> menu, Function<CloneWorld.Plan, CloneWorld> maker) {
    for (Dish first : menu) {
      for (Dish second : menu) {
        explore(plan, maker, List.of(first, second));
      }
    }
  }

  private void exploreTriples(CloneWorld.Plan plan, List<Dish> menu) {
    for (Dish first : menu) {
      for (Dish second : menu) {
        for (Dish third : menu) {
          explore(plan, CloneWorld::new, List.of(first, second, third));
        }
      }
    }
  }

  /** Every order in which these requests are sent, one after the other, and all I/O ends. */
  private void explore(
      CloneWorld.Plan plan, Function<CloneWorld.Plan, CloneWorld> maker, List<Dish> dishes) {
    explore(
        plan,
        dishes,
        choices -> {
          CloneWorld world = maker.apply(plan);
          CloneModel model = new CloneModel(world);
          run(world, model, dishes, choices);
        });
  }

  /** The same on a whole machine; before each event on a disk, every crash. */
  private void exploreCrashes(CloneWorld.Plan plan, List<Dish> dishes) {
    explore(
        plan,
        dishes,
        choices -> {
          CloneMachine machine = CloneMachine.fresh(plan, CloneWorld.freshSource(plan.sectors()));
          CloneModel model = new CloneModel(machine.world);
          machine.events.watch(disk -> powerMayFail(machine, model, disk, choices));
          run(machine.world, model, dishes, choices);
        });
  }

  private void powerMayFail(CloneMachine machine, CloneModel model, SimDisk disk, Choices choices) {
    model.settle();
    try {
      machine.events.forEachCrash(PIECES, images -> crashes.check(machine, model, images));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // While a commit waits for the metadata, other I/O may end.
    int others = machine.world.inFlight.size();
    if (disk == machine.metadataDisk && others > 0) {
      int choice = choices.next(others + 1);
      if (choice > 0) {
        machine.world.finish(choice - 1);
      }
    }
  }

  private void explore(CloneWorld.Plan plan, List<Dish> dishes, Consumer<Choices> run) {
    Choices choices = new Choices();
    do {
      try {
        run.accept(choices);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(dishes + " with " + plan + ", choices " + choices, e);
      }
      runs++;
    } while (choices.advance());
  }

  private void run(CloneWorld world, CloneModel model, List<Dish> dishes, Choices choices) {
    List<UserRequest> sent = new ArrayList<>();
    world.resume();
    while (true) {
      boolean canSend = sent.size() < dishes.size() && !isBusy(model, dishes.get(sent.size()));
      if (!canSend && world.inFlight.isEmpty()) {
        world.second();
        model.settle();
        if (world.inFlight.isEmpty()) {
          assertThat(sent).hasSize(dishes.size());
          model.checkAtRest();
          return;
        }
      }
      int others = world.inFlight.size();
      int choice = choices.next(others + (canSend ? 1 : 0));
      if (choice == others) {
        sent.add(dishes.get(sent.size()).sender.send(world, sent.size() + 1));
      } else if (mayFail && !world.hadFaults() && world.canFail(choice) && choices.next(2) > 0) {
        world.fail(choice);
      } else {
        world.finish(choice);
      }
      model.settle();
      model.checkCrashNow();
    }
  }

  /** The user does not send what overlaps a request in flight. */
  private static boolean isBusy(CloneModel model, Dish dish) {
    return dish.count > 0 && model.isBusy(dish.first, dish.count);
  }
}
