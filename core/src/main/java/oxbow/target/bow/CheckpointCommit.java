package oxbow.target.bow;

import oxbow.block.Errno;
import oxbow.block.Sectors;
import oxbow.target.Effects;
import oxbow.target.Job;

/**
 * From state 1 to 2: waits until nothing is being saved and no request for block 0 is on its way,
 * then copies that block back to where it belongs: all sectors but the first, durably, and then the
 * first. Until it the header is there, so that rolling forward finishes what was interrupted
 * (section 6).
 */
final class CheckpointCommit {
  private enum Step {
    IDLE,
    AWAITS_COPIES,
    DRAINS,
    COPIES_TAIL,
    FLUSHES_TAIL,
    COPIES_HEADER,
    FLUSHES_HEADER
  }

  private final BowCore core;
  private final Effects out;
  private final int blockBytes;
  private final Job job = new Job();
  private Step step = Step.IDLE;
  private long awaited;

  CheckpointCommit(BowCore core, Effects out, int blockBytes) {
    this.core = core;
    this.out = out;
    this.blockBytes = blockBytes;
  }

  boolean isIdle() {
    return step == Step.IDLE;
  }

  boolean owns(Job ended) {
    return ended == job;
  }

  /** Begins; the view holds requests for block 0 back already. */
  void begin() {
    step = Step.AWAITS_COPIES;
    lookAgain();
  }

  /** Something has ended that may be what this waits for. */
  void lookAgain() {
    if (step == Step.AWAITS_COPIES && core.isSavingNothing()) {
      step = Step.DRAINS;
      awaited = core.epochs().await();
    }
    if (step == Step.DRAINS && core.epochs().isOver(awaited)) {
      if (blockBytes > Sectors.SIZE_BYTES) {
        step = Step.COPIES_TAIL;
        copy(Sectors.SIZE_BYTES, blockBytes - Sectors.SIZE_BYTES);
      } else {
        copyHeader();
      }
    }
  }

  private void copyHeader() {
    step = Step.COPIES_HEADER;
    copy(0, Sectors.SIZE_BYTES);
  }

  private void copy(long atBytes, long lengthBytes) {
    long from = core.current0() * blockBytes + atBytes;
    out.copy(job, BowCore.DEVICE, from, BowCore.DEVICE, atBytes, lengthBytes, false);
  }

  void ended(int errno) {
    if (errno != Errno.OK) {
      step = Step.IDLE;
      core.notCommitted(Errno.describe(errno));
      return;
    }
    switch (step) {
      case COPIES_TAIL -> {
        step = Step.FLUSHES_TAIL;
        out.flushThen(job, BowCore.DEVICE, null);
      }
      case FLUSHES_TAIL -> copyHeader();
      case COPIES_HEADER -> {
        step = Step.FLUSHES_HEADER;
        out.flushThen(job, BowCore.DEVICE, null);
      }
      case FLUSHES_HEADER -> {
        step = Step.IDLE;
        core.committed();
      }
      case IDLE, AWAITS_COPIES, DRAINS -> throw new IllegalStateException("no I/O in step " + step);
    }
  }
}
