package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static oxbow.target.clone.CloneWorld.sourceValue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Mapping;

/**
 * Aim: sections 6 and 7 of the clone's rules and the modes of section 11, as O3 and O4 amend them.
 * Method: scripted worlds; "flush" is a flush of the destination, "commit" a write of metadata.
 */
class CloneCommitTest {
  private final CloneWorld world = new CloneWorld("1 no_hydration").resume();

  /** Region 1 is recorded, but not durable. */
  private void record() {
    world.write(4, 4, 7);
    world.finishAll();
    world.log.clear();
  }

  @Test
  @DisplayName("F1: a flush with nothing changed is a flush of the destination, without a commit")
  void aFlushWithNothingChangedIsPassedOn() {
    UserRequest flush = world.flush();
    world.expectInFlight("flush");
    world.finishAll();
    assertThat(flush.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.log).containsExactly("flush");
  }

  @Test
  @DisplayName(
      "F2 M1: a flush with changes flushes the destination, then commits, then is answered")
  void aFlushWithChangesFlushesThenCommits() {
    record();
    UserRequest flush = world.flush();
    world.finish("flush");
    assertThat(flush.isDone()).isFalse();
    assertThat(world.committed()).isEqualTo("0000");
    world.finish("commit");
    assertThat(flush.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.log).containsExactly("flush", "commit");
    assertThat(world.committed()).isEqualTo("0100");
  }

  @Test
  @DisplayName("F3: a FUA write to a hydrated region waits for a commit of what was recorded")
  void aFuaWriteToAHydratedRegionCommitsFirst() {
    record();
    UserRequest write = world.writeFua(5, 1, 8);
    world.expectInFlight("flush");
    world.finish("flush");
    world.finish("commit");
    world.expectInFlight("user WRITE destination 5+1 FUA");
    assertThat(write.isDone()).isFalse();
    world.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.crash(new Random(1)).look(5)).isEqualTo(8);
  }

  @Test
  @DisplayName("F3: with nothing recorded a FUA write to a hydrated region goes straight down")
  void aFuaWriteWithNothingRecordedGoesStraightDown() {
    world.hydrated(1, 1);
    world.writeFua(5, 1, 8);
    world.expectInFlight("user WRITE destination 5+1 FUA");
  }

  @Test
  @DisplayName("F3: no thread sees a region as hydrated and nothing to commit before it is durable")
  void whoeverSeesARegionHydratedSeesThatItMustBeCommitted() {
    List<String> wrong = new ArrayList<>();
    Mapping mapping = new Mapping();
    // What another thread would be told at this moment: the owner is still in the core.
    world.whenAnswered =
        () -> {
          world.mapper.map(Operation.WRITE, 4 * 512, 512, Flags.FUA, mapping);
          if (mapping.isRemap()) {
            wrong.add("FUA goes around the commit");
          }
        };
    UserRequest write = world.write(4, 4, 7);
    world.finishAll();
    assertThat(write.isDone()).isTrue();
    assertThat(wrong).isEmpty();
  }

  @Test
  @DisplayName("F4: a FUA overwrite is answered after the commit that records it, not before")
  void aFuaOverwriteWaitsForItsCommit() {
    UserRequest write = world.writeFua(4, 4, 7);
    world.finish("overwrite");
    assertThat(world.hydrated()).isEqualTo("0100");
    world.finish("flush");
    assertThat(write.isDone()).isFalse();
    world.finish("commit");
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.crash(new Random(1)).look(4, 4)).containsOnly(7);
  }

  @Test
  @DisplayName("F5 O2: a FUA write to part of a region is answered after region write and commit")
  void aFuaMergeWaitsForItsCommit() {
    UserRequest write = world.writeFua(5, 1, 7);
    UserRequest joined = world.write(6, 1, 8);
    world.finish("merge-read");
    world.finish("merge-write");
    assertThat(joined.isDoneWith(Errno.OK)).isTrue();
    assertThat(write.isDone()).isFalse();
    world.finish("flush");
    world.finish("commit");
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.crash(new Random(1)).look(4, 4)).containsExactly(1000004, 7, 8, 1000007);
  }

  @Test
  @DisplayName("F4: FUA holds for zeroing and for discards as well")
  void fuaHoldsForZeroingAndDiscards() {
    UserRequest zero = world.submit(Operation.WRITE_ZEROES, 4, 4, 0, Flags.FUA);
    UserRequest discard = world.submit(Operation.DISCARD, 8, 4, 0, Flags.FUA);
    world.finish("overwrite");
    world.finish("range DISCARD");
    assertThat(zero.isDone() || discard.isDone()).isFalse();
    world.finishAll();
    assertThat(zero.isDoneWith(Errno.OK)).isTrue();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.committed()).isEqualTo("0110");
  }

  @Test
  @DisplayName("F6 O4: all flushes that wait while a turn runs share the next one")
  void flushesThatWaitTogetherShareATurn() {
    UserRequest first = world.flush();
    List<UserRequest> waiting = List.of(world.flush(), world.flush(), world.flush());
    world.expectInFlight("flush");
    world.finish("flush");
    assertThat(first.isDoneWith(Errno.OK)).isTrue();
    assertThat(waiting).noneMatch(UserRequest::isDone);
    world.expectInFlight("flush");
    world.finish("flush");
    assertThat(waiting).allMatch(request -> request.isDoneWith(Errno.OK));
    assertThat(world.log).containsExactly("flush", "flush");
  }

  @Test
  @DisplayName("O4: a flush does not share a device flush that began before it arrived")
  void aFlushDoesNotShareATurnThatBeganBefore() {
    world.hydrated(0, 4);
    world.flush();
    world.write(0, 1, 7);
    world.finish("user WRITE");
    UserRequest late = world.flush();
    world.finish("flush");
    assertThat(late.isDone()).isFalse();
    world.finish("flush");
    assertThat(late.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.destination.durable(0)).isEqualTo(7);
  }

  @Test
  @DisplayName("M1 M2: a region recorded after the freeze is not committed by that commit")
  void aRegionRecordedAfterTheFreezeIsNotCommitted() {
    record();
    UserRequest late = world.write(8, 4, 9);
    world.flush();
    world.finish("overwrite");
    world.finish("flush");
    world.finish("commit");
    assertThat(late.isDone()).isTrue();
    assertThat(world.hydrated()).isEqualTo("0110");
    assertThat(world.committed()).isEqualTo("0100");
    assertThat(world.core.isClean()).isFalse();
    world.flush();
    world.finishAll();
    assertThat(world.committed()).isEqualTo("0110");
  }

  @Test
  @DisplayName("M1: nor is a region recorded between the destination's flush and the commit")
  void aRegionRecordedDuringTheCommitIsNotCommitted() {
    record();
    world.flush();
    world.write(8, 4, 9);
    world.finish("flush");
    world.finish("overwrite");
    world.finish("commit");
    assertThat(world.committed()).isEqualTo("0100");
  }

  @Test
  @DisplayName("M3: changes are committed once per second")
  void changesAreCommittedOncePerSecond() {
    record();
    world.second();
    world.finishAll();
    assertThat(world.log).containsExactly("flush", "commit");
    assertThat(world.core.isClean()).isTrue();
  }

  @Test
  @DisplayName("M4: with nothing changed the tick does nothing at all, not even a flush")
  void withNothingChangedTheTickDoesNothing() {
    world.second();
    assertThat(world.inFlight).isEmpty();
    record();
    world.second();
    world.finishAll();
    world.second();
    assertThat(world.inFlight).isEmpty();
  }

  @Test
  @DisplayName("M3: a tick during a commit does not begin another one beside it")
  void ticksDoNotOverlap() {
    record();
    world.second();
    world.write(8, 4, 9);
    world.finish("overwrite");
    world.second();
    world.expectInFlight("flush");
    world.finishAll();
    assertThat(world.committed()).isEqualTo("0100");
    world.second();
    world.finishAll();
    assertThat(world.committed()).isEqualTo("0110");
  }

  @Test
  @DisplayName("M5 O3 F7: after a failed commit the mode is ro; what was recorded stays readable")
  void afterAFailedCommitRecordedRegionsStayReadable() {
    record();
    world.failingCommits = 1;
    UserRequest flush = world.flush();
    UserRequest shares = world.flush();
    world.finishAll();
    assertThat(flush.isDoneWith(Errno.EIO)).isTrue();
    assertThat(shares.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.core.mode()).isEqualTo(CloneMode.READ_ONLY);
    assertThat(world.events).hasSize(1).first().asString().startsWith("mode ro");
    assertThat(world.warnings).hasSize(1).first().asString().contains("ro mode");
    UserRequest read = world.read(4, 4);
    world.finishAll();
    assertThat(read.found).containsOnly(7);
    assertThat(world.committed()).isEqualTo("0000");
  }

  @Test
  @DisplayName("F7 M6: in mode ro flushes and FUA fail for good; hydrated regions can be written")
  void inModeRoFlushesAndFuaFailAndHydratedRegionsCanBeWritten() {
    record();
    world.failingFlushes = 1;
    world.flush();
    world.finishAll();
    assertThat(world.core.mode()).isEqualTo(CloneMode.READ_ONLY);
    for (int i = 0; i < 3; i++) {
      assertThat(world.flush().isDoneWith(Errno.EIO)).isTrue();
      assertThat(world.writeFua(4, 1, 8).isDoneWith(Errno.EIO)).isTrue();
      world.second();
    }
    UserRequest hydrated = world.write(5, 1, 9);
    UserRequest partial = world.write(8, 1, 9);
    UserRequest whole = world.write(8, 4, 9);
    UserRequest discard = world.discard(8, 8);
    world.finishAll();
    assertThat(hydrated.isDoneWith(Errno.OK)).isTrue();
    assertThat(partial.isDoneWith(Errno.EIO)).isTrue();
    assertThat(whole.isDoneWith(Errno.EIO)).isTrue();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.hydrated()).isEqualTo("0100");
    assertThat(world.look(4, 5)).containsExactly(7, 9, 7, 7, sourceValue(8));
  }

  @Test
  @DisplayName("O3: a failed flush of the destination is never retried into success")
  void aFailedFlushIsNotRetried() {
    record();
    world.failingFlushes = 1;
    world.flush();
    world.finishAll();
    world.log.clear();
    world.flush();
    world.second();
    world.suspend();
    world.finishAll();
    assertThat(world.log).isEmpty();
    assertThat(world.committed()).isEqualTo("0000");
    assertThat(world.core.isSuspended()).isTrue();
  }

  @Test
  @DisplayName(
      "section 11: in mode ro a discard of hydrated regions is passed down, a hint goes on")
  void inModeRoDiscardsOfHydratedRegionsArePassedDown() {
    world.hydrated(0, 1);
    record();
    world.failingCommits = 1;
    world.flush();
    world.finishAll();
    UserRequest discard = world.discard(0, 4);
    UserRequest hint = world.cache(0, 16);
    world.expectInFlight("user DISCARD destination 0+4", "user CACHE source 0+16");
    world.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(hint.isDoneWith(Errno.OK)).isTrue();
  }

  @Test
  @DisplayName(
      "M5: writes whose hydration is in flight at the switch to ro fail; nothing is recorded")
  void hydrationsInFlightAtTheSwitchFail() {
    record();
    world.failingCommits = 1;
    world.flush();
    UserRequest overwrite = world.write(8, 4, 8);
    UserRequest merge = world.write(12, 1, 9);
    UserRequest waiter = world.write(12, 4, 10);
    UserRequest discard = world.discard(0, 4);
    world.finish("flush");
    world.finish("commit");
    world.finishAll();
    assertThat(List.of(overwrite, merge, waiter, discard))
        .allMatch(request -> request.isDoneWith(Errno.EIO));
    assertThat(world.hydrated()).isEqualTo("0100");
  }

  @Test
  @DisplayName("M5 O3: unreadable metadata means Fail: reads go on, all else fails")
  void unreadableMetadataMeansFail() {
    record();
    world.failingCommits = 1;
    world.commitErrno = CloneCommitter.UNREADABLE;
    world.flush();
    world.finishAll();
    assertThat(world.core.mode()).isEqualTo(CloneMode.FAIL);
    assertThat(world.events).hasSize(1).first().asString().startsWith("mode Fail");
    for (UserRequest refused :
        List.of(
            world.write(4, 1, 8),
            world.write(8, 4, 8),
            world.zero(4, 4),
            world.discard(4, 4),
            world.discard(8, 4),
            world.writeFua(4, 1, 8),
            world.flush())) {
      assertThat(refused.isDoneWith(Errno.EIO)).as(refused.toString()).isTrue();
    }
    UserRequest read = world.read(0, 16);
    world.finishAll();
    assertThat(read.isDoneWith(Errno.OK)).isTrue();
    assertThat(read.found[4]).isEqualTo(7);
  }

  @Test
  @DisplayName(
      "M7: when all is hydrated it is committed at once; then one event, and no map any more")
  void completionIsAnEventAfterItsCommit() {
    world.write(0, 16, 7);
    world.finish("overwrite");
    assertThat(world.map.isComplete()).isTrue();
    world.expectInFlight("flush");
    world.finish("flush");
    assertThat(world.core.isDone()).isFalse();
    assertThat(world.events).isEmpty();
    world.finish("commit");
    assertThat(world.core.isDone()).isTrue();
    assertThat(world.events).containsExactly("hydration completed");
    world.flush();
    world.finishAll();
    world.writeFua(3, 9, 8);
    world.read(0, 16);
    world.expectInFlight("user WRITE destination 3+9 FUA", "user READ destination 0+16");
    world.finishAll();
    world.second();
    assertThat(world.events).hasSize(1);
  }

  @Test
  @DisplayName("M7: the event waits for the commit of the last region, not for one before it")
  void completionWaitsForTheLastRegionsCommit() {
    world.write(0, 12, 7);
    world.finishAll();
    world.second();
    world.write(12, 4, 7);
    world.finish("overwrite");
    world.finish("flush");
    world.finish("commit");
    assertThat(world.map.isComplete()).isTrue();
    assertThat(world.events).isEmpty();
    world.finish("flush");
    world.finish("commit");
    assertThat(world.events).containsExactly("hydration completed");
  }

  @Test
  @DisplayName("O3: when a flush fails after completion, reads and writes go on, flushes fail")
  void afterCompletionAFailedFlushStillMeansRo() {
    world.hydrated(0, 3);
    world.write(12, 4, 7);
    world.finishAll();
    world.flush();
    world.finishAll();
    assertThat(world.core.isDone()).isTrue();
    world.failingFlushes = 1;
    UserRequest failed = world.flush();
    world.finishAll();
    assertThat(failed.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.flush().isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.writeFua(0, 1, 8).isDoneWith(Errno.EIO)).isTrue();
    UserRequest write = world.write(0, 1, 8);
    world.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
  }
}
