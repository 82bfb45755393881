package oxbow.target.clone;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import oxbow.sim.SimDisk;

/**
 * One seeded history: a user's requests, errors and crashes over a small {@link CloneMachine}, each
 * completion picked by the seed, all of it checked against a {@link CloneModel}. Before every event
 * on a disk, and in the middle of commits too, several crashes are tried.
 */
final class CloneHistory {
  private static final int STEPS = 120;

  /** Of each cut, beside the corners. */
  private static final int RANDOM_SAMPLES = 3;

  private final long seed;
  private final Random random;
  private final boolean isFaulty;
  private CloneMachine machine;
  private CloneWorld world;
  private final CloneModel model;
  private final CrashCheck check = new CrashCheck();
  private int lives = 1;

  /** The crash of the present cut that is, or was last, looked at. */
  private int sample;

  private int nextValue = 1;

  /** While a commit runs, others go on; while the history comes to its end, nobody does. */
  private boolean isMiddleOfCommit;

  private boolean isEnding;

  CloneHistory(long seed, Defect defect) {
    this.seed = seed;
    random = new Random(seed);
    int regionSectors = 1 << random.nextInt(4);
    int sectors = regionSectors * (1 + random.nextInt(6)) + random.nextInt(regionSectors);
    CloneOptions options =
        new CloneOptions(random.nextBoolean(), 0, 10, random.nextBoolean(), 1_000_000);
    String hydration =
        " 4 hydration_threshold "
            + random.nextInt(5)
            + " hydration_batch_size "
            + random.nextInt(4);
    List<String> features = new ArrayList<>();
    for (String word : List.of("no_hydration", "no_discard_passdown", "hydrate_on_read")) {
      if (random.nextInt(3) == 0) {
        features.add(word);
      }
    }
    String feature = String.join(" ", features);
    CloneWorld.Plan plan =
        new CloneWorld.Plan(
                sectors,
                regionSectors,
                options,
                (features.size() + " " + feature).strip() + hydration)
            .with(defect);
    int[] source = CloneWorld.freshSource(sectors);
    int holeStart = random.nextInt(sectors);
    int holeEnd =
        random.nextBoolean() ? holeStart : 1 + holeStart + random.nextInt(sectors - holeStart);
    Arrays.fill(source, holeStart, holeEnd, 0);
    machine = CloneMachine.fresh(plan, source);
    world = machine.world;
    isFaulty = random.nextBoolean();
    model = new CloneModel(world);
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
      throw new AssertionError(
          "life %d, event %d, sample %d: %s"
              .formatted(lives, machine.events.cut(), sample, e.getMessage()),
          e);
    }
  }

  private void live() {
    begin();
    if (isFaulty) {
      fault();
    }
    for (int step = 0; step < STEPS; step++) {
      step();
    }
    end();
  }

  private void begin() {
    machine.events.watch(this::powerMayFail);
    world.resume();
  }

  /** Called before each event on a disk. Others go on while a commit waits for the metadata. */
  private void powerMayFail(SimDisk disk) {
    model.settle();
    // With nothing pending there is only one way to crash.
    int samples = machine.events.hasPending() ? machine.events.cornerCount() + RANDOM_SAMPLES : 1;
    for (sample = 0; sample < samples; sample++) {
      check.check(machine, model, machine.events.crash(seed, sample));
    }
    if (disk == machine.metadataDisk && !isMiddleOfCommit && !isEnding) {
      isMiddleOfCommit = true;
      for (int i = random.nextInt(3); i > 0; i--) {
        step();
      }
      isMiddleOfCommit = false;
    }
  }

  private void step() {
    world.isUserBusy = random.nextInt(4) == 0;
    int dice = random.nextInt(20);
    if (dice < 8) {
      submit();
    } else if (dice < 17 && !world.inFlight.isEmpty()) {
      world.finish(random.nextInt(world.inFlight.size()));
    } else if (dice == 17) {
      world.second();
    } else if (random.nextInt(6) == 0 && !isMiddleOfCommit) {
      crash();
    } else if (isFaulty && random.nextBoolean()) {
      fault();
    } else {
      world.wake();
    }
    model.settle();
  }

  private void submit() {
    int first = random.nextInt(world.sectors);
    int most = Math.min(world.sectors - first, 3 * world.regionSectors);
    int count = 1 + random.nextInt(most);
    if (random.nextInt(3) == 0) {
      first -= first % world.regionSectors;
      count = Math.min(world.regionSectors, world.sectors - first);
    }
    if (model.isBusy(first, count)) {
      return;
    }
    switch (random.nextInt(12)) {
      case 0, 1, 2, 3 -> world.write(first, count, nextValue++);
      case 4 -> world.writeFua(first, count, nextValue++);
      case 5 -> world.zero(first, count);
      case 6, 7, 8 -> world.read(first, count);
      case 9 -> world.discard(first, count);
      case 10 -> world.cache(first, count);
      default -> world.flush();
    }
  }

  /** Something will fail soon; commits and flushes rarely, since the mode never comes back. */
  private void fault() {
    switch (random.nextInt(10)) {
      case 0, 1, 2 -> world.failingSourceReads++;
      case 3, 4, 5 -> world.destination.failingWrites++;
      case 6 -> {
        world.failingExtents++;
        world.missingBuffers++;
      }
      case 7 -> world.badSourceSectors.set(random.nextInt(world.sectors));
      case 8 -> world.failingFlushes++;
      default -> machine.failMetadata(random.nextInt(12), random.nextInt(3));
    }
  }

  private void crash() {
    machine = machine.afterCrash(machine.events.crash(seed, random.nextInt(100)));
    world = machine.world;
    model.crashed(world);
    lives++;
    begin();
  }

  /** All that was asked for is answered, and hydration that may go on comes to its end. */
  private void end() {
    isEnding = true;
    machine.metadataDisk.repair();
    world.isUserBusy = false;
    world.failingSourceReads = 0;
    world.missingBuffers = 0;
    world.badSourceSectors.clear();
    world.destination.failingWrites = 0;
    world.failingFlushes = 0;
    world.runToRest();
    world.second();
    world.runToRest();
    model.checkAtRest();
    boolean mayHydrate =
        world.core.background().isEnabled()
            && !world.core.pace().isStopped()
            && world.core.mode() == CloneMode.READ_WRITE;
    if (mayHydrate) {
      world.second();
      world.runToRest();
      model.require(world.map.isComplete(), "hydration never ends: " + world.hydrated());
      model.require(world.core.isDone(), "all regions are hydrated, but it is not done");
      model.require(
          world.committed.cardinality() == world.map.regionCount(),
          "done, but not all is committed: " + world.committed());
    }
    model.checkAtRest();
  }
}
