package oxbow.target.clone;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import oxbow.block.Errno;

/**
 * One seeded history: a user's requests, errors and crashes over a small {@link CloneWorld}, each
 * completion picked by the seed, all of it checked against a {@link CloneModel}.
 */
final class CloneHistory {
  private static final int STEPS = 120;

  private final Random random;
  private final boolean isFaulty;
  private CloneWorld world;
  private final CloneModel model;
  private int nextValue = 1;

  CloneHistory(long seed, Defect defect) {
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
    CloneWorld.Plan sound =
        new CloneWorld.Plan(
            sectors, regionSectors, options, (features.size() + " " + feature).strip() + hydration);
    world =
        new CloneWorld(new CloneWorld.Plan(sectors, regionSectors, options, sound.tail(), defect));
    if (random.nextBoolean()) {
      int first = random.nextInt(sectors);
      world.sourceHole(first, 1 + random.nextInt(sectors - first));
    }
    isFaulty = random.nextBoolean();
    model = new CloneModel(world);
  }

  /** Throws AssertionError when a promise is broken. */
  void run() {
    world.resume();
    for (int step = 0; step < STEPS; step++) {
      world.isUserBusy = random.nextInt(4) == 0;
      int dice = random.nextInt(20);
      if (dice < 8) {
        submit();
      } else if (dice < 17 && !world.inFlight.isEmpty()) {
        world.finish(random.nextInt(world.inFlight.size()));
      } else if (dice == 17) {
        world.second();
      } else if (random.nextInt(6) == 0) {
        crash();
      } else if (isFaulty && random.nextBoolean()) {
        fault();
      } else {
        world.wake();
      }
      model.settle();
      model.checkCrashNow();
    }
    end();
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
    long[] answered = model.answeredByNow();
    UserRequest request =
        switch (random.nextInt(12)) {
          case 0, 1, 2, 3 -> world.write(first, count, nextValue++);
          case 4 -> world.writeFua(first, count, nextValue++);
          case 5 -> world.zero(first, count);
          case 6, 7, 8 -> world.read(first, count);
          case 9 -> world.discard(first, count);
          case 10 -> world.cache(first, count);
          default -> world.flush();
        };
    model.sent(request, answered);
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
      default -> {
        world.failingCommits++;
        world.commitErrno = random.nextBoolean() ? Errno.EIO : CloneCommitter.UNREADABLE;
      }
    }
  }

  private void crash() {
    world = world.crash(random);
    model.crashed(world);
    world.resume();
  }

  /** All that was asked for is answered, and hydration that may go on comes to its end. */
  private void end() {
    world.isUserBusy = false;
    world.failingSourceReads = 0;
    world.missingBuffers = 0;
    world.badSourceSectors.clear();
    world.destination.failingWrites = 0;
    world.failingFlushes = 0;
    world.failingCommits = 0;
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
          world.destination.durable.length == world.sectors && isEveryRegionCommitted(),
          "done, but not all is committed: " + world.committed());
    }
    model.checkAtRest();
  }

  private boolean isEveryRegionCommitted() {
    return world.committed.cardinality() == world.map.regionCount();
  }
}
