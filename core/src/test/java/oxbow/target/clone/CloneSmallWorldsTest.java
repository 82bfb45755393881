package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Aim: no order of completion breaks a promise. Method: all of them, for every choice of a few
 * requests from a menu, over two regions of two sectors; the same model as for the histories, and
 * at each step the question what a crash would leave.
 *
 * <p>A path is a list of choices; after each run the last choice that has an alternative takes it.
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

  private final int[] path = new int[128];
  private final int[] alternatives = new int[128];
  private int runs;

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
      for (Dish first : MENU) {
        for (Dish second : MENU) {
          explore(plan, CloneWorld::new, List.of(first, second));
        }
      }
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
          explore(plan, it -> failing(it, w -> w.missingBuffers = 1), List.of(read, second, third));
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
      for (Dish first : MENU) {
        for (Dish second : MENU) {
          explore(plan, it -> new CloneWorld(it).sourceHole(1, 3), List.of(first, second));
        }
      }
    }
    assertThat(runs).isGreaterThan(10_000);
  }

  @Test
  @DisplayName("W6 O2 M5: two requests while one write, or one commit, fails: every order")
  void twoRequestsWithAFailureInEveryOrder() {
    CloneWorld.Plan plan =
        new CloneWorld.Plan(4, 2, CloneOptions.TABLE, "2 no_hydration hydrate_on_read");
    List<Function<CloneWorld.Plan, CloneWorld>> failures =
        List.of(
            it -> failing(it, world -> world.destination.failingWrites = 1),
            it -> failing(it, world -> world.failingSourceReads = 1),
            it -> failing(it, world -> world.failingFlushes = 1),
            it -> failing(it, world -> world.failingCommits = 1));
    for (Function<CloneWorld.Plan, CloneWorld> failure : failures) {
      for (Dish first : MENU) {
        for (Dish second : MENU) {
          explore(plan, failure, List.of(first, second, FLUSH));
        }
      }
    }
    assertThat(runs).isGreaterThan(10_000);
  }

  private static CloneWorld failing(CloneWorld.Plan plan, Consumer<CloneWorld> failure) {
    CloneWorld world = new CloneWorld(plan);
    failure.accept(world);
    return world;
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
    int length = 0;
    do {
      try {
        length = run(maker.apply(plan), dishes, length);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(
            dishes + " with " + plan + ", choices " + Arrays.toString(Arrays.copyOf(path, length)),
            e);
      }
      runs++;
      while (length > 0 && path[length - 1] + 1 == alternatives[length - 1]) {
        length--;
      }
      if (length > 0) {
        path[length - 1]++;
      }
    } while (length > 0);
  }

  /** Follows the path as far as it is given, then always the first way; returns how long it is. */
  private int run(CloneWorld world, List<Dish> dishes, int given) {
    CloneModel model = new CloneModel(world);
    List<UserRequest> sent = new ArrayList<>();
    world.resume();
    for (int step = 0; ; step++) {
      int waiting = world.inFlight.size();
      boolean canSend = sent.size() < dishes.size() && !isBusy(model, dishes.get(sent.size()));
      int ways = waiting + (canSend ? 1 : 0);
      if (ways == 0) {
        world.second();
        model.settle();
        if (world.inFlight.isEmpty()) {
          assertThat(sent).hasSize(dishes.size());
          model.checkAtRest();
          return step;
        }
        ways = world.inFlight.size();
        waiting = ways;
      }
      if (step >= given) {
        path[step] = 0;
      }
      alternatives[step] = ways;
      if (path[step] < waiting) {
        world.finish(path[step]);
      } else {
        long[] answered = model.answeredByNow();
        UserRequest request = dishes.get(sent.size()).sender.send(world, sent.size() + 1);
        sent.add(request);
        model.sent(request, answered);
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
