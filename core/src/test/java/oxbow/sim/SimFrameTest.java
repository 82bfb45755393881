package oxbow.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;

/**
 * Aim: the simulated frame treats targets as the real one does, and ends nothing by itself. Method:
 * a target that copies what is overwritten to a second disk first, and that tells what it is told.
 */
class SimFrameTest {
  private static final int SECTORS = 16;
  private static final int SECTOR = SimDisk.SECTOR_BYTES;

  private final SimMachine machine = new SimMachine();
  private final SimDisk disk =
      machine.add(SimDisk.of(SimRequest.stamped(1001, SECTORS), (long) SECTORS * SECTOR));
  private final SimDisk spare = machine.add(new SimDisk((long) SECTORS * SECTOR));
  private final SimDevice device = new SimDevice("disk", disk);
  private final Keeper keeper = new Keeper();
  private final SimFrame frame = new SimFrame();
  private final SimTarget target = frame.add("keeper", keeper);

  /** Reads go to the disk, two sectors at a time; writes wait for a copy of what was there. */
  private final class Keeper implements Target {
    final List<Integer> givenBack = new ArrayList<>();
    final List<String> told = new ArrayList<>();
    @Nullable Effects own;
    boolean wantsToBeWoken;
    boolean isAnsweredTooSoon;
    boolean mayBeRemoved = true;
    private int tickets;

    private static final class Copy extends Job {
      final Piece piece;

      Copy(Piece piece) {
        this.piece = piece;
      }
    }

    @Override
    public String typeName() {
      return "keeper";
    }

    @Override
    public long lengthBytes() {
      return disk.sizeBytes();
    }

    @Override
    public Limits limits() {
      return Limits.FILE;
    }

    @Override
    public List<BlockDevice> devices() {
      return List.of(device, new SimDevice("spare", spare));
    }

    @Override
    public void attach(Effects effects) {
      own = effects;
    }

    @Override
    public void map(Operation operation, long offset, long length, int flags, Mapping answer) {
      switch (operation) {
        case READ -> {
          answer.remap(0, offset, Math.min(length, 2L * SECTOR));
          answer.track(tickets++);
        }
        case WRITE, WRITE_ZEROES, DISCARD -> answer.queue(length);
        case FLUSH -> answer.remap(0, 0, 0);
        case CACHE -> answer.complete(length, Errno.ENOTSUP);
      }
    }

    @Override
    public void queue(Piece piece, Moment now, Effects out) {
      told.add("queue " + piece);
      if (piece.operation() == Operation.DISCARD) {
        out.complete(piece, Errno.OK);
        isAnsweredTooSoon |= frame.log().getLast().startsWith("<");
        return;
      }
      long at = piece.offsetBytes();
      out.copy(new Copy(piece), 0, at, 1, at, piece.lengthBytes(), true);
    }

    @Override
    public void ended(Job job, int errno, Moment now, Effects out) {
      Piece piece = ((Copy) job).piece;
      if (errno == Errno.OK) {
        out.issue(piece, 0, piece.offsetBytes());
      } else {
        out.complete(piece, errno);
      }
    }

    @Override
    public boolean endIo(int ticket) {
      givenBack.add(ticket);
      return wantsToBeWoken;
    }

    @Override
    public void wake(Moment now, Effects out) {
      told.add("wake");
    }

    @Override
    public void suspend(Moment now, Effects out) {
      told.add("suspend");
    }

    @Override
    public boolean isRemoved() {
      return mayBeRemoved;
    }

    @Override
    public void close() {
      told.add("close");
    }

    @Override
    public String status() {
      return "";
    }

    @Override
    public String table() {
      return "";
    }
  }

  @Test
  void aRequestIsSplitAsTheTargetSaysAndEachSectorComesToItsPlace() {
    target.resume();

    SimRequest read = target.read(3, 5);
    assertThat(frame.whatIsInFlight())
        .containsExactly(
            "keeper: user READ disk 3+2",
            "keeper: user READ disk 5+2",
            "keeper: user READ disk 7+1");
    frame.finish(2);
    frame.finish(0);
    assertThat(read.isDone()).isFalse();
    frame.finish(0);

    assertThat(read.isDone()).isTrue();
    for (int sector = 3; sector < 8; sector++) {
      assertThat(read.found(sector)).isEqualTo(1001 + sector);
    }
    assertThat(keeper.givenBack).containsExactly(2, 0, 1);
  }

  @Test
  void aReadFindsWhatIsThereAtItsEndOrWhatWasThereAtItsBeginning() {
    target.resume();
    SimRequest atItsEnd = target.read(0, 1);
    frame.decideBy(() -> true);
    SimRequest atItsBeginning = target.read(0, 1);
    frame.decideBy(() -> false);
    SimRequest write = target.write(0, 1);
    frame.finish("keeper: copy-read");
    frame.finish("keeper: copy-write");
    frame.finish("keeper: user WRITE");
    frame.finishAll();

    assertThat(atItsEnd.found(0)).isEqualTo(write.stamp());
    assertThat(atItsBeginning.found(0)).isEqualTo(1001);
    assertThat(spare.intAt(0)).isEqualTo(1001);
  }

  @Test
  void effectsAreCarriedOutAfterTheCoreHasBeenLeftAndNotedInsideOnly() {
    target.resume();
    SimRequest discard = target.discard(0, 1);

    assertThat(discard.isDone()).isTrue();
    assertThat(keeper.isAnsweredTooSoon).isFalse();
    assertThatThrownBy(() -> Objects.requireNonNull(keeper.own).warn("outside"))
        .hasMessageContaining("in a core only");
  }

  @Test
  void whoAsksWhenATicketComesBackIsWoken() {
    target.resume();
    keeper.wantsToBeWoken = true;
    target.read(0, 1);
    frame.finishAll();
    assertThat(keeper.told).containsExactly("wake");
  }

  @Test
  void aWriteThatFailsHasWrittenItsFirstHalf() {
    target.resume();
    SimRequest write = target.write(4, 4);
    frame.finish("keeper: copy-read");
    frame.finish("keeper: copy-write");
    frame.fail("keeper: user WRITE");

    assertThat(write.isDone()).isTrue();
    assertThat(write.errno()).isEqualTo(Errno.EIO);
    assertThat(disk.intAt(5 * SECTOR)).isEqualTo(write.stampOf(5));
    assertThat(disk.intAt(6 * SECTOR)).isEqualTo(1007);
    assertThat(device.faults().count()).isEqualTo(1);
  }

  @Test
  void aDiskCanBeFullOrDeadAndHaveBadSectors() {
    target.resume();
    device.faults().isFull = true;
    SimRequest write = target.write(0, 1);
    frame.finishAll();
    assertThat(write.errno()).isEqualTo(Errno.ENOSPC);

    device.faults().repair();
    device.faults().badSectors.set(3);
    SimRequest bad = target.read(2, 2);
    SimRequest good = target.read(4, 1);
    frame.finishAll();
    assertThat(bad.errno()).isEqualTo(Errno.EIO);
    assertThat(good.errno()).isEqualTo(Errno.OK);

    device.faults().isDead = true;
    SimRequest flush = target.flush();
    frame.finishAll();
    assertThat(flush.errno()).isEqualTo(Errno.EIO);
  }

  @Test
  void aCopyIsMadeInPartsAndLeavesZerosOut() {
    target.resume();
    disk.completeWrite(disk.submitWrite(SECTOR, ByteBuffer.allocate(SECTOR), false));
    frame.copyPartBytes = 3 * SECTOR;
    target.write(0, 4);
    frame.finish("keeper: copy-read disk 0+3");
    frame.finish("keeper: copy-write spare 0+1");
    frame.finish("keeper: copy-write spare 2+1");
    frame.finish("keeper: copy-read disk 3+1");
    frame.finish("keeper: copy-write spare 3+1");
    frame.finish("keeper: user WRITE disk 0+4");
    assertThat(frame.inFlight()).isZero();
  }

  @Test
  void aThreadMayComeToTheCoreLater() {
    target.resume();
    frame.decideBy(() -> true);
    target.write(0, 1);
    assertThat(keeper.told).isEmpty();
    frame.finish("keeper: queue WRITE");
    assertThat(keeper.told).hasSize(1);
  }

  @Test
  void aSuspendWaitsForRequestsAndHoldsNewOnes() {
    target.resume();
    target.read(0, 1);
    target.suspend();
    SimRequest held = target.read(1, 1);
    assertThat(keeper.told).isEmpty();
    assertThat(frame.inFlight()).isEqualTo(1);

    frame.finishAll();
    assertThat(keeper.told).containsExactly("suspend");
    assertThat(target.isSuspended()).isTrue();
    assertThat(held.isDone()).isFalse();

    target.resume();
    frame.finishAll();
    assertThat(held.isDone()).isTrue();
  }

  @Test
  void aTargetIsClosedWhenItSaysThatItIsRemoved() {
    keeper.mayBeRemoved = false;
    target.remove();
    assertThat(target.isRemoved()).isFalse();

    keeper.mayBeRemoved = true;
    frame.second();
    frame.tell(now -> {});
    assertThat(target.isRemoved()).isTrue();
    assertThat(keeper.told).containsExactly("close");
    assertThat(frame.targets()).isEmpty();
  }
}
