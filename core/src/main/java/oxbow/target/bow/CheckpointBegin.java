package oxbow.target.bow;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Sectors;
import oxbow.format.bow.BowChecksum;
import oxbow.format.bow.BowEntry;
import oxbow.target.Effects;
import oxbow.target.Job;

/**
 * From state 0 to 1: waits for what is on its way (O30), copies block 0 to where users find it from
 * now on and to where it is saved, flushes, and writes the first log, which is one sector.
 *
 * <p>The ranges of state 1 are made aside; if anything fails they are forgotten, and state 0 goes
 * on with its own (section 8, 13). Until the log is written nothing has changed but free blocks. If
 * that write fails it is not known what block 0 holds, and the sector that was there is put back.
 */
final class CheckpointBegin {
  /** Where block 0 is for users, its saved copy, and what is kept for the next log. */
  static final int NEEDED_BLOCKS = 3;

  private enum Step {
    IDLE,
    DRAINS,
    COPIES_BLOCK0,
    SAVES_BLOCK0,
    FLUSHES,
    WRITES_LOG,
    PUTS_BACK
  }

  private final BowCore core;
  private final Effects out;
  private final int blockBytes;
  private final byte[] block0;
  private final Job job =
      new Job() {
        @Override
        public void dataRead(long offsetBytes, MemorySegment data, long lengthBytes) {
          MemorySegment.copy(
              data, ValueLayout.JAVA_BYTE, 0, block0, (int) offsetBytes, (int) lengthBytes);
        }
      };
  private Step step = Step.IDLE;
  private long awaited;
  private @Nullable BowRanges ranges;
  private long current0;
  private long reserve;
  private byte[] log = {};
  private int firstErrno;

  CheckpointBegin(BowCore core, Effects out, int blockBytes) {
    this.core = core;
    this.out = out;
    this.blockBytes = blockBytes;
    this.block0 = new byte[blockBytes];
  }

  boolean isIdle() {
    return step == Step.IDLE;
  }

  boolean owns(Job ended) {
    return ended == job;
  }

  /** Why a checkpoint cannot begin; empty if it can. */
  static String problem(BowRanges now) {
    if (now.at(0).type() != RangeType.UNCHANGED) {
      return "block 0 has been discarded: there is no place for the log";
    }
    return now.freeBlocks() < NEEDED_BLOCKS
        ? "no space: %d blocks are free, %d are needed".formatted(now.freeBlocks(), NEEDED_BLOCKS)
        : "";
  }

  /** Begins; the view holds new writes back already. */
  void begin() {
    step = Step.DRAINS;
    awaited = core.epochs().await();
    lookAgain();
  }

  /** Something has ended that may be what this waits for. */
  void lookAgain() {
    if (step == Step.DRAINS && core.epochs().isOver(awaited)) {
      copyBlock0();
    }
  }

  private void copyBlock0() {
    String problem = problem(core.ranges());
    if (!problem.isEmpty()) {
      failed(problem);
      return;
    }
    BowRanges next = new BowRanges(core.ranges());
    next.set(0, 1, RangeType.SECTOR0);
    current0 = next.take(1, RangeType.SECTOR0_CURRENT).first();
    ranges = next;
    step = Step.COPIES_BLOCK0;
    out.copy(job, BowCore.DEVICE, 0, BowCore.DEVICE, current0 * blockBytes, blockBytes, false);
  }

  void ended(int errno) {
    if (step == Step.PUTS_BACK) {
      putBack(errno);
    } else if (errno != Errno.OK && step == Step.WRITES_LOG) {
      firstErrno = errno;
      step = Step.PUTS_BACK;
      byte[] sector = Arrays.copyOf(block0, Sectors.SIZE_BYTES);
      out.writeBytes(job, sector, BowCore.DEVICE, 0, Flags.FUA);
    } else if (errno != Errno.OK) {
      if (step == Step.FLUSHES) {
        core.flushes().owe();
      }
      failed(Errno.describe(errno));
    } else {
      goOn();
    }
  }

  private void goOn() {
    BowRanges next = ranges;
    if (next == null) {
      throw new IllegalStateException("no I/O in step " + step);
    }
    switch (step) {
      case COPIES_BLOCK0 -> {
        long saved = next.take(1, RangeType.BACKUP).first();
        reserve = next.take(1, RangeType.RESERVED).first();
        long checksum = BowChecksum.of(0, block0);
        BowEntry entry = new BowEntry(0, sector(saved), blockBytes, checksum);
        log = BowLogWriter.firstSector(blockBytes, sector(current0), entry);
        step = Step.SAVES_BLOCK0;
        out.writeBytes(job, block0.clone(), BowCore.DEVICE, saved * blockBytes, 0);
      }
      case SAVES_BLOCK0 -> {
        step = Step.FLUSHES;
        out.flushThen(job, BowCore.DEVICE, null);
      }
      case FLUSHES -> {
        step = Step.WRITES_LOG;
        out.writeBytes(job, log.clone(), BowCore.DEVICE, 0, Flags.FUA);
      }
      case WRITES_LOG -> {
        step = Step.IDLE;
        ranges = null;
        core.checkpointed(next, log, current0, reserve);
      }
      case IDLE, DRAINS, PUTS_BACK -> throw new IllegalStateException("no I/O in step " + step);
    }
  }

  private long sector(long block) {
    return block * Sectors.fromBytes(blockBytes);
  }

  private void putBack(int errno) {
    String why = Errno.describe(firstErrno);
    if (errno == Errno.OK) {
      failed(why);
    } else {
      step = Step.IDLE;
      core.fail("the first log could not be written, nor block 0 put back: " + why);
    }
  }

  private void failed(String why) {
    step = Step.IDLE;
    ranges = null;
    core.notCheckpointed(why);
  }
}
