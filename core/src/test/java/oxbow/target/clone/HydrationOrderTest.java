package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Aim: the regions of a replayed trace are hydrated first and in its order, then all others.
 * Method: scripted worlds of sixteen regions of four sectors, and the log of what was copied.
 */
class HydrationOrderTest {
  private static final int SECTOR = SimulatedFrame.SECTOR;

  private static CloneWorld world(int threshold, int batchSize, int... firstsAndCounts) {
    CloneWorld world =
        new CloneWorld(
            new CloneWorld.Plan(
                64,
                4,
                CloneOptions.TABLE,
                "0 4 hydration_threshold " + threshold + " hydration_batch_size " + batchSize));
    for (int i = 0; i < firstsAndCounts.length; i += 2) {
      first(world, firstsAndCounts[i], firstsAndCounts[i + 1]);
    }
    return world;
  }

  private static void first(CloneWorld world, int firstSector, int count) {
    world.core.background().takeFirst((long) firstSector * SECTOR, (long) count * SECTOR);
  }

  private static List<String> copied(CloneWorld world) {
    return world.log.stream()
        .filter(what -> what.startsWith("copy-read") || what.startsWith("extents"))
        .map(what -> what.replace("copy-read ", ""))
        .toList();
  }

  @Test
  void rangesComeFirstInTheirOrderThenTheCursor() {
    CloneWorld world = world(1, 1, 41, 2, 8, 12, 63, 1, 0, 1).resume();
    world.runToRest();
    // Nobody asks for extents before the cursor needs them.
    assertThat(copied(world))
        .startsWith("40+4", "8+4", "12+4", "16+4", "60+4", "0+4", "extents 4", "4+4", "20+4");
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.core.isDone()).isTrue();
  }

  @Test
  void neighboursOfARangeBecomeOneBatch() {
    CloneWorld world = world(8, 8, 8, 4, 12, 4, 16, 2, 16, 2, 40, 4).resume();
    world.expectInFlight("copy-read 8+12", "copy-read 40+4", "extents 0");
  }

  @Test
  void whatIsHydratedOrOwnedIsPassedOver() {
    CloneWorld world = world(3, 1, 0, 16, 32, 4).hydrated(1, 1);
    world.write(8, 4, 7);
    world.resume();
    world.expectInFlight("overwrite 8+4", "copy-read 0+4", "copy-read 12+4");
    world.runToRest();
    assertThat(copied(world)).startsWith("0+4", "12+4", "32+4", "extents 16");
  }

  @Test
  void whatFailsIsLeftToTheCursorAndTriedSingly() {
    CloneWorld world = world(4, 4, 16, 16, 48, 8);
    world.badSourceSectors.set(18);
    world.resume();
    for (int i = 0; i < 200 && world.map.hydratedCount() < 15; i++) {
      world.finishAll();
      world.wake();
    }
    assertThat(world.hydrated()).isEqualTo("1111011111111111");
    assertThat(copied(world)).startsWith("16+16", "48+8");
    world.badSourceSectors.clear();
    world.runToRest();
    assertThat(world.map.isComplete()).isTrue();
  }

  @Test
  void thresholdAndBusyUsersHoldForItToo() {
    CloneWorld world = world(1, 1, 32, 8);
    world.isUserBusy = true;
    world.resume();
    assertThat(world.inFlight).isEmpty();
    world.isUserBusy = false;
    world.second();
    world.expectInFlight("copy-read 32+4");
  }

  @Test
  void anyOrderEndsWithAllHydrated() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      CloneWorld world = world(1 + random.nextInt(5), 1 + random.nextInt(5));
      List<Integer> regions = new ArrayList<>();
      for (int i = random.nextInt(20); i > 0; i--) {
        int first = random.nextInt(64);
        first(world, first, 1 + random.nextInt(64 - first));
        regions.add(first / 4);
      }
      if (random.nextBoolean()) {
        world.sourceHole(random.nextInt(32), 32);
      }
      world.failingSourceReads = random.nextInt(3);
      world.destination.failingWrites = random.nextInt(3);
      world.resume();
      world.runToRest();
      world.second();
      world.runToRest();
      assertThat(world.map.isComplete()).as("seed %d, %s", seed, regions).isTrue();
      assertThat(world.look(0, 64)).isEqualTo(world.source);
    }
  }
}
