package oxbow.target.bow;

import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.Geometry;
import oxbow.target.InFlightEpochs;
import oxbow.target.Mapping;

/**
 * Where a request goes, from memory alone and without a lock.
 *
 * <p>What may have to be waited for, because a state ends or block 0 moves, takes a ticket first
 * and looks at the view afterwards; the core changes the view first and waits for tickets
 * afterwards. Both are volatile: so either the core waits for the request, or the request finds the
 * new view. That is every request for block 0, and in state 0 every write and flush.
 *
 * <p>A ticket that turns out not to be needed goes back before the piece is queued. If the core
 * waited for it, it looks again when the piece comes (B7).
 *
 * <p>State 0, a write finds that a block is not free: then no discard of it has been answered, or a
 * write of it has been since. State 1, a write finds that a block is changed: then what was there
 * is saved, and the log durable; this is never taken back.
 */
final class BowMapper {
  /** The most that is prepared as one piece. */
  private static final long MOST_BYTES = 1 << 20;

  private final BowCore core;
  private final Geometry blocks;
  private final InFlightEpochs epochs;
  private final boolean canDiscard;

  BowMapper(BowCore core, Geometry blocks, InFlightEpochs epochs, boolean canDiscard) {
    this.core = core;
    this.blocks = blocks;
    this.epochs = epochs;
    this.canDiscard = canDiscard;
  }

  void map(Operation operation, long offsetBytes, long lengthBytes, Mapping answer) {
    boolean isInBlock0 = offsetBytes < blocks.partBytes();
    switch (operation) {
      case FLUSH -> mapFlush(lengthBytes, answer);
      case DISCARD -> mapDiscard(offsetBytes, lengthBytes, answer);
      case READ, CACHE -> {
        if (isInBlock0) {
          mapBlock0(false, offsetBytes, lengthBytes, answer);
        } else {
          pass(offsetBytes, lengthBytes, answer);
        }
      }
      case WRITE, WRITE_ZEROES -> {
        if (isInBlock0) {
          mapBlock0(true, offsetBytes, lengthBytes, answer);
        } else {
          mapWrite(offsetBytes, lengthBytes, answer);
        }
      }
    }
  }

  /** Where the bytes lie; what is held is found where it was last. */
  void locate(long offsetBytes, long lengthBytes, Mapping answer) {
    if (offsetBytes < blocks.partBytes()) {
      long accepted = Math.min(lengthBytes, blocks.partBytes() - offsetBytes);
      pass(Math.max(0, core.view().block0Bytes()) + offsetBytes, accepted, answer);
    } else {
      pass(offsetBytes, lengthBytes, answer);
    }
  }

  private static void pass(long atBytes, long lengthBytes, Mapping answer) {
    answer.remap(BowCore.DEVICE, atBytes, lengthBytes);
  }

  /** In state 1 the core has to hear whether it has failed; in state 0 only that it has ended. */
  private void mapFlush(long lengthBytes, Mapping answer) {
    BowView before = core.view();
    if (before.isCommitted() && !before.owesFlushError()) {
      pass(0, lengthBytes, answer);
      return;
    }
    int ticket = epochs.enter();
    BowView view = core.view();
    if (view.isTrim() && !view.owesFlushError()) {
      pass(0, lengthBytes, answer);
      answer.track(ticket);
    } else {
      epochs.leave(ticket);
      answer.queue(lengthBytes);
    }
  }

  /** A request never goes beyond block 0 if it begins there (section 8, 17). */
  private void mapBlock0(boolean isWrite, long offsetBytes, long lengthBytes, Mapping answer) {
    long accepted = Math.min(lengthBytes, blocks.partBytes() - offsetBytes);
    if (core.view().isCommitted()) {
      pass(offsetBytes, accepted, answer);
      return;
    }
    int ticket = epochs.enter();
    BowView view = core.view();
    boolean isRefused = isWrite && (view.isFailed() || (view.isTrim() && view.bits().isSet(0)));
    if (view.holdsBlock0() || isRefused) {
      epochs.leave(ticket);
      answer.queue(accepted);
    } else {
      pass(view.block0Bytes() + offsetBytes, accepted, answer);
      answer.track(ticket);
    }
  }

  private void mapWrite(long offsetBytes, long lengthBytes, Mapping answer) {
    BowView view = core.view();
    if (view.isCommitted()) {
      pass(offsetBytes, lengthBytes, answer);
    } else if (view.isCheckpoint()) {
      mapCheckpointed(view, offsetBytes, lengthBytes, answer);
    } else {
      mapTrim(offsetBytes, lengthBytes, answer);
    }
  }

  private void mapTrim(long offsetBytes, long lengthBytes, Mapping answer) {
    int ticket = epochs.enter();
    BowView view = core.view();
    long end = endBlock(offsetBytes, lengthBytes);
    if (view.isTrim() && view.bits().next(true, blocks.partOf(offsetBytes), end) == end) {
      pass(offsetBytes, lengthBytes, answer);
      answer.track(ticket);
    } else {
      epochs.leave(ticket);
      answer.queue(lengthBytes);
    }
  }

  private void mapCheckpointed(BowView view, long offset, long length, Mapping answer) {
    long first = blocks.partOf(offset);
    long end = endBlock(offset, length);
    if (view.bits().isSet(first)) {
      pass(offset, cut(offset, length, view.bits().next(false, first, end)), answer);
    } else {
      long most = cut(offset, length, view.bits().next(true, first, end));
      answer.queue(Math.min(most, MOST_BYTES - (offset & blocks.partBytes() - 1)));
    }
  }

  /** O31: only what has been written since can be given up. */
  private void mapDiscard(long offsetBytes, long lengthBytes, Mapping answer) {
    BowView view = core.view();
    if (view.isCommitted()) {
      discard(offsetBytes, lengthBytes, answer);
    } else if (view.isCheckpoint()) {
      long first = blocks.partOf(offsetBytes);
      long end = endBlock(offsetBytes, lengthBytes);
      boolean isChanged = view.bits().isSet(first);
      long accepted = cut(offsetBytes, lengthBytes, view.bits().next(!isChanged, first, end));
      if (isChanged) {
        discard(offsetBytes, accepted, answer);
      } else {
        answer.complete(accepted, Errno.OK);
      }
    } else {
      answer.queue(lengthBytes);
    }
  }

  private void discard(long offsetBytes, long lengthBytes, Mapping answer) {
    if (canDiscard) {
      pass(offsetBytes, lengthBytes, answer);
    } else {
      answer.complete(lengthBytes, Errno.OK);
    }
  }

  private long endBlock(long offsetBytes, long lengthBytes) {
    return blocks.partOf(offsetBytes + lengthBytes - 1) + 1;
  }

  private long cut(long offsetBytes, long lengthBytes, long endBlock) {
    return Math.min(lengthBytes, blocks.startOf(endBlock) - offsetBytes);
  }
}
