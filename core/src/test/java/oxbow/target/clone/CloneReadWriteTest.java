package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static oxbow.target.clone.CloneWorld.STALE;
import static oxbow.target.clone.CloneWorld.sourceValue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;

/**
 * Aim: sections 2 to 4 of the clone's rules, as O2, O5 and O10 amend them. Method: a world of four
 * regions of four sectors, without background hydration; each test ends its I/O by hand.
 */
class CloneReadWriteTest {
  private final CloneWorld world = new CloneWorld("1 no_hydration").resume();

  @Test
  @DisplayName("R1: a hydrated region is read from the destination at the same sector")
  void aHydratedRegionIsReadFromTheDestination() {
    world.hydrated(1, 1);
    world.destination.write(5, 42);
    UserRequest read = world.read(5, 1);
    world.expectInFlight("user READ destination 5+1");
    world.finishAll();
    assertThat(read.found).containsExactly(42);
  }

  @Test
  @DisplayName("R2: a region that is not hydrated is read from the source, and stays so")
  void readingNeverHydrates() {
    UserRequest read = world.read(4, 4);
    world.expectInFlight("user READ source 4+4");
    world.finishAll();
    assertThat(read.found)
        .containsExactly(sourceValue(4), sourceValue(5), sourceValue(6), sourceValue(7));
    assertThat(world.hydrated()).isEqualTo("0000");
    assertThat(world.core.isClean()).isTrue();
  }

  @Test
  @DisplayName("R2 H10: a read never waits for a hydration in progress")
  void aReadNeverWaitsForAHydration() {
    world.write(4, 1, 9);
    UserRequest read = world.read(4, 4);
    world.expectInFlight("merge-read 5+3", "user READ source 4+4");
    world.finish("user READ");
    assertThat(read.isDoneWith(Errno.OK)).isTrue();
  }

  @Test
  @DisplayName("R3: a read error is returned as it is; the other device is not asked")
  void aReadErrorIsReturnedAsItIs() {
    world.badSourceSectors.set(6);
    UserRequest read = world.read(4, 4);
    world.finishAll();
    assertThat(read.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.log).containsExactly("user READ source 4+4");
  }

  @Test
  @DisplayName("R4 S1: a large read mixes both devices, region by region")
  void aLargeReadMixesBothDevices() {
    world.hydrated(1, 2);
    UserRequest read = world.read(2, 13);
    world.expectInFlight(
        "user READ source 2+2", "user READ destination 4+8", "user READ source 12+3");
    world.finish(2);
    world.finish(0);
    assertThat(read.isDone()).isFalse();
    world.finish(0);
    assertThat(read.isDoneWith(Errno.OK)).isTrue();
    assertThat(read.found[0]).isEqualTo(sourceValue(2));
    assertThat(read.found[12]).isEqualTo(sourceValue(14));
  }

  @Test
  @DisplayName("W1: a write to a hydrated region goes to the destination")
  void aWriteToAHydratedRegionGoesToTheDestination() {
    world.hydrated(0, 4);
    UserRequest write = world.write(3, 6, 7);
    world.expectInFlight("user WRITE destination 3+6");
    world.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.core.isClean()).isTrue();
  }

  @Test
  @DisplayName("W2: an overwrite is recorded when written, then answered; the source is not read")
  void anOverwriteIsRecordedWhenWrittenThenAnswered() {
    UserRequest write = world.write(4, 4, 7);
    world.expectInFlight("overwrite 4+4");
    assertThat(world.hydrated()).isEqualTo("0000");
    String[] atAnswer = {""};
    world.whenAnswered = () -> atAnswer[0] = world.hydrated();
    world.finishAll();
    assertThat(atAnswer[0]).isEqualTo("0100");
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 4)).containsOnly(7);
    assertThat(world.log).containsExactly("overwrite 4+4");
  }

  @Test
  @DisplayName("W2 S1: an overwrite of several regions is one write, its uncovered ends are merges")
  void anOverwriteOfSeveralRegionsIsOneWrite() {
    UserRequest write = world.write(2, 12, 7);
    world.expectInFlight("merge-read 0+2", "overwrite 4+8", "merge-read 14+2");
    world.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.hydrated()).isEqualTo("1111");
    assertThat(world.look(1)).isEqualTo(sourceValue(1));
    assertThat(world.look(2, 12)).containsOnly(7);
    assertThat(world.look(14)).isEqualTo(sourceValue(14));
  }

  @Test
  @DisplayName("W3 O2: a write in the middle of a region reads the region, then writes it once")
  void aPartialWriteReadsTheRegionAndWritesItOnce() {
    UserRequest write = world.write(5, 2, 7);
    world.expectInFlight("merge-read 4+4");
    world.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.log).containsExactly("merge-read 4+4", "merge-write 4+4");
    assertThat(world.look(4, 4)).containsExactly(sourceValue(4), 7, 7, sourceValue(7));
    assertThat(world.hydrated()).isEqualTo("0100");
  }

  @Test
  @DisplayName("O2: a write at the start or the end of a region reads only the uncovered end")
  void aWriteAtAnEdgeReadsOnlyTheUncoveredEnd() {
    world.write(4, 3, 7);
    world.write(9, 3, 8);
    world.expectInFlight("merge-read 7+1", "merge-read 8+1");
    world.finishAll();
    assertThat(world.look(4, 4)).containsExactly(7, 7, 7, sourceValue(7));
    assertThat(world.look(8, 4)).containsExactly(sourceValue(8), 8, 8, 8);
  }

  @Test
  @DisplayName("O2 W5: partial writes that wait before the region write join it in arrival order")
  void waitingPartialWritesJoinInArrivalOrder() {
    UserRequest first = world.write(4, 2, 7);
    UserRequest second = world.write(5, 2, 8);
    UserRequest third = world.write(6, 2, 9);
    world.finish("merge-read");
    world.expectInFlight("merge-write 4+4");
    world.finishAll();
    assertThat(first.isDoneWith(Errno.OK)).isTrue();
    assertThat(second.isDoneWith(Errno.OK)).isTrue();
    assertThat(third.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 4)).containsExactly(7, 8, 9, 9);
    assertThat(world.log).containsExactly("merge-read 6+2", "merge-write 4+4");
  }

  @Test
  @DisplayName("O2 W5: a write that comes after the region write has begun waits, then is issued")
  void aWriteAfterTheRegionWriteHasBegunIsIssuedAfterIt() {
    world.write(4, 2, 7);
    world.finish("merge-read");
    UserRequest late = world.write(5, 2, 8);
    world.expectInFlight("merge-write 4+4");
    world.finish("merge-write");
    world.expectInFlight("user WRITE destination 5+2");
    world.finishAll();
    assertThat(late.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 4)).containsExactly(7, 8, 8, sourceValue(7));
  }

  @Test
  @DisplayName("O2: a discard among the waiters is a border: what came after it does not join")
  void whatWaitsBehindADiscardDoesNotJoin() {
    world.write(4, 1, 7);
    UserRequest discard = world.discard(4, 4);
    UserRequest behind = world.write(6, 1, 8);
    world.finish("merge-read");
    world.finish("merge-write");
    assertThat(world.look(4)).isEqualTo(7);
    world.expectInFlight("user DISCARD destination 4+4", "user WRITE destination 6+1");
    world.finishAll();
    assertThat(discard.isDoneWith(Errno.OK)).isTrue();
    assertThat(behind.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 4)).containsExactly(0, 0, 8, 0);
  }

  @Test
  @DisplayName("O10 W4: a short last region that is covered is an overwrite")
  void aShortLastRegionThatIsCoveredIsAnOverwrite() {
    CloneWorld odd =
        new CloneWorld(new CloneWorld.Plan(14, 4, CloneOptions.TABLE, "1 no_hydration")).resume();
    odd.badSourceSectors.set(13);
    UserRequest write = odd.write(12, 2, 7);
    odd.expectInFlight("overwrite 12+2");
    odd.finishAll();
    assertThat(write.isDoneWith(Errno.OK)).isTrue();
    assertThat(odd.hydrated()).isEqualTo("0001");
  }

  @Test
  @DisplayName("O2: a merge in a short last region ends at the end of the device")
  void aMergeInAShortLastRegionEndsWithTheDevice() {
    CloneWorld odd =
        new CloneWorld(new CloneWorld.Plan(14, 4, CloneOptions.TABLE, "1 no_hydration")).resume();
    odd.write(13, 1, 7);
    odd.expectInFlight("merge-read 12+1");
    odd.finishAll();
    assertThat(odd.log).contains("merge-write 12+2");
    assertThat(odd.look(12, 2)).containsExactly(sourceValue(12), 7);
  }

  @Test
  @DisplayName("W5: there is one hydration per region; writes to it are issued in arrival order")
  void writesToARegionInHydrationWaitAndAreIssuedInArrivalOrder() {
    world.write(4, 4, 7);
    UserRequest second = world.write(4, 1, 8);
    UserRequest third = world.write(4, 4, 9);
    world.expectInFlight("overwrite 4+4");
    world.finish("overwrite");
    world.expectInFlight("user WRITE destination 4+1", "user WRITE destination 4+4");
    world.finishAll();
    assertThat(second.isDoneWith(Errno.OK)).isTrue();
    assertThat(third.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 4)).containsOnly(9);
  }

  @Test
  @DisplayName("W6: if the source cannot be read all partial writes fail; a later one tries again")
  void afterAFailedReadAllPartialWritesFailAndALaterOneTriesAgain() {
    world.failingSourceReads = 1;
    UserRequest first = world.write(4, 2, 7);
    UserRequest second = world.write(6, 1, 8);
    world.finishAll();
    assertThat(first.isDoneWith(Errno.EIO)).isTrue();
    assertThat(second.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.hydrated()).isEqualTo("0000");
    UserRequest again = world.write(4, 2, 9);
    world.finishAll();
    assertThat(again.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 4)).containsExactly(9, 9, sourceValue(6), sourceValue(7));
  }

  @Test
  @DisplayName(
      "W6 O2: if the region write fails all merged writes fail; the region reads as before")
  void afterAFailedRegionWriteAllMergedWritesFail() {
    world.destination.failingWrites = 1;
    UserRequest first = world.write(4, 2, 7);
    UserRequest second = world.write(6, 1, 8);
    world.finishAll();
    assertThat(first.isDoneWith(Errno.EIO)).isTrue();
    assertThat(second.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.hydrated()).isEqualTo("0000");
    assertThat(world.look(4)).isEqualTo(sourceValue(4));
  }

  @Test
  @DisplayName("W6: a failed overwrite fails with its own error, and so do the writes that waited")
  void aFailedOverwriteFailsTheWritesThatWaited() {
    world.destination.failingWrites = 1;
    UserRequest overwrite = world.write(4, 4, 7);
    UserRequest waiter = world.write(5, 1, 8);
    world.finishAll();
    assertThat(overwrite.isDoneWith(Errno.EIO)).isTrue();
    assertThat(waiter.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.look(4, 4)).containsExactly(1000004, 1000005, 1000006, 1000007);
  }

  @Test
  @DisplayName(
      "W7: an overwrite works where the source is unreadable, also when a merge failed first")
  void anOverwriteWorksWhereTheSourceIsUnreadable() {
    world.badSourceSectors.set(4, 8);
    UserRequest partial = world.write(4, 1, 7);
    UserRequest overwrite = world.write(4, 4, 8);
    world.finishAll();
    assertThat(partial.isDoneWith(Errno.EIO)).isTrue();
    assertThat(overwrite.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4, 4)).containsOnly(8);
  }

  @Test
  @DisplayName(
      "W8: a write that was not flushed may read as the source after a crash, whole regions")
  void anUnflushedWriteMayBeLostButItsNeighboursAreNot() {
    world.write(5, 1, 7);
    world.finishAll();
    CloneWorld after = world.crash(new java.util.Random(1));
    assertThat(after.look(4, 4)).containsExactly(1000004, 1000005, 1000006, 1000007);
  }

  @Test
  @DisplayName("O2: a region above 1 MiB is copied first, then the writes are issued in order")
  void aLargeRegionIsCopiedFirstThenWritten() {
    int large = (1 << 20) / CloneWorld.SECTOR * 2;
    CloneWorld big =
        new CloneWorld(new CloneWorld.Plan(2 * large, large, CloneOptions.TABLE, "1 no_hydration"))
            .resume();
    UserRequest first = big.write(3, 2, 7);
    UserRequest second = big.write(4, 2, 8);
    big.expectInFlight("copy-read 0+" + large);
    big.finish("copy-read");
    big.finish("copy-write");
    big.expectInFlight("user WRITE destination 3+2", "user WRITE destination 4+2");
    big.finishAll();
    assertThat(first.isDoneWith(Errno.OK)).isTrue();
    assertThat(second.isDoneWith(Errno.OK)).isTrue();
    assertThat(big.look(2, 5)).containsExactly(1000002, 7, 8, 8, 1000006);
  }

  @Test
  @DisplayName("W6 O2: if the copy of a large region fails, the writes that wait for it fail")
  void afterAFailedCopyOfALargeRegionTheWritesFail() {
    int large = (1 << 20) / CloneWorld.SECTOR * 2;
    CloneWorld big =
        new CloneWorld(new CloneWorld.Plan(2 * large, large, CloneOptions.TABLE, "1 no_hydration"))
            .resume();
    big.failingSourceReads = 1;
    UserRequest partial = big.write(3, 2, 7);
    UserRequest whole = big.write(0, large, 8);
    big.finishAll();
    assertThat(partial.isDoneWith(Errno.EIO)).isTrue();
    assertThat(whole.isDoneWith(Errno.OK)).isTrue();
    assertThat(big.look(3)).isEqualTo(8);
  }

  @Test
  @DisplayName(
      "O5: zeroing a whole region is an overwrite, of part of one a merge; never a discard")
  void zeroingIsAWriteOfZeros() {
    UserRequest zero = world.zero(2, 6);
    world.expectInFlight("merge-read 0+2", "overwrite 4+4");
    world.finishAll();
    assertThat(zero.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(0, 8)).containsExactly(1000000, 1000001, 0, 0, 0, 0, 0, 0);
    assertThat(world.destination.contents(8)).isEqualTo(STALE);
  }

  @Test
  @DisplayName("O5: a zeroing that must be fast is refused where it would need a merge")
  void fastZeroingOfPartOfARegionIsRefused() {
    UserRequest partial = world.submit(Operation.WRITE_ZEROES, 4, 2, 0, Flags.FAST_ZERO);
    UserRequest whole = world.submit(Operation.WRITE_ZEROES, 8, 4, 0, Flags.FAST_ZERO);
    world.finishAll();
    assertThat(partial.isDoneWith(Errno.ENOTSUP)).isTrue();
    assertThat(world.hydrated()).isEqualTo("0010");
    assertThat(whole.isDoneWith(Errno.OK)).isTrue();
  }

  @Test
  @DisplayName("O5: a zeroing that must be fast and cannot be everywhere changes nothing")
  void fastZeroingThatCannotBeFastEverywhereChangesNothing() {
    for (int[] range : new int[][] {{2, 10}, {4, 6}, {2, 6}}) {
      UserRequest zero =
          world.submit(Operation.WRITE_ZEROES, range[0], range[1], 0, Flags.FAST_ZERO);
      assertThat(zero.isDoneWith(Errno.ENOTSUP)).isTrue();
      assertThat(world.inFlight).isEmpty();
    }
    assertThat(world.hydrated()).isEqualTo("0000");
    world.hydrated(0, 1);
    world.hydrated(3, 1);
    UserRequest possible = world.submit(Operation.WRITE_ZEROES, 2, 12, 0, Flags.FAST_ZERO);
    world.finishAll();
    assertThat(possible.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(2, 12)).containsOnly(0);
    assertThat(world.look(0, 2)).containsExactly(sourceValue(0), sourceValue(1));
  }

  @Test
  @DisplayName("a read hint hydrates what is not hydrated, then goes to the destination")
  void aReadHintHydratesFirst() {
    world.hydrated(1, 1);
    UserRequest hint = world.cache(2, 9);
    world.expectInFlight("copy-read 0+4");
    world.finish("copy-read");
    world.finish("copy-write");
    world.expectInFlight("copy-read 8+4");
    world.finish("copy-read");
    world.finish("copy-write");
    world.expectInFlight("user CACHE destination 2+9");
    world.finishAll();
    assertThat(hint.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.hydrated()).isEqualTo("1110");
  }

  @Test
  @DisplayName("O13: a read hint over an unreadable region fails, and ends")
  void aReadHintOverAnUnreadableRegionFails() {
    world.badSourceSectors.set(6);
    UserRequest hint = world.cache(0, 16);
    world.finishAll();
    assertThat(hint.isDoneWith(Errno.EIO)).isTrue();
  }

  @Test
  @DisplayName("O1: a read hint waits for the owner of a region, then goes on with the rest")
  void aReadHintWaitsForTheOwnerOfARegion() {
    world.write(4, 4, 7);
    UserRequest hint = world.cache(4, 8);
    world.expectInFlight("overwrite 4+4");
    world.finish("overwrite");
    world.expectInFlight("copy-read 8+4");
    world.finishAll();
    assertThat(hint.isDoneWith(Errno.OK)).isTrue();
    assertThat(world.look(4)).isEqualTo(7);
  }
}
