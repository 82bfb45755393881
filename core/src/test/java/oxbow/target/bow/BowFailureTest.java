package oxbow.target.bow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Errno;
import oxbow.format.bow.BowLog;
import oxbow.inspect.BowLogCheck;
import oxbow.sim.SimRequest;

/**
 * Aim: whatever I/O fails, nothing is overwritten that the log does not have, and users are told.
 * Method: as in {@link BowTargetTest}, and one step fails.
 */
class BowFailureTest {
  private static final int BLOCKS = 64;

  private final BowWorld world = new BowWorld(4096, BLOCKS);

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

  @Test
  @DisplayName("a block that cannot be read fails its write; the checkpoint goes on")
  void aCopyFails() {
    world.checkpointed(20, 20);
    world.crashing(10, 4);
    long free = world.status().freeBytes();
    world.device.faults().badSectors.set(40);
    assertThat(written(5, 1).errno()).isEqualTo(Errno.EIO);
    assertThat(world.status().freeBytes()).as("the place is free again").isEqualTo(free);
    assertOk(written(6, 1));
    world.device.faults().failingWrites = 1;
    assertThat(written(7, 1).errno()).isEqualTo(Errno.EIO);
    assertThat(world.status().freeBytes()).as("the bad place is not").isEqualTo(free - 2 * 4096);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bow: flush", "bow: bytes"})
  @DisplayName("B8: when the log is in doubt nothing more is saved, and both ways stay open")
  void theLogFails(String step) {
    world.checkpointed(20, 20);
    world.crashing(11, 6);
    SimRequest write = write(5, 1);
    while (!world.frame.isInFlight(step)) {
      world.frame.finish(0);
    }
    world.frame.fail(step);
    assertThat(write.errno()).isEqualTo(Errno.EIO);
    assertThat(written(6, 1).errno()).isEqualTo(Errno.EIO);
    assertThat(world.target.write(0, 8).errno()).isEqualTo(Errno.EIO);
    assertThat(world.target.flush().errno()).isEqualTo(Errno.EIO);
    assertOk(written(39, 1));
    SimRequest read = world.target.read(0, 16);
    world.frame.finishAll();
    assertOk(read);
    assertThat(world.message("state")).contains("1 checkpoint (the log could not be written");
    world.message("commit");
    world.frame.finishAll();
    assertThat(world.state()).isEqualTo(BowState.COMMITTED);
    assertOk(written(6, 1));
  }

  @Test
  @DisplayName("B8: a user's flush that fails in state 1 may have lost copies: the log is in doubt")
  void aFlushFails() {
    world.checkpointed(20, 20);
    world.crashing(12, 6);
    SimRequest write = write(5, 1);
    world.frame.finish("bow: copy-read");
    world.frame.finish("bow: copy-write");
    SimRequest flush = world.target.flush();
    SimRequest late = world.target.flush();
    assertThat(world.frame.whatIsInFlight()).containsExactly("bow: flush disk", "bow: flush disk");
    world.frame.fail(1);
    world.frame.finishAll();
    assertThat(flush.errno()).isEqualTo(Errno.EIO);
    assertThat(late.errno()).isEqualTo(Errno.EIO);
    assertThat(write.errno()).isEqualTo(Errno.EIO);
    assertThat(log().count()).isEqualTo(1);
  }

  @Test
  @DisplayName("B8: what a flush of the transition may have lost is told to the next flush")
  void aFlushOfTheTransitionFails() {
    world.target.discard(world.at(20), world.at(20));
    written(5, 1);
    world.checkpoint();
    while (!world.frame.isInFlight("bow: flush")) {
      world.frame.finish(0);
    }
    world.frame.fail("bow: flush");
    assertThat(world.state()).isEqualTo(BowState.TRIM);
    assertThat(world.target.flush().errno()).isEqualTo(Errno.EIO);
    SimRequest next = world.target.flush();
    world.frame.finishAll();
    assertOk(next);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  @DisplayName("Section 6: a commit that fails at any step can be tried again")
  void aCommitFails(int step) {
    world.checkpointed(20, 20);
    world.target.write(0, 8);
    written(5, 1);
    world.message("commit");
    for (int i = 0; i < step; i++) {
      world.frame.finish(0);
    }
    world.frame.fail(0);
    assertThat(world.state()).isEqualTo(BowState.CHECKPOINT);
    assertThat(world.target.events()).contains("commit failed: Input/output error");
    SimRequest read = world.target.read(0, 8);
    world.frame.finishAll();
    assertOk(read);
    world.message("commit");
    world.frame.finishAll();
    assertThat(world.state()).isEqualTo(BowState.COMMITTED);
    assertThat(world.disk.intAt(0)).isEqualTo(read.found(0));
  }
}
