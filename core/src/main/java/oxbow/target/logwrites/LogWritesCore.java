package oxbow.target.logwrites;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.format.logwrites.LogEntry;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Piece;

/**
 * Which writes enter the log, and in which order. A write is logged when the device has completed
 * it, and answered when it is in the log. A flush entry says that all before it is durable: writes
 * that the device completes while it flushes come after the flush's entry, since nobody knows
 * whether it covered them. One flush runs at a time; those that come meanwhile share the next.
 *
 * <p>A log that has stopped makes every later change fail: a run whose log is not whole must not
 * pass for one whose log is.
 */
final class LogWritesCore {
  private static final int DEVICE = 0;

  /** A change on its way: first to the device, then to the log. */
  private static final class Change extends Job {
    final Piece piece;
    boolean isOnDevice;

    Change(Piece piece) {
      this.piece = piece;
    }
  }

  private final WriteLog log;
  private final long baseBytes;
  private final boolean canDiscard;

  /** Flushes that wait for the next turn. */
  private List<Piece> flushesWaiting = new ArrayList<>();

  /** Flushes of the present turn; empty when none runs. */
  private List<Piece> flushesRunning = List.of();

  private final Job flush = new Job();
  private final Job sync = new Job();

  /** Completed while the device flushes. */
  private List<Change> behindFlush = new ArrayList<>();

  private int marksInFlight;
  private boolean isSyncing;
  private boolean hasToldOfStop;

  /**
   * @param baseBytes where the target's window of the log begins
   */
  LogWritesCore(WriteLog log, long baseBytes, boolean canDiscard) {
    this.log = log;
    this.baseBytes = baseBytes;
    this.canDiscard = canDiscard;
  }

  void queue(Piece piece, Effects out) {
    if (log.errno() != Errno.OK) {
      tellOfStop(out);
      out.complete(piece, Errno.EIO);
      return;
    }
    Change change = new Change(piece);
    switch (piece.operation()) {
      case WRITE, WRITE_ZEROES ->
          out.write(
              change, piece, 0, piece.lengthBytes(), DEVICE, piece.offsetBytes(), piece.flags());
      case DISCARD -> {
        if (canDiscard) {
          out.range(
              change,
              DEVICE,
              Operation.DISCARD,
              piece.offsetBytes(),
              piece.lengthBytes(),
              piece.flags());
        } else {
          reachedDevice(change, out);
        }
      }
      case FLUSH -> {
        flushesWaiting.add(piece);
        flushNext(out);
      }
      case READ, CACHE -> throw new IllegalStateException("reads are not logged: " + piece);
    }
  }

  void ended(Job job, int errno, Effects out) {
    switch (job) {
      case Change change -> {
        if (errno != Errno.OK || change.isOnDevice) {
          // Of a write that failed nothing is known: neither its data nor its absence is logged.
          answer(change.piece, errno, change.isOnDevice, out);
        } else {
          reachedDevice(change, out);
        }
      }
      case Mark mark -> marksInFlight--;
      default -> {
        if (job == sync) {
          isSyncing = false;
        } else {
          flushEnded(errno, out);
        }
      }
    }
    if (log.errno() != Errno.OK) {
      tellOfStop(out);
    }
  }

  private void reachedDevice(Change change, Effects out) {
    if (flushesRunning.isEmpty()) {
      append(change, out);
    } else {
      behindFlush.add(change);
    }
  }

  private void append(Change change, Effects out) {
    Piece piece = change.piece;
    change.isOnDevice = true;
    long flags = piece.isFua() ? LogEntry.FUA : 0;
    @Nullable MemorySegment data = null;
    if (piece.operation() == Operation.DISCARD) {
      flags |= LogEntry.DISCARD;
    } else if (piece.operation() == Operation.WRITE) {
      data = piece.data().asSlice(piece.dataOffset(), piece.lengthBytes());
    }
    long place = log.add(flags, baseBytes + piece.offsetBytes(), piece.lengthBytes(), data);
    out.run(change, () -> log.write(place));
  }

  private static void answer(Piece piece, int errno, boolean isOfLog, Effects out) {
    out.complete(piece, errno == Errno.OK || !isOfLog ? errno : Errno.EIO);
  }

  private void flushNext(Effects out) {
    if (!flushesRunning.isEmpty() || flushesWaiting.isEmpty()) {
      return;
    }
    flushesRunning = flushesWaiting;
    flushesWaiting = new ArrayList<>();
    out.flushThen(flush, DEVICE, () -> log.write(log.add(LogEntry.FLUSH, baseBytes, 0, null)));
  }

  private void flushEnded(int errno, Effects out) {
    boolean isOfLog = log.errno() != Errno.OK;
    flushesRunning.forEach(piece -> answer(piece, errno, isOfLog, out));
    flushesRunning = List.of();
    List<Change> behind = behindFlush;
    behindFlush = new ArrayList<>();
    behind.forEach(change -> append(change, out));
    flushNext(out);
  }

  /** A mark in the log. */
  private static final class Mark extends Job {}

  /** Comes after all that was answered, and before all that is asked for from now on. */
  void mark(String text, Effects out) {
    marksInFlight++;
    long place = log.addMark(text);
    out.run(new Mark(), () -> log.write(place));
  }

  void suspend(Effects out) {
    if (!isSyncing) {
      isSyncing = true;
      out.run(sync, log::sync);
    }
  }

  boolean isSuspended() {
    return !isSyncing && marksInFlight == 0;
  }

  private void tellOfStop(Effects out) {
    if (!hasToldOfStop) {
      hasToldOfStop = true;
      String why =
          log.errno() == Errno.ENOSPC
              ? "Ran out of space on the logdev"
              : "Error writing to the logdev: " + Errno.describe(log.errno());
      out.warn(why + ": logging has stopped, and every further change fails");
      out.event("logging has stopped");
    }
  }
}
