package oxbow.target.bow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowLog;
import oxbow.inspect.BowLogCheck;
import oxbow.sim.SimRequest;

/**
 * Aim: sections 3, 4 and 8 of the format's description, O30 and O31, one rule each. Method: a small
 * device on a simulated disk, and requests whose I/O ends when the test says so.
 */
class BowTargetTest {
  private static final int BLOCKS = 64;

  private BowWorld world = new BowWorld(4096, BLOCKS);

  private BowLog log() {
    try {
      return BowLogCheck.newest(world.disk).orElseThrow();
    } catch (IOException failed) {
      throw new AssertionError(failed);
    }
  }

  private SimRequest write(int block, int blocks) {
    return world.target.write(world.at(block), world.at(blocks));
  }

  private static void assertOk(SimRequest request) {
    assertThat(request.isDone()).as(request.toString()).isTrue();
    assertThat(request.errno()).isEqualTo(Errno.OK);
  }

  private SimRequest written(int block, int blocks) {
    SimRequest write = write(block, blocks);
    world.frame.finishAll();
    return write;
  }

  // State 0.

  @Test
  @DisplayName("State 0: discards are collected, whole blocks only, and do not reach the device")
  void discardsAreCollected() {
    SimRequest discard = world.target.discard(world.at(10) + 1, world.at(3));
    assertOk(discard);
    assertThat(world.status().toStatusLine()).isEqualTo("trim 8192 0 0 0 0 8192");
    assertThat(world.disk.writes()).isEmpty();
    assertThat(world.message("ranges"))
        .isEqualTo("Unchanged: 0\nFree: 88\nUnchanged: 104\nTop: 512");
  }

  @Test
  @DisplayName("8, 8: a write in state 0 makes free blocks unchanged again, also a write of a part")
  void aWriteMakesFreeBlocksUnchangedAgain() {
    world.target.discard(world.at(10), world.at(4));
    SimRequest write = world.target.write(world.at(11) + 3, 1);
    assertThat(world.status().freeBytes()).isEqualTo(3 * 4096);
    world.frame.finishAll();
    assertOk(write);
    assertThat(world.isType(11, "Unchanged")).isTrue();
    assertThat(world.isType(12, "Free")).isTrue();
  }

  @Test
  @DisplayName("O33: what is free can be told by message, in state 0 only")
  void freeByMessage() {
    assertThat(world.message("free 80 80")).isEmpty();
    assertThat(world.status().freeBytes()).isEqualTo(10 * 4096);
    assertThat(world.message("free 81 14")).isEmpty();
    assertThat(world.message("free 512 1")).startsWith("refused: Invalid argument");
    assertThat(world.message("free 0 513")).startsWith("refused: Invalid argument");
    world.checkpoint();
    world.frame.finishAll();
    assertThat(world.message("free 80 8")).startsWith("refused: what is free can be told before");
  }

  @Test
  @DisplayName("O33: what is free can be told without a message, as many ranges as there are")
  void freeByRanges() {
    world.bow.free(10 * 4096 - 1, 3 * 4096);
    world.bow.free(12 * 4096, 4096);
    world.bow.free(20 * 4096 + 1, 4096);
    assertThat(world.message("ranges"))
        .isEqualTo("Unchanged: 0\nFree: 80\nUnchanged: 104\nTop: 512");
    world.bow.free(30 * 4096, 4 * 4096);
    world.checkpoint();
    world.frame.finishAll();
    assertThat(world.state()).isEqualTo(BowState.CHECKPOINT);
    assertThatThrownBy(() -> world.bow.free(50 * 4096, 4096))
        .isInstanceOf(IllegalStateException.class);
  }

  // Transitions.

  @Test
  @DisplayName("Section 3: 0 to 1 and 1 to 2 only; anything else is an invalid argument")
  void onlyTwoTransitionsThereAre() {
    for (String word :
        new String[] {"state 0", "state 3", "state one", "restore", "when_full no"}) {
      assertThat(world.message(word)).startsWith("refused: Invalid argument");
    }
    assertThat(world.message("state 2")).startsWith("refused: nothing can be committed");
    world.target.discard(world.at(20), world.at(20));
    assertThat(world.message("state 1")).isEmpty();
    assertThat(world.message("state")).isEqualTo("0 checkpointing");
    world.frame.finishAll();
    assertThat(world.message("state")).isEqualTo("1 checkpoint");
    assertThat(world.target.events()).containsExactly("checkpoint");
    assertThat(world.message("state 1")).startsWith("refused: no checkpoint can begin");
    assertThat(world.message("state 2")).isEmpty();
    assertThat(world.message("state 2")).startsWith("refused: nothing can be committed");
    world.frame.finishAll();
    assertThat(world.message("state")).isEqualTo("2 committed");
    assertThat(world.target.events()).containsExactly("checkpoint", "committed");
    assertThat(world.status().toStatusLine()).isEqualTo("committed 0 0 0 0 0 81920");
  }

  @Test
  @DisplayName("Section 4: the first log saves block 0, which users find elsewhere from now on")
  void theFirstLog() {
    world.checkpointed(20, 20);
    BowLog log = log();
    assertThat(log.count()).isEqualTo(1);
    assertThat(log.sequence()).isZero();
    assertThat(log.entry(0).source()).isZero();
    assertThat(log.sector0()).hasValue(160);
    assertThat(log.entry(0).dest()).isEqualTo(168);
    assertThat(world.status().toStatusLine()).isEqualTo("checkpoint 69632 1 1 4096 0 81920");
    SimRequest read = world.target.read(0, 16);
    world.frame.finishAll();
    assertThat(read.found(0)).isEqualTo(BowWorld.FIRST_STAMP);
    assertThat(read.found(15)).isEqualTo(BowWorld.FIRST_STAMP + 15);
  }

  @Test
  @DisplayName("O30: a checkpoint waits for writes in flight, and new ones wait for it")
  void aCheckpointDrainsWrites() {
    world.target.discard(world.at(20), world.at(20));
    SimRequest before = write(5, 1);
    world.checkpoint();
    SimRequest after = write(5, 1);
    assertThat(world.frame.whatIsInFlight()).containsExactly("bow: user WRITE disk 40+8");
    world.frame.finish(0);
    assertOk(before);
    world.frame.finishAll();
    assertOk(after);
    assertThat(log().count()).as("the second write was saved from").isEqualTo(2);
    world.crashing(1, 8);
    world.target.flush();
    world.frame.finishAll();
  }

  @Test
  @DisplayName("8, 17: a read of block 0 that began before is waited for, and ends at its end")
  void aCheckpointDrainsReadsOfBlock0() {
    world.target.discard(world.at(20), world.at(20));
    SimRequest read = world.target.read(4, 8);
    assertThat(world.frame.whatIsInFlight())
        .containsExactly("bow: user READ disk 4+4", "bow: user READ disk 8+4");
    world.checkpoint();
    assertThat(world.frame.inFlight()).as("nothing is copied yet").isEqualTo(2);
    world.frame.finishAll();
    assertOk(read);
    assertThat(world.state()).isEqualTo(BowState.CHECKPOINT);
  }

  @Test
  @DisplayName("8, 12 and 13: a checkpoint that cannot be leaves everything as it was")
  void aCheckpointThatCannotBe() {
    world.target.discard(world.at(20), world.at(2));
    String before = world.message("ranges");
    assertThat(world.checkpoint()).contains("no space: 2 blocks are free, 3 are needed");
    world.target.discard(0, 8);
    assertThat(world.checkpoint()).contains("block 0 has been discarded");
    assertThat(world.message("ranges")).isNotEqualTo(before);
    write(0, 1);
    world.frame.finishAll();
    assertThat(world.message("ranges")).isEqualTo(before);
    assertThat(world.state()).isEqualTo(BowState.TRIM);
    assertThat(world.target.events()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  @DisplayName("8, 13: whatever step of the transition fails, state 0 goes on with its own ranges")
  void aStepOfTheTransitionFails(int step) {
    world.target.discard(world.at(20), world.at(20));
    String before = world.message("ranges");
    world.checkpoint();
    SimRequest held = write(20, 1);
    for (int i = 0; i < step; i++) {
      world.frame.finish(0);
    }
    world.frame.fail(0);
    world.frame.finishAll();
    assertThat(world.state()).isEqualTo(BowState.TRIM);
    assertThat(world.target.events()).containsExactly("checkpoint failed: Input/output error");
    assertThat(world.message("state")).isEqualTo("0 trim (checkpoint failed: Input/output error)");
    assertOk(held);
    assertThat(world.message("ranges"))
        .isEqualTo(before.replace("Free: 160", "Free: 168"))
        .contains("Unchanged: 320");
    assertThat(world.disk.intAt(0)).as("block 0").isEqualTo(BowWorld.FIRST_STAMP);
  }

  @Test
  @DisplayName("8, 12: free ranges of one block each")
  void freeRangesOfOneBlock() {
    for (int block = 10; block < 30; block += 2) {
      world.target.discard(world.at(block), world.at(1));
    }
    world.crashing(2, 4);
    world.checkpoint();
    world.frame.finishAll();
    assertThat(world.status().freeBytes()).isEqualTo(7 * 4096);
    assertOk(written(40, 3));
    assertThat(log().count()).as("one entry each").isEqualTo(4);
    assertThat(world.status().freeBytes()).isEqualTo(4 * 4096);
  }

  // State 1.

  @Test
  @DisplayName("B2: copy, flush, log, and only then the write")
  void theOrderOfAWrite() {
    world.checkpointed(20, 20);
    SimRequest write = write(5, 2);
    String[] steps = {
      "bow: copy-read disk 40+16",
      "bow: copy-write disk 184+16",
      "bow: flush disk",
      "bow: bytes disk 0+1 FUA",
      "bow: user WRITE disk 40+16"
    };
    for (String step : steps) {
      assertThat(world.frame.whatIsInFlight()).containsExactly(step);
      world.frame.finish(0);
    }
    assertOk(write);
    BowEntry entry = log().entry(1);
    assertThat(entry.source()).isEqualTo(40);
    assertThat(entry.dest()).isEqualTo(184);
    assertThat(entry.sizeBytes()).isEqualTo(8192);
    assertThat(entry.hasChecksum()).isTrue();
  }

  @Test
  @DisplayName("Section 4: nothing is prepared for changed and free blocks; reads pass")
  void whatNeedsNoCopy() {
    world.checkpointed(20, 20);
    written(5, 1);
    world.disk.clearWrites();
    write(5, 1);
    write(39, 1);
    world.target.read(world.at(7), 8);
    assertThat(world.frame.whatIsInFlight())
        .containsExactly(
            "bow: user WRITE disk 40+8", "bow: user WRITE disk 312+8", "bow: user READ disk 56+8");
    assertThat(world.isType(39, "Changed")).isTrue();
  }

  @Test
  @DisplayName("O40: a write of a part of a block saves the whole block")
  void aPartOfABlock() {
    world.checkpointed(20, 20);
    world.target.write(world.at(5) + 3, 1);
    world.frame.finishAll();
    assertThat(log().entry(1).source()).isEqualTo(40);
    assertThat(log().entry(1).sizeBytes()).isEqualTo(4096);
    assertThat(world.disk.intAt(42 * 512)).isEqualTo(BowWorld.FIRST_STAMP + 42);
  }

  @Test
  @DisplayName("entries of concurrent writes share a flush and a log write")
  void entriesShareALogWrite() {
    world.checkpointed(20, 20);
    for (int block = 1; block < 9; block++) {
      write(block, 1);
    }
    while (world.frame.isInFlight("bow: copy")) {
      world.frame.finish("bow: copy");
    }
    int writes = world.disk.writes().size();
    world.frame.finishAll();
    assertThat(log().count()).isEqualTo(9);
    assertThat(world.disk.writes().size() - writes).as("8 writes, 2 of the log").isEqualTo(10);
  }

  @Test
  @DisplayName("B4: writes of what is being saved, or of where it is saved to, wait in order")
  void waitersOfARange() {
    world.checkpointed(20, 20);
    SimRequest first = write(5, 1);
    SimRequest second = world.target.write(world.at(5) + 2, 2);
    SimRequest ofTheCopy = write(23, 1);
    assertThat(world.frame.inFlight()).isEqualTo(1);
    world.crashing(3, 6);
    world.frame.finishAll();
    assertOk(first);
    assertOk(second);
    assertOk(ofTheCopy);
    assertThat(log().count()).isEqualTo(3);
    assertThat(log().entry(2).source()).as("the copy of the copy").isEqualTo(184);
  }

  @Test
  @DisplayName("8, 10 and 11: block 0 moves with its pointer in the same write, without checksum")
  void block0Moves() {
    world.checkpointed(20, 20);
    world.crashing(4, 6);
    SimRequest write = write(20, 1);
    SimRequest block0 = world.target.write(0, 8);
    assertThat(world.frame.isInFlight("bow: user")).as("block 0 is held").isFalse();
    world.frame.finishAll();
    assertOk(write);
    assertOk(block0);
    assertThat(log().entry(1).source()).isEqualTo(160);
    assertThat(log().entry(1).hasChecksum()).isFalse();
    assertThat(log().sector0()).hasValue(log().entry(1).dest());
    SimRequest read = world.target.read(0, 8);
    world.frame.finishAll();
    assertThat(read.found(3)).isEqualTo(block0.stampOf(3));
  }

  @Test
  @DisplayName("8, 11: requests for block 0 on their way are waited for before it moves")
  void block0IsDrainedBeforeItMoves() {
    world.checkpointed(20, 20);
    SimRequest block0 = world.target.write(0, 8);
    write(20, 1);
    assertThat(world.frame.whatIsInFlight()).containsExactly("bow: user WRITE disk 160+8");
    world.frame.finishAll();
    assertOk(block0);
    SimRequest read = world.target.read(0, 8);
    world.frame.finishAll();
    assertThat(read.found(0)).isEqualTo(block0.stamp());
  }

  @Test
  @DisplayName("O31: a discard of free or unchanged blocks has no effect, of changed ones it may")
  void discardsInState1() {
    world.checkpointed(20, 20);
    written(5, 1);
    String before = world.message("ranges");
    SimRequest discard = world.target.discard(world.at(1), world.at(BLOCKS - 1));
    assertThat(world.frame.whatIsInFlight()).containsExactly("bow: user DISCARD disk 40+8");
    world.frame.finishAll();
    assertOk(discard);
    assertThat(world.message("ranges")).isEqualTo(before);
    assertThat(log().count()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 1024, 2048, 4096})
  @DisplayName("Section 4: a full log is saved and a new one begun")
  void logsAreChained(int blockBytes) {
    world = new BowWorld(blockBytes, 900).checkpointed(400, 500);
    int capacity = (blockBytes - 28) / 24;
    world.crashing(5, 2);
    for (int i = 1; i <= capacity; i++) {
      written(2 * i, 1);
      if (i == capacity - 1) {
        assertThat(log().sequence()).isZero();
        assertThat(log().count()).isEqualTo(capacity);
      }
    }
    assertThat(log().sequence()).isEqualTo(1);
    assertThat(log().count()).isEqualTo(2);
    assertThat(world.status().logBlocks()).isEqualTo(2);
    assertThat(world.status().logEntries()).isEqualTo(capacity + 2L);
  }

  // No space.

  @Test
  @DisplayName("8, 2: without room a write fails with ENOSPC, and the checkpoint stays")
  void noSpaceFails() {
    world.checkpointed(20, 5);
    assertThat(world.status().freeBytes()).isEqualTo(2 * 4096);
    world.crashing(6, 4);
    assertThat(written(1, 3).errno()).as("not enough for all").isEqualTo(Errno.ENOSPC);
    assertThat(world.status().freeBytes()).as("nothing was begun").isEqualTo(2 * 4096);
    assertOk(written(1, 2));
    assertThat(written(3, 1).errno()).isEqualTo(Errno.ENOSPC);
    assertOk(written(1, 2));
    assertThat(world.target.events())
        .containsExactly("checkpoint", "space for copies is 100 % used");
  }

  @Test
  @DisplayName("B5: the last free block is kept for the next log")
  void oneBlockIsReserved() {
    world = new BowWorld(512, BLOCKS).checkpointed(30, 34);
    world.crashing(7, 3);
    for (int block = 1; block < 30; block++) {
      assertOk(written(block, 1));
    }
    assertThat(log().sequence()).as("a log was chained").isEqualTo(1);
    for (int block = 30; block < BLOCKS; block++) {
      written(block, 1);
    }
    assertThat(world.status().freeBytes()).isZero();
  }

  @Test
  @DisplayName("B5: a full log with nothing free but the reserve can be chained")
  void aFullLogIsChainedIntoTheReserve() {
    world = new BowWorld(512, BLOCKS).checkpointed(40, 23);
    for (int block = 1; block <= 19; block++) {
      assertOk(written(block, 1));
    }
    assertThat(log().count()).isEqualTo(20);
    assertThat(world.status().freeBytes()).isEqualTo(512);
    world.crashing(8, 8);
    assertOk(written(20, 1));
    assertThat(log().sequence()).isEqualTo(1);
    assertThat(written(21, 1).errno()).isEqualTo(Errno.ENOSPC);
  }

  @Test
  @DisplayName("a write to the reserve takes it, and another block takes its place")
  void aWriteToTheReserve() {
    world.checkpointed(20, 5);
    assertOk(written(22, 1));
    assertThat(world.status().freeBytes()).isEqualTo(4096);
    assertOk(written(22, 3));
    assertThat(world.status().freeBytes()).isZero();
    assertThat(written(1, 1).errno()).isEqualTo(Errno.ENOSPC);
    assertOk(written(23, 2));
  }

  @Test
  @DisplayName("when_full commit: the checkpoint is committed, then the write goes on")
  void noSpaceCommits() {
    world.message("when_full commit");
    world.checkpointed(20, 4);
    assertOk(written(1, 1));
    world.crashing(9, 4);
    SimRequest write = written(2, 1);
    assertOk(write);
    assertThat(world.state()).isEqualTo(BowState.COMMITTED);
    assertThat(world.disk.intAt(0)).isEqualTo(BowWorld.FIRST_STAMP);
  }

  @Test
  @DisplayName("when_full stop: from then on whatever needs a copy fails, until a commit")
  void noSpaceStops() {
    world.message("when_full stop");
    world.checkpointed(20, 5);
    assertThat(written(1, 3).errno()).isEqualTo(Errno.EIO);
    assertThat(written(1, 1).errno()).as("though there were room").isEqualTo(Errno.EIO);
    assertOk(written(23, 1));
    world.message("commit");
    world.frame.finishAll();
    assertOk(written(1, 3));
  }

  @Test
  @DisplayName("an event warns at the mark")
  void theMark() {
    world.checkpointed(20, 20);
    assertThat(world.message("warn_at 100")).startsWith("refused");
    assertThat(world.message("warn_at 0")).startsWith("refused");
    world.message("warn_at 50");
    written(1, 6);
    assertThat(world.target.events()).containsExactly("checkpoint");
    written(7, 1);
    written(8, 1);
    assertThat(world.target.events())
        .containsExactly("checkpoint", "space for copies is 50 % used");
  }

  // The end.

  @Test
  @DisplayName("Section 6: a commit writes block 0 behind its first sector, flushes, then that")
  void theOrderOfACommit() {
    world.checkpointed(20, 20);
    world.message("commit");
    SimRequest held = world.target.read(0, 8);
    String[] steps = {
      "bow: copy-read disk 161+7",
      "bow: copy-write disk 1+7",
      "bow: flush disk",
      "bow: copy-read disk 160+1",
      "bow: copy-write disk 0+1",
      "bow: flush disk",
      "bow: user READ disk 0+8"
    };
    for (String step : steps) {
      assertThat(world.frame.whatIsInFlight()).containsExactly(step);
      world.frame.finish(0);
    }
    assertOk(held);
    assertThat(world.message("ranges")).isEqualTo("Top: 512");
  }

  @Test
  @DisplayName("a suspend waits for copies and transitions that have begun")
  void aSuspendWaits() {
    world.target.discard(world.at(20), world.at(20));
    world.checkpoint();
    world.target.suspend();
    assertThat(world.target.isSuspended()).isFalse();
    world.frame.finishAll();
    assertThat(world.target.isSuspended()).isTrue();
    assertThat(world.state()).isEqualTo(BowState.CHECKPOINT);
    world.target.remove();
    assertThat(world.target.isRemoved()).isTrue();
  }

  @Test
  void anOperationWithoutDataPassesToWhereBlock0Lies() {
    world.checkpointed(20, 20);
    SimRequest zero = world.target.zero(0, 8);
    assertThat(world.frame.whatIsInFlight()).containsExactly("bow: user WRITE_ZEROES disk 160+8");
    world.frame.finishAll();
    assertOk(zero);
    SimRequest cache = world.target.submit(Operation.CACHE, 0, 16, 0);
    world.frame.finishAll();
    assertOk(cache);
  }
}
