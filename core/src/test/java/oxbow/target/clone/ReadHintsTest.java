package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static oxbow.target.clone.CloneWorld.sourceValue;

import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.target.Mapping;

/**
 * Aim: O13, reads that hydrate what they touch; and what CACHE does to the order of hydration.
 * Method: scripted worlds of four or sixteen regions of four sectors.
 */
class ReadHintsTest {
  private static final String ON_READ = "2 no_hydration hydrate_on_read";

  private static int[] ofSource(int first, int count) {
    int[] values = new int[count];
    Arrays.setAll(values, i -> sourceValue(first + i));
    return values;
  }

  @Test
  @DisplayName("O13: off by default, a read goes to the source and hydrates nothing")
  void withoutTheFeatureAReadHydratesNothing() {
    CloneWorld world = new CloneWorld("1 no_hydration").resume();
    world.read(0, 4);
    world.expectInFlight("user READ source 0+4");
    world.runToRest();
    assertThat(world.hydrated()).isEqualTo("0000");
  }

  @Test
  @DisplayName("O13: the user is answered when its bytes have come; then the region is written")
  void aReadIsAnsweredBeforeItsRegionIsWritten() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    UserRequest read = world.read(4, 4);
    world.expectInFlight("through-read 4+4");
    world.finish("through-read");
    assertThat(read.isDoneWith(Errno.OK)).isTrue();
    assertThat(read.found).isEqualTo(ofSource(4, 4));
    world.expectInFlight("through-write 4+4");
    assertThat(world.hydrated()).isEqualTo("0000");
    world.finish("through-write");
    assertThat(world.hydrated()).isEqualTo("0100");
    assertThat(world.core.copiedBytes()).isEqualTo(4 * SimulatedFrame.SECTOR);
    world.read(4, 4);
    world.expectInFlight("user READ destination 4+4");
  }

  @Test
  @DisplayName(
      "O13: a read of part of regions waits for its own sectors alone, whole regions follow")
  void aReadWaitsForItsOwnSectorsAlone() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    UserRequest read = world.read(5, 5);
    world.expectInFlight("through-read 5+5");
    world.finish("through-read");
    assertThat(read.found).isEqualTo(ofSource(5, 5));
    world.finish("through-rest 4+8");
    world.finish("through-write 4+8");
    assertThat(world.hydrated()).isEqualTo("0110");
    assertThat(world.look(4, 8)).isEqualTo(ofSource(4, 8));
  }

  @Test
  @DisplayName("O1 O13: a write to the region waits until the read's hydration has ended")
  void aWriteWaitsForTheHydrationOfARead() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    world.read(0, 4);
    world.finish("through-read");
    UserRequest write = world.write(1, 1, 7);
    UserRequest overwrite = world.write(0, 4, 8);
    world.expectInFlight("through-write 0+4");
    world.finish("through-write");
    world.expectInFlight("user WRITE destination 1+1", "user WRITE destination 0+4");
    world.runToRest();
    assertThat(write.isDoneWith(Errno.OK) && overwrite.isDoneWith(Errno.OK)).isTrue();
  }

  @Test
  @DisplayName("R2 O13: a read of what somebody owns goes to the source at once")
  void aReadOfAnOwnedRegionGoesToTheSource() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    world.write(0, 4, 7);
    UserRequest read = world.read(0, 8);
    world.expectInFlight("overwrite 0+4", "user READ source 0+8");
    world.finish("user READ");
    assertThat(read.isDoneWith(Errno.OK)).isTrue();
    world.runToRest();
    assertThat(world.hydrated()).isEqualTo("1000");
  }

  @Test
  @DisplayName("O13: without a free buffer it is a plain read, at once, and nobody fails")
  void withoutABufferItIsAPlainRead() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    world.missingBuffers = 1;
    UserRequest read = world.read(0, 4);
    UserRequest write = world.write(0, 1, 9);
    UserRequest hint = world.cache(0, 4);
    world.expectInFlight("user READ source 0+4", "no buffer");
    world.runToRest();
    assertThat(read.isDoneWith(Errno.OK)).isTrue();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(hint.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.warnings).isEmpty();
    world.read(4, 4);
    assertThat(world.isInFlight("through-read 4+4")).as("the next one hydrates again").isTrue();
  }

  @Test
  @DisplayName("O6 O13: a missing buffer does not end what is known of a pristine destination")
  void aMissingBufferLeavesADestinationPristine() {
    CloneWorld.Plan plan =
        new CloneWorld.Plan(16, 4, new CloneOptions(false, 0, 10, true, 64), ON_READ);
    CloneWorld world = new CloneWorld(plan).resume();
    world.missingBuffers = 1;
    world.read(0, 4);
    world.runToRest();
    assertThat(world.core.isDestinationPristine()).isTrue();
    world.destination.failingWrites = 1;
    world.read(0, 4);
    world.runToRest();
    assertThat(world.core.isDestinationPristine()).isFalse();
  }

  @Test
  @DisplayName("O13: a write that fails behind the reply is a warning and a pause, not an error")
  void aFailedWriteBehindTheReplyIsNoErrorOfTheRead() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    world.destination.failingWrites = 1;
    UserRequest read = world.read(0, 4);
    world.runToRest();
    assertThat(read.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.warnings)
        .containsExactly("hydration of regions 0+1 for a read failed: Input/output error");
    assertThat(world.core.hints().failureCount()).isEqualTo(1);
    world.read(0, 4);
    world.expectInFlight("user READ source 0+4");
    world.finishAll();
    world.second();
    world.read(0, 4);
    world.runToRest();
    assertThat(world.hydrated()).isEqualTo("1000");
  }

  @Test
  @DisplayName("R3 O13: bad sectors beside the read's own fail nothing but the hydration")
  void badSectorsBesideTheReadFailItNot() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    world.badSourceSectors.set(3);
    UserRequest good = world.read(0, 3);
    world.runToRest();
    assertThat(good.isDoneWith(Errno.OK)).isTrue();
    world.second();
    UserRequest bad = world.read(3, 1);
    world.runToRest();
    assertThat(bad.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.hydrated()).isEqualTo("0000");
  }

  @Test
  @DisplayName("W6 O13: whoever waited for a read's hydration is looked at again when that fails")
  void waitersDoNotFailWithAReadsHydration() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    world.destination.failingWrites = 1;
    world.read(0, 4);
    world.finish("through-read");
    UserRequest write = world.write(0, 1, 7);
    UserRequest discard = world.discard(0, 8);
    world.runToRest();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
  }

  @Test
  @DisplayName("O13: in mode ro and while a discard waits for several regions, reads take none")
  void readsTakeNothingInReadOnlyModeOrBeforeAWideWaiter() {
    CloneWorld world = new CloneWorld(ON_READ).resume();
    world.read(0, 4);
    world.discard(0, 16);
    world.read(8, 4);
    world.expectInFlight("through-read 0+4", "user READ source 8+4");
    world.finishAll();
    CloneWorld failed = new CloneWorld(ON_READ).resume();
    failed.write(0, 4, 7);
    failed.failingCommits = 1;
    failed.finishAll();
    failed.flush();
    failed.finishAll();
    failed.read(8, 4);
    failed.expectInFlight("user READ source 8+4");
  }

  @Test
  @DisplayName("O13: regions above 1 MiB are copied beside the read, which goes to the source")
  void largeRegionsAreCopiedBesideTheRead() {
    int region = 4096;
    CloneWorld.Plan plan = new CloneWorld.Plan(2 * region, region, CloneOptions.TABLE, ON_READ);
    CloneWorld world = new CloneWorld(plan).resume();
    world.read(8, 8);
    world.expectInFlight("user READ source 8+8", "copy-read 0+4096");
    world.runToRest();
    assertThat(world.hydrated()).isEqualTo("10");
  }

  @Test
  @DisplayName("O13: a long read takes no more of a buffer than 1 MiB at a time")
  void aLongReadIsCutWhereABufferEnds() {
    CloneWorld.Plan plan = new CloneWorld.Plan(8192, 8, CloneOptions.TABLE, ON_READ);
    CloneWorld world = new CloneWorld(plan).resume();
    world.read(4, 5000);
    world.expectInFlight("through-read 4+2044", "through-read 2048+2048", "through-read 4096+908");
    world.runToRest();
    assertThat(world.map.hydratedCount()).isEqualTo(626);
  }

  @Test
  @DisplayName("O13: what a device tells of its extents is the source's word, and hydrates nothing")
  void askingForExtentsHydratesNothing() {
    CloneWorld world = new CloneWorld(ON_READ).hydrated(0, 1).resume();
    Mapping answer = new Mapping();
    world.mapper.locate(4 * SimulatedFrame.SECTOR, 8 * SimulatedFrame.SECTOR, answer);
    assertThat(answer.isRemap()).isTrue();
    assertThat(answer.slot()).isEqualTo(CloneCore.SOURCE);
    assertThat(world.inFlight).isEmpty();
  }

  @Test
  @DisplayName("O8 H1 H2: a CACHE of many regions begins at once, and the cursor stays where it is")
  void aLargeCacheGoesFirstAndLeavesTheCursor() {
    CloneWorld.Plan plan =
        new CloneWorld.Plan(
            8192, 8, CloneOptions.TABLE, "0 4 hydration_threshold 1 hydration_batch_size 1");
    CloneWorld world = new CloneWorld(plan).resume();
    world.finish("extents");
    world.expectInFlight("copy-read 0+8");
    // 512 regions, in pieces of 256: more than the threshold, and not after region 0.
    UserRequest hint = world.cache(4096, 4096);
    world.isUserBusy = true;
    world.expectInFlight("copy-read 0+8", "copy-read 4096+2048");
    while (!hint.isDone()) {
      world.finish(0);
      assertThat(world.isInFlight("copy-read 8+8")).as("H1: the background waits").isFalse();
    }
    assertThat(world.log).containsSubsequence("copy-read 4096+2048", "copy-read 6144+2048");
    assertThat(world.map.hydratedCount()).isEqualTo(1 + 512);
    world.isUserBusy = false;
    world.nudge();
    assertThat(world.isInFlight("copy-read 8+8")).as("the cursor's next region").isTrue();
    world.runToRest();
    assertThat(world.log).filteredOn(what -> what.startsWith("copy-read")).hasSize(512 + 2);
  }
}
