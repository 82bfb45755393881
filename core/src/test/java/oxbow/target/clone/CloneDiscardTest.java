package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static oxbow.target.clone.CloneWorld.sourceValue;

import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;

/** Aim: section 5 of the clone's rules, as O1 and O7 amend them. Method: scripted worlds. */
class CloneDiscardTest {
  private final CloneWorld world = new CloneWorld("1 no_hydration").resume();
  private final CloneWorld keeping = new CloneWorld("2 no_hydration no_discard_passdown").resume();

  @Test
  @DisplayName("D1: a discard of less than a region completes without effect")
  void discardOfPartOfARegionDoesNotHydrateIt() {
    UserRequest discard = world.discard(5, 6);
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.inFlight).isEmpty();
    assertThat(world.hydrated()).isEqualTo("0000");
  }

  @Test
  @DisplayName("D1 D4 D5: only regions that lie wholly inside count, and only they are passed down")
  void onlyWholeRegionsCount() {
    UserRequest discard = world.discard(3, 10);
    world.expectInFlight("range DISCARD 4+8");
    world.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.hydrated()).isEqualTo("0110");
  }

  @Test
  @DisplayName("D2: a short last region is never hydrated by a discard")
  void aShortLastRegionIsNeverDiscarded() {
    CloneWorld odd =
        new CloneWorld(new CloneWorld.Plan(14, 4, CloneOptions.TABLE, "1 no_hydration")).resume();
    UserRequest tail = odd.discard(12, 2);
    assertThat(tail.isDoneWith(Errno.OK)).isTrue();
    UserRequest more = odd.discard(8, 6);
    odd.finishAll();
    assertThat(more.isDoneWith(Errno.OK)).isTrue();
    assertThat(odd.hydrated()).isEqualTo("0010");
  }

  @Test
  @DisplayName("D3 D5: a discard of hydrated regions changes no metadata and is passed down")
  void aDiscardOfHydratedRegionsIsOnlyPassedDown() {
    world.hydrated(0, 4);
    UserRequest discard = world.discard(0, 10);
    world.expectInFlight("user DISCARD destination 0+8");
    world.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.core.isClean()).isTrue();
  }

  @Test
  @DisplayName("D5: without passdown a discard of hydrated regions completes at once")
  void withoutPassdownADiscardOfHydratedRegionsCompletesAtOnce() {
    keeping.hydrated(0, 4);
    UserRequest discard = keeping.discard(0, 16);
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(keeping.inFlight).isEmpty();
    assertThat(keeping.look(0)).isEqualTo(sourceValue(0));
  }

  @Test
  @DisplayName(
      "D4 D5: the result of the passdown is the user's; after an error nothing is recorded")
  void aFailedPassdownFailsTheDiscard() {
    world.destination.failingWrites = 1;
    UserRequest discard = world.discard(0, 8);
    world.finishAll();
    assertThat(discard.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.hydrated()).isEqualTo("0000");
    assertThat(world.look(0)).isEqualTo(sourceValue(0));
  }

  @Test
  @DisplayName("D5: an error of the destination for hydrated regions is the user's")
  void anErrorForHydratedRegionsIsTheUsers() {
    world.hydrated(0, 4);
    world.destination.failingWrites = 1;
    UserRequest discard = world.discard(0, 8);
    world.finishAll();
    assertThat(discard.isDoneWith(Errno.EIO)).isTrue();
  }

  @Test
  @DisplayName("D6: after a crash before the commit the discarded regions read as the source again")
  void afterACrashBeforeTheCommitTheRegionsReadAsTheSource() {
    world.discard(4, 4);
    world.finishAll();
    assertThat(world.look(4)).isZero();
    assertThat(world.crash(new Random(1)).look(4)).isEqualTo(sourceValue(4));
    world.flush();
    world.finishAll();
    assertThat(world.crash(new Random(1)).look(4)).isZero();
  }

  @Test
  @DisplayName(
      "O7 D9: without passdown what an old destination held is zeroed before it is recorded")
  void withoutPassdownOldContentsAreZeroedFirst() {
    UserRequest discard = keeping.discard(4, 8);
    keeping.expectInFlight("range WRITE_ZEROES 4+8");
    assertThat(keeping.hydrated()).isEqualTo("0000");
    keeping.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(keeping.hydrated()).isEqualTo("0110");
    assertThat(keeping.look(4, 8)).containsOnly(0);
  }

  @Test
  @DisplayName("O1 D10: the copy in flight never lands on top of a write that followed a discard")
  void theKernelsDataLossDoesNotHappen() {
    CloneWorld hydrating = new CloneWorld("0").resume();
    hydrating.finish("extents");
    hydrating.finish("copy-read 0+4");
    UserRequest discard = hydrating.discard(0, 4);
    UserRequest write = hydrating.write(0, 1, 7);
    // A kernel has answered the discard by now and sends the write past the copy.
    hydrating.expectInFlight("copy-write 0+4");
    assertThat(discard.isDone()).isFalse();
    assertThat(write.isDone()).isFalse();
    hydrating.isUserBusy = true;
    hydrating.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(hydrating.look(0, 4)).containsExactly(7, 0, 0, 0);
    assertThat(hydrating.log)
        .containsSubsequence(
            "copy-write 0+4", "user DISCARD destination 0+4", "user WRITE destination 0+1");
  }

  @Test
  @DisplayName("O1: a discard waits for an overwrite and for a merge, and they for a discard")
  void discardsAndWritesWaitForEachOther() {
    world.write(0, 4, 7);
    world.write(5, 1, 8);
    UserRequest discard = world.discard(0, 16);
    assertThat(world.isInFlight("range")).isFalse();
    world.finish("overwrite");
    assertThat(world.isInFlight("range")).isFalse();
    world.finish("merge-read");
    world.finish("merge-write");
    world.expectInFlight("range DISCARD 0+16");
    UserRequest late = world.write(5, 1, 9);
    UserRequest hydratedAlready = world.write(12, 4, 10);
    world.expectInFlight("range DISCARD 0+16", "user WRITE destination 5+1");
    world.finish("range");
    world.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(late.isDoneWith(Errno.OK)).isTrue();
    assertThat(hydratedAlready.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(12, 4)).containsOnly(10);
  }

  @Test
  @DisplayName("O1: a discard over many regions is not starved by background hydration")
  void aWideDiscardIsNotStarvedByTheBackground() {
    CloneWorld busy =
        new CloneWorld(
                new CloneWorld.Plan(
                    256, 4, CloneOptions.TABLE, "0 4 hydration_threshold 4 hydration_batch_size 1"))
            .resume();
    busy.finish("extents");
    assertThat(busy.inFlight).hasSize(4);
    UserRequest discard = busy.discard(0, 256);
    // Each copy that ends would make room for the next; none begins while the discard waits.
    for (int i = 0; i < 4; i++) {
      busy.finish("copy-read");
      busy.finish("copy-write");
    }
    busy.expectInFlight("range DISCARD 0+256");
    busy.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(busy.map.isComplete()).isTrue();
  }

  @Test
  @DisplayName("O1: an overwrite of many regions is not starved by background hydration either")
  void aWideOverwriteIsNotStarvedByTheBackground() {
    CloneWorld busy =
        new CloneWorld(
                new CloneWorld.Plan(
                    256, 4, CloneOptions.TABLE, "0 4 hydration_threshold 4 hydration_batch_size 1"))
            .resume();
    busy.finish("extents");
    UserRequest write = busy.write(0, 256, 7);
    for (int i = 0; i < 4; i++) {
      busy.finish("copy-read");
      busy.finish("copy-write");
    }
    // What was hydrated meanwhile is written as one, what was not as one.
    assertThat(busy.inFlight).hasSizeLessThanOrEqualTo(2);
    assertThat(busy.isInFlight("copy")).isFalse();
    busy.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(busy.look(0, 256)).containsOnly(7);
  }
}
