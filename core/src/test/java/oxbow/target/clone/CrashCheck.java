package oxbow.target.clone;

import static oxbow.target.clone.MetadataModel.assertClean;

import java.io.IOException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import oxbow.sim.SimDisk;

/**
 * Looks at what a crash would leave of a {@link CloneMachine}: the metadata is sound and shows the
 * last commit or the one that was interrupted; each sector is what the {@link CloneModel} allows;
 * and, of some crashes, the clone goes on from there to a full copy of just these contents.
 */
final class CrashCheck {
  /** One in so many crashes is hydrated to its end. */
  private static final int CRASHES_PER_HYDRATION = 32;

  private static final List<String> HYDRATE =
      List.of("0", "4", "hydration_threshold", "2", "hydration_batch_size", "2");

  /** The hydrated regions of sound metadata, by what is on its disk: seen once, known for good. */
  private final Map<Object, BitSet> sound = new HashMap<>();

  private long crashes;

  /** How many crashes have been looked at. */
  long crashes() {
    return crashes;
  }

  /**
   * Throws AssertionError when a promise is broken.
   *
   * @param images of metadata and destination
   */
  void check(CloneMachine crashed, CloneModel model, List<SimDisk> images) {
    CloneWorld world = crashed.world;
    SimDisk metadata = images.get(0);
    BitSet hydrated = sound.computeIfAbsent(metadata.contentKey(), key -> read(world, metadata));
    model.require(
        hydrated.equals(world.committed) || hydrated.equals(world.attempted),
        "a crash leaves regions %s hydrated, neither %s nor %s"
            .formatted(hydrated, world.committed, world.attempted));
    int[] found = new int[world.sectors];
    for (int i = 0; i < world.sectors; i++) {
      boolean isHydrated = hydrated.get(i / world.regionSectors);
      found[i] = isHydrated ? images.get(1).intAt((long) i * CloneWorld.SECTOR) : world.source[i];
      model.checkAfterCrash(i, found[i]);
    }
    if (crashes++ % CRASHES_PER_HYDRATION == 0) {
      hydrate(crashed, model, images, found);
    }
  }

  /** Opens what was left, lets it hydrate, and compares the destination. */
  private static void hydrate(
      CloneMachine crashed, CloneModel model, List<SimDisk> images, int[] expected) {
    CloneWorld.Plan plan = crashed.world.plan;
    CloneMachine machine =
        crashed.afterCrash(
            images.stream().map(image -> image.resized(image.sizeBytes())).toList(),
            new CloneWorld.Plan(
                plan.sectors(), plan.regionSectors(), CloneOptions.TABLE, HYDRATE, Defect.NONE));
    CloneWorld world = machine.world.resume();
    world.runToRest();
    model.require(world.core.isDone(), "hydration after a crash stops at " + world.hydrated());
    for (int i = 0; i < world.sectors; i++) {
      model.require(
          world.destination.durable(i) == expected[i],
          "sector %d: found %d after hydration, %d after the crash"
              .formatted(i, world.destination.durable(i), expected[i]));
    }
    BitSet hydrated = read(world, machine.metadataDisk);
    model.require(hydrated.cardinality() == plan.regionCount(), "hydrated: " + hydrated);
  }

  private static BitSet read(CloneWorld world, SimDisk metadata) {
    try {
      assertClean(metadata);
      return CloneMachine.hydrated(world.plan, metadata);
    } catch (IOException | AssertionError e) {
      throw new AssertionError("a crash leaves metadata that is not sound: " + e.getMessage(), e);
    }
  }
}
