package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static oxbow.target.clone.CloneWorld.sourceValue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;

/**
 * Aim: sections 8 and 9 of the clone's rules, as O6, O8 and O9 amend them. Method: scripted worlds
 * of sixteen regions of four sectors.
 */
class CloneHydrationTest {
  private static final CloneOptions PRISTINE = new CloneOptions(false, 0, 10, true, 64);

  private static CloneWorld.Plan plan(int threshold, int batchSize) {
    return new CloneWorld.Plan(
        64,
        4,
        CloneOptions.TABLE,
        "0 4 hydration_threshold " + threshold + " hydration_batch_size " + batchSize);
  }

  private static CloneWorld world(int threshold, int batchSize) {
    return new CloneWorld(plan(threshold, batchSize));
  }

  /** Resumed, and the source has told that all of it is data. */
  private static CloneWorld running(int threshold, int batchSize) {
    CloneWorld world = world(threshold, batchSize).resume();
    world.finish("extents");
    return world;
  }

  private static void finishCopy(CloneWorld world) {
    world.finish("copy-read");
    world.finish("copy-write");
  }

  @Test
  @DisplayName("C12 Z3: nothing is hydrated before the first resume, then at once")
  void nothingBeforeTheFirstResume() {
    CloneWorld world = world(1, 1);
    world.second();
    world.nudge();
    assertThat(world.inFlight).isEmpty();
    world.resume();
    world.expectInFlight("extents 0");
  }

  @Test
  @DisplayName("C6: with no_hydration nothing is hydrated until it is enabled")
  void noHydrationMeansNoneUntilEnabled() {
    CloneWorld world = new CloneWorld("1 no_hydration").resume();
    world.second();
    assertThat(world.inFlight).isEmpty();
    world.core.background().enable();
    world.nudge();
    world.runToRest();
    assertThat(world.hydrated()).isEqualTo("1111");
  }

  @Test
  @DisplayName("C12: disabling starts no more, and lets what is in flight end")
  void disablingLetsCopiesInFlightEnd() {
    CloneWorld world = running(2, 1);
    world.core.background().disable();
    world.finishAll();
    assertThat(world.hydrated()).isEqualTo("1100000000000000");
  }

  @Test
  @DisplayName(
      "H1 H7: nothing starts while the user is busy; at the latest at the next tick it does")
  void nothingStartsWhileTheUserIsBusy() {
    CloneWorld world = running(1, 1);
    world.isUserBusy = true;
    finishCopy(world);
    world.second();
    assertThat(world.isInFlight("copy")).isFalse();
    world.isUserBusy = false;
    world.second();
    world.finish("flush");
    assertThat(world.isInFlight("copy-read 4+4")).isTrue();
  }

  @Test
  @DisplayName("H1 O6: neither do holes that must be zeroed; those known to be zero cost nothing")
  void holesThatMustBeZeroedWaitForTheUserToo() {
    CloneWorld world = world(1, 1).sourceHole(0, 64).resume();
    world.isUserBusy = true;
    world.finish("extents");
    assertThat(world.inFlight).isEmpty();
    world.isUserBusy = false;
    world.second();
    world.expectInFlight("range WRITE_ZEROES 0+64");
  }

  @Test
  @DisplayName("H2: the cursor scans upward over what is hydrated or somebody's, and starts over")
  void theCursorScansUpwardAndStartsOver() {
    CloneWorld world = world(2, 1).hydrated(1, 2);
    world.write(0, 4, 7);
    world.write(12, 4, 7);
    world.destination.failingWrites = 1;
    world.resume();
    world.core.pace().setThreshold(4);
    world.finish("extents");
    assertThat(world.isInFlight("copy-read 16+4")).isTrue();
    assertThat(world.isInFlight("copy-read 20+4")).isTrue();
    world.finish("overwrite 0+4");
    world.finishAll();
    // Region 0 failed as the user's; the background comes back to it after the last region.
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.log.lastIndexOf("copy-read 0+4"))
        .isGreaterThan(world.log.indexOf("copy-read 60+4"));
  }

  @Test
  @DisplayName("H3: so many regions at once, from any cause, and no more")
  void thresholdCountsRegionsInFlightFromAnyCause() {
    CloneWorld world = world(3, 1);
    world.write(0, 4, 7);
    world.write(5, 1, 7);
    world.resume();
    world.finish("extents");
    assertThat(world.core.regionsInFlight()).isEqualTo(3);
    assertThat(world.isInFlight("copy-read 8+4")).isTrue();
    world.finish("overwrite");
    assertThat(world.core.regionsInFlight()).isEqualTo(3);
    assertThat(world.isInFlight("copy-read 12+4")).isTrue();
  }

  @Test
  @DisplayName("H3: a threshold of 0 stops it, raising the threshold starts it again")
  void aThresholdOfZeroStopsIt() {
    CloneWorld world = running(1, 1);
    world.core.pace().setThreshold(0);
    world.nudge();
    world.finishAll();
    world.second();
    world.finishAll();
    assertThat(world.hydrated()).isEqualTo("1000000000000000");
    world.core.pace().setThreshold(2);
    world.nudge();
    world.expectInFlight("copy-read 4+4", "copy-read 8+4");
    world.core.pace().setThreshold(4);
    world.nudge();
    assertThat(world.inFlight).hasSize(4);
  }

  @Test
  @DisplayName(
      "H4: a batch ends at the threshold, at a region that is not adjacent, and at its size")
  void aBatchEndsEarly() {
    CloneWorld world = world(8, 4).hydrated(6, 1).resume();
    world.finish("extents");
    world.expectInFlight("copy-read 0+16", "copy-read 16+8", "copy-read 28+8");
    CloneWorld small = running(3, 8);
    small.expectInFlight("copy-read 0+12");
  }

  @Test
  @DisplayName("H4: a batch size of 0 means 1")
  void aBatchSizeOfZeroMeansOne() {
    running(2, 0).expectInFlight("copy-read 0+4", "copy-read 4+4");
  }

  @Test
  @DisplayName("H4 O1: a batch ends before a region that somebody else owns")
  void aBatchEndsBeforeARegionInFlight() {
    CloneWorld world = world(16, 8);
    world.write(12, 4, 7);
    world.resume();
    world.finish("extents");
    world.expectInFlight("overwrite 12+4", "copy-read 0+12", "copy-read 16+32", "copy-read 48+16");
  }

  @Test
  @DisplayName("H5 O9: a failed batch is retried region by region; one bad sector costs one region")
  void aFailedBatchIsRetriedSingly() {
    CloneWorld world = world(16, 8);
    world.badSourceSectors.set(14);
    world.resume();
    world.finishAll();
    assertThat(world.hydrated()).isEqualTo("1110111111111111");
    assertThat(world.core.background().failureCount()).isEqualTo(1);
    assertThat(world.warnings).hasSize(1).first().asString().contains("region 3");
  }

  @Test
  @DisplayName("H5 O9: several failed batches at once come down to their bad regions as well")
  void severalFailedBatchesComeDownToTheirBadRegions() {
    CloneWorld world = world(16, 4);
    world.badSourceSectors.set(0);
    world.badSourceSectors.set(20);
    world.badSourceSectors.set(40);
    world.badSourceSectors.set(63);
    world.resume();
    world.finishAll();
    assertThat(world.hydrated()).isEqualTo("0111101111011110");
  }

  @Test
  @DisplayName("O9 H6: a failing region backs off, doubling, and is hydrated once it can be read")
  void aFailingRegionBacksOff() {
    CloneWorld world = world(16, 1);
    world.badSourceSectors.set(14);
    world.resume();
    world.finishAll();
    long last = 0;
    for (int i = 0; i < 6; i++) {
      long failedAt = world.nowNanos;
      assertThat(world.inFlight).isEmpty();
      assertThat(world.wake()).isTrue();
      long delay = world.nowNanos - failedAt;
      assertThat(delay).isGreaterThan(last + last / 2);
      last = delay;
      world.expectInFlight("copy-read 12+4");
      world.finishAll();
      world.log.removeIf(line -> line.startsWith("warning"));
    }
    assertThat(world.core.background().failureCount()).isEqualTo(7);
    world.badSourceSectors.clear();
    world.runToRest();
    assertThat(world.map.isComplete()).isTrue();
  }

  @Test
  @DisplayName("O9: after so many failures in a row it pauses with an event that says why")
  void afterTooManyFailuresItPausesWithAnEvent() {
    CloneWorld world = new CloneWorld(plan(1, 1).with(new CloneOptions(false, 0, 10, false, 5)));
    world.badSourceSectors.set(0, 64);
    world.resume();
    world.runToRest();
    assertThat(world.core.background().pausedReason()).contains("5 copies in a row");
    assertThat(world.events)
        .hasSize(1)
        .first()
        .asString()
        .startsWith("hydration paused: 5 copies in a row failed")
        .contains(Errno.describe(Errno.EIO));
    world.second();
    assertThat(world.inFlight).isEmpty();
    assertThat(world.core.background().isEnabled()).isTrue();
  }

  @Test
  @DisplayName("O9: enable_hydration starts a paused hydration again, and tries everything at once")
  void enablingStartsAPausedHydrationAgain() {
    CloneWorld world = new CloneWorld(plan(1, 1).with(new CloneOptions(false, 0, 10, false, 5)));
    world.badSourceSectors.set(0, 64);
    world.resume();
    world.runToRest();
    world.badSourceSectors.clear();
    world.core.background().enable();
    world.nudge();
    assertThat(world.core.background().pausedReason()).isNull();
    world.finishAll();
    assertThat(world.map.isComplete()).isTrue();
  }

  @Test
  @DisplayName("O9: hydration that paused because the source was away goes on when it is back")
  void hydrationThatPausedWithoutTheSourceGoesOnWhenItIsBack() {
    CloneWorld world = new CloneWorld(plan(1, 1).with(new CloneOptions(false, 0, 10, false, 5)));
    world.badSourceSectors.set(0, 64);
    world.isSourceAway = true;
    world.resume();
    world.runToRest();
    assertThat(world.core.background().pausedReason()).contains("5 copies in a row");
    world.second();
    assertThat(world.inFlight).as("still away").isEmpty();
    world.badSourceSectors.clear();
    world.isSourceAway = false;
    world.second();
    assertThat(world.core.background().pausedReason()).isNull();
    assertThat(world.events).hasSize(2).last().isEqualTo("hydration goes on: the source is back");
    world.finishAll();
    assertThat(world.map.isComplete()).isTrue();
  }

  @Test
  @DisplayName("O9: what failed while the source was away is tried at once when it is back")
  void whatFailedWithoutTheSourceIsTriedAtOnceWhenItIsBack() {
    CloneWorld world = world(16, 1);
    world.badSourceSectors.set(14);
    world.isSourceAway = true;
    world.resume();
    world.finishAll();
    for (int i = 0; i < 5; i++) {
      assertThat(world.wake()).isTrue();
      world.finishAll();
    }
    world.second();
    world.finishAll();
    assertThat(world.core.background().failureCount()).as("backs off for seconds").isEqualTo(6);
    world.isSourceAway = false;
    world.second();
    world.expectInFlight("copy-read 12+4");
    world.finishAll();
    assertThat(world.wake()).isTrue();
    world.finishAll();
    assertThat(world.core.background().failureCount()).isEqualTo(8);
  }

  @Test
  @DisplayName("O9: no run takes along a region that has failed and waits for its next turn")
  void noRunTakesAlongARegionThatMustWait() {
    CloneWorld world = world(16, 8);
    world.badSourceSectors.set(14);
    UserRequest write = world.write(9, 1, 7);
    world.resume();
    world.finish("extents");
    while (world.isInFlight("copy-read") || world.isInFlight("copy-write")) {
      world.finish(world.isInFlight("copy-read") ? "copy-read" : "copy-write");
    }
    assertThat(world.hydrated()).isEqualTo("1100111111111111");
    // Region 2 is the background's again, beside region 3, which failed a moment ago.
    world.badSourceSectors.set(8);
    world.finish("merge-read");
    assertThat(write.isDoneWith(Errno.EIO)).isTrue();
    world.expectInFlight("copy-read 8+4");
  }

  @Test
  @DisplayName("O9: writes that wait for a region of a failed batch are done on their own")
  void writesThatWaitForAFailedBatchAreDoneOnTheirOwn() {
    CloneWorld world = world(16, 8);
    world.badSourceSectors.set(14);
    world.resume();
    world.finish("extents");
    UserRequest good = world.write(5, 1, 7);
    UserRequest bad = world.write(13, 1, 7);
    UserRequest whole = world.write(12, 4, 8);
    world.runToRestUntil(() -> whole.isDone());
    assertThat(good.isDoneWith(Errno.OK)).isTrue();
    assertThat(bad.isDoneWith(Errno.EIO)).isTrue();
    assertThat(whole.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 2)).containsExactly(sourceValue(4), 7);
  }

  @Test
  @DisplayName("H8: the copy of the last region is cut at the end of the device")
  void theLastCopyIsCutAtTheEndOfTheDevice() {
    CloneWorld world =
        new CloneWorld(
                new CloneWorld.Plan(
                    14, 4, CloneOptions.TABLE, "0 4 hydration_threshold 8 hydration_batch_size 8"))
            .resume();
    world.finish("extents");
    world.expectInFlight("copy-read 0+14");
    world.finishAll();
    assertThat(world.hydrated()).isEqualTo("1111");
  }

  @Test
  @DisplayName("H9: a byte rate limits copying, and the wait for it is asked for")
  void aByteRateLimitsCopying() {
    // One region of 2 KiB per second.
    CloneWorld world =
        new CloneWorld(plan(8, 1).with(new CloneOptions(false, 2048, 10, false, 64)));
    long start = world.nowNanos;
    world.resume();
    world.runToRest();
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.nowNanos - start).isBetween(14_900_000_000L, 15_200_000_000L);
  }

  @Test
  @DisplayName("H10: a write to a region being hydrated waits for the copy and lands on top")
  void aWriteToARegionBeingHydratedLandsOnTop() {
    CloneWorld world = running(4, 4);
    UserRequest write = world.write(5, 1, 7);
    world.expectInFlight("copy-read 0+16");
    world.isUserBusy = true;
    world.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 3)).containsExactly(sourceValue(4), 7, sourceValue(6));
  }

  @Test
  @DisplayName("O6: in a pristine destination a source hole costs no write, however long it is")
  void aHoleCostsNoWriteInAPristineDestination() {
    CloneWorld world = new CloneWorld(plan(1, 1).with(PRISTINE)).sourceHole(6, 52).resume();
    world.finishAll();
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.look(6, 52)).containsOnly(0);
    assertThat(world.log).noneMatch(line -> line.startsWith("range"));
    // Regions that are partly hole are copied; 56 to 59 hold two sectors of data.
    assertThat(world.log.stream().filter(line -> line.startsWith("copy-write")))
        .containsExactly("copy-write 0+4", "copy-write 4+4", "copy-write 56+4", "copy-write 60+4");
  }

  @Test
  @DisplayName("O6: in an old destination a source hole is zeroed as one range")
  void aHoleIsZeroedInAnOldDestination() {
    CloneWorld world = world(1, 1).sourceHole(8, 40).resume();
    world.finishAll();
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.look(8, 40)).containsOnly(0);
    assertThat(world.log).contains("range WRITE_ZEROES 8+40");
  }

  @Test
  @DisplayName("O9: a hole that cannot be zeroed as a whole is zeroed region by region")
  void aFailedHoleIsRetriedSingly() {
    CloneWorld world = world(1, 1).sourceHole(0, 64);
    world.destination.failingWrites = 1;
    world.resume();
    world.finishAll();
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.log)
        .filteredOn(line -> line.startsWith("range"))
        .startsWith("range WRITE_ZEROES 0+64", "range WRITE_ZEROES 0+4", "range WRITE_ZEROES 4+4");
    assertThat(world.warnings).isEmpty();
  }

  @Test
  @DisplayName("O6: after one failed write the destination is not taken for zeros any more")
  void afterAFailedWriteTheDestinationIsNotTakenForZeros() {
    CloneWorld world = new CloneWorld(plan(1, 1).with(PRISTINE)).sourceHole(0, 64);
    world.destination.failingWrites = 1;
    world.write(0, 8, 7);
    world.finishAll();
    assertThat(world.destination.contents(0)).as("torn").isEqualTo(7);
    world.resume();
    world.finishAll();
    assertThat(world.log).contains("range WRITE_ZEROES 0+64");
    assertThat(world.look(0, 64)).containsOnly(0);
  }

  @Test
  @DisplayName("O6: what the source does not tell of its allocation is copied as data")
  void withoutAnAnswerAboutHolesAllIsCopied() {
    CloneWorld world = world(16, 16).sourceHole(0, 64);
    world.failingExtents = 1;
    world.resume();
    world.finishAll();
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.log).contains("copy-write 0+64");
  }

  @Test
  @DisplayName("O8: adaptive hydration keeps a share under load: one copy, then a pause")
  void adaptiveHydrationKeepsAShareUnderLoad() {
    CloneWorld world =
        new CloneWorld(new CloneWorld.Plan(1 << 14, 1 << 12, CloneOptions.FOREGROUND, "0"));
    world.isUserBusy = true;
    world.resume();
    world.finish("extents");
    int copies = 0;
    while (!world.map.isComplete()) {
      assertThat(world.inFlight.size()).isLessThanOrEqualTo(1);
      if (world.inFlight.isEmpty()) {
        assertThat(world.wake()).as("asks to be woken").isTrue();
      } else {
        copies += world.isInFlight("copy-read") ? 1 : 0;
        world.finish(0);
      }
    }
    assertThat(copies).isEqualTo(4);
  }

  @Test
  @DisplayName("Z1: suspend starts no more copies, waits for those in flight, then commits")
  void suspendDrainsThenCommits() {
    CloneWorld world = running(2, 1);
    world.suspend();
    assertThat(world.core.isSuspended()).isFalse();
    finishCopy(world);
    world.expectInFlight("copy-read 4+4");
    finishCopy(world);
    world.expectInFlight("flush");
    world.finish("flush");
    assertThat(world.core.isSuspended()).isFalse();
    world.finish("commit");
    assertThat(world.core.isSuspended()).isTrue();
    assertThat(world.committed.cardinality()).isEqualTo(2);
    world.second();
    world.nudge();
    assertThat(world.inFlight).isEmpty();
  }

  @Test
  @DisplayName("Z1: suspend with nothing changed and nothing in flight is immediate")
  void suspendWithNothingToDoIsImmediate() {
    CloneWorld world = new CloneWorld("1 no_hydration").resume();
    world.suspend();
    assertThat(world.core.isSuspended()).isTrue();
    assertThat(world.inFlight).isEmpty();
  }

  @Test
  @DisplayName("Z1: suspend waits for the answer to a question about the source's holes")
  void suspendWaitsForAnExtentQuery() {
    CloneWorld world = world(1, 1).resume();
    world.suspend();
    assertThat(world.core.isSuspended()).isFalse();
    world.finish("extents");
    assertThat(world.core.isSuspended()).isTrue();
    assertThat(world.inFlight).isEmpty();
  }

  @Test
  @DisplayName("Z1: a failing commit ends a suspend as well, in mode ro")
  void aFailingCommitEndsASuspend() {
    CloneWorld world = running(1, 1);
    world.failingCommits = 1;
    world.suspend();
    world.finishAll();
    assertThat(world.core.isSuspended()).isTrue();
    assertThat(world.core.mode()).isEqualTo(CloneMode.READ_ONLY);
    world.resume();
    world.second();
    assertThat(world.inFlight).isEmpty();
  }

  @Test
  @DisplayName("Z3: resume goes on at once")
  void resumeGoesOnAtOnce() {
    CloneWorld world = running(1, 1);
    world.suspend();
    world.finishAll();
    world.resume();
    world.expectInFlight("copy-read 4+4");
    world.runToRest();
    assertThat(world.map.isComplete()).isTrue();
  }

  @Test
  @DisplayName("Z5: a crash at any point leaves metadata at the last commit")
  void aCrashLeavesTheLastCommit() {
    CloneWorld world = running(1, 1);
    finishCopy(world);
    world.second();
    world.finish("flush");
    finishCopy(world);
    CloneWorld before = world.crash(new java.util.Random(1));
    assertThat(before.map.hydratedCount()).isZero();
    world.finish("commit");
    CloneWorld after = world.crash(new java.util.Random(1));
    assertThat(after.hydrated()).isEqualTo("1000000000000000");
    after.resume();
    after.runToRest();
    after.second();
    after.runToRest();
    assertThat(after.core.isDone()).isTrue();
  }

  @Test
  @DisplayName("section 11: nothing is hydrated in mode ro")
  void nothingIsHydratedInModeRo() {
    CloneWorld world = running(1, 1);
    finishCopy(world);
    world.failingFlushes = 1;
    world.flush();
    world.finish("flush");
    world.finishAll();
    world.second();
    assertThat(world.inFlight).isEmpty();
    assertThat(world.hydrated()).startsWith("10");
  }
}
