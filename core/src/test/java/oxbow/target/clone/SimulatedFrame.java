package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.sim.SimDisk;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Piece;

/**
 * What carries a core's decisions out, without threads, files or time: each effect becomes I/O in
 * flight that ends when the test, or a seed, says so; errors are as the test wants them.
 */
abstract class SimulatedFrame extends SimulatedQueue implements Effects {
  static final int SECTOR = 512;

  /** Part of a buffer that the core forgot to fill. */
  private static final int GARBAGE = -99;

  /** No more extents than this come in one answer: the core has to ask again. */
  private static final int EXTENTS_PER_ANSWER = 3;

  /** A piece as the user sees it: it remembers its request. */
  static final class UserPiece extends Piece {
    @Nullable UserRequest request;

    /** Answered by a defect before its time. */
    boolean isAnswered;

    UserRequest request() {
      return Objects.requireNonNull(request);
    }
  }

  /** A region's contents while a merge is under way, and what of them the source holds. */
  private record Merge(int base, int[] buffer, int readFrom, int readTo) {}

  final Defect defect;
  final int[] source;
  final SimulatedDestination destination;
  final BitSet sourceHoles = new BitSet();
  final BitSet badSourceSectors = new BitSet();
  final List<String> events = new ArrayList<>();
  final List<String> warnings = new ArrayList<>();

  /** Pieces that a defect answers at the end of the running flush or commit. */
  final List<UserPiece> sharing = new ArrayList<>();

  /** Flushes that wait for a turn to begin; only a defect asks. */
  final List<UserPiece> flushesWaiting = new ArrayList<>();

  long wakeAtNanos = Long.MAX_VALUE;
  int failingSourceReads;
  int failingFlushes;
  int failingExtents;

  /** So many reads that would hydrate find no free buffer. */
  int missingBuffers;

  /** A defect's belief that the destination held zeros at first and does so still. */
  private final boolean believesInZeros;

  /** Called at each answer to the user, before the core has been left. */
  Runnable whenAnswered = () -> {};

  private int faults;

  SimulatedFrame(Defect defect, int[] source, SimDisk destination, boolean isDestinationZero) {
    this.defect = defect;
    this.believesInZeros =
        defect == Defect.BELIEVE_IN_ZEROS_AFTER_A_FAILED_WRITE && isDestinationZero;
    this.source = source;
    this.destination = new SimulatedDestination(destination);
  }

  /** Tells the core of a job's end. */
  abstract void ended(Job job, int errno);

  /** Whether any error has been injected: requests may have failed. */
  boolean hadFaults() {
    return faults + destination.faults > 0;
  }

  /** An injected error has happened. */
  int fault(int errno) {
    faults++;
    return errno;
  }

  // Faults.

  /** Whether {@link #fail} can make this I/O in flight fail. */
  final boolean canFail(int index) {
    String what = inFlight.get(index).what();
    return !what.startsWith("user READ destination") && !what.startsWith("user CACHE");
  }

  /** Ends I/O in flight with an error. */
  final void fail(int index) {
    String what = inFlight.get(index).what();
    if (what.equals("flush")) {
      failingFlushes = 1;
    } else if (what.equals("commit")) {
      failCommit();
    } else if (what.startsWith("extents")) {
      failingExtents = 1;
    } else if (what.contains("read") || what.startsWith("user READ")) {
      failingSourceReads = 1;
    } else {
      destination.failingWrites = 1;
    }
    finish(index);
  }

  /** The next commit fails. */
  abstract void failCommit();

  // Devices.

  /** Submits a write to the destination; {@code then} gets its result when it ends. */
  private void startWrite(String what, int first, int[] data, IntConsumer then) {
    startWrite(what, destination.submit(first, data, false, false), then);
  }

  private void startWrite(String what, SimulatedDestination.Write write, IntConsumer then) {
    start(what, () -> then.accept(destination.end(write)));
  }

  private void endWrite(Job job, int errno) {
    ended(job, defect == Defect.RECORD_A_FAILED_WRITE ? Errno.OK : errno);
  }

  private static int sector(long bytes) {
    return Math.toIntExact(bytes / SECTOR);
  }

  private static int[] values(int count, int value) {
    int[] values = new int[count];
    Arrays.fill(values, value);
    return values;
  }

  private int checkSource(int firstSector, int count) {
    if (failingSourceReads > 0) {
      failingSourceReads--;
      return fault(Errno.EIO);
    }
    int bad = badSourceSectors.nextSetBit(firstSector);
    return bad >= 0 && bad < firstSector + count ? fault(Errno.EIO) : Errno.OK;
  }

  /** A piece goes to a device as it is. */
  final void issueNow(UserPiece piece, int slot) {
    int first = sector(piece.offsetBytes());
    int count = sector(piece.lengthBytes());
    String where = (slot == CloneCore.SOURCE ? " source " : " destination ") + first + "+" + count;
    String what = "user " + piece.operation() + where + (piece.isFua() ? " FUA" : "");
    if (!piece.operation().changesData()) {
      start(what, () -> end(piece, read(piece, slot, first, count)));
      return;
    }
    assertThat(slot).as("C11: the source is never written").isEqualTo(CloneCore.DESTINATION);
    boolean isFua = piece.isFua() && defect != Defect.FORGET_FUA;
    int[] data = values(count, piece.request().value);
    startWrite(what, destination.submit(first, data, false, isFua), errno -> end(piece, errno));
  }

  /** READ; and CACHE, which brings nothing. */
  private int read(UserPiece piece, int slot, int first, int count) {
    if (piece.operation() != Operation.READ) {
      return Errno.OK;
    }
    UserRequest request = piece.request();
    boolean isSource = slot == CloneCore.SOURCE;
    for (int i = first; i < first + count; i++) {
      request.found[i - request.firstSector] = isSource ? source[i] : destination.contents(i);
    }
    return isSource ? checkSource(first, count) : Errno.OK;
  }

  /** The user hears of a piece's end. */
  final void end(UserPiece piece, int errno) {
    if (piece.isAnswered) {
      return;
    }
    UserRequest request = piece.request();
    if (errno != Errno.OK && request.errno == Errno.OK) {
      request.errno = errno;
    }
    request.outstanding--;
    whenAnswered.run();
  }

  /** A defect answers a piece before its time; the true answer goes nowhere. */
  final void answerEarly(Piece piece) {
    UserPiece user = (UserPiece) piece;
    end(user, Errno.OK);
    user.isAnswered = true;
  }

  private void answerFuaEarly(Piece piece, Defect wanted) {
    if (defect == wanted && piece.isFua()) {
      answerEarly(piece);
    }
  }

  // Effects.

  @Override
  public void complete(Piece piece, int errno) {
    end((UserPiece) piece, errno);
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes, int ticket) {
    assertThat(offsetBytes).isEqualTo(piece.offsetBytes());
    issueNow((UserPiece) piece, slot);
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    String what = "user " + operation + " destination " + first + "+" + count;
    startWrite(what, first, new int[count], errno -> end((UserPiece) piece, errno));
  }

  @Override
  public void read(Job job, Piece piece, int slot, long offsetBytes) {
    throw new UnsupportedOperationException("a clone reads for users as they ask");
  }

  @Override
  public void writeBytes(Job job, byte[] bytes, int slot, long offsetBytes, int flags) {
    throw new UnsupportedOperationException("a clone has no bytes of its own");
  }

  @Override
  public void run(Job job, BlockingTask task) {
    throw new UnsupportedOperationException("a clone commits after a flush");
  }

  @Override
  public void write(
      Job job,
      Piece piece,
      long partBytes,
      long lengthBytes,
      int slot,
      long offsetBytes,
      int flags) {
    int first = sector(offsetBytes);
    int[] data = values(sector(lengthBytes), ((UserPiece) piece).request().value);
    startWrite(
        "overwrite " + first + "+" + data.length,
        first,
        data,
        errno -> {
          if (errno == Errno.OK) {
            answerFuaEarly(piece, Defect.ANSWER_FUA_BEFORE_COMMIT);
          }
          endWrite(job, errno);
        });
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    String what = "range " + operation + " " + first + "+" + count;
    boolean isHole = ((Hydration) job).isBackground();
    if (isHole ? defect == Defect.NEVER_WRITE_HOLES || believesInZeros : forgetsZeros(operation)) {
      start(what, () -> ended(job, Errno.OK));
    } else if (defect == Defect.RECORD_DISCARD_BEFORE_IT_ENDS && !isHole) {
      start("recorded", () -> ended(job, Errno.OK));
      startWrite(what, first, new int[count], errno -> {});
    } else {
      startWrite(what, first, new int[count], errno -> endWrite(job, errno));
    }
  }

  private boolean forgetsZeros(Operation operation) {
    return defect == Defect.DISCARD_WITHOUT_ZEROS && operation == Operation.WRITE_ZEROES;
  }

  @Override
  public void copy(
      Job job,
      int fromSlot,
      long fromBytes,
      int toSlot,
      long toBytes,
      long lengthBytes,
      boolean skipZeros) {
    assertThat(toBytes).isEqualTo(fromBytes);
    int first = sector(fromBytes);
    int count = sector(lengthBytes);
    boolean skips = skipZeros || believesInZeros;
    start(
        "copy-read " + first + "+" + count,
        () -> {
          int errno = checkSource(first, count);
          if (errno != Errno.OK) {
            ended(job, errno);
            return;
          }
          int[] data = Arrays.copyOfRange(source, first, first + count);
          var write = destination.submit(first, data, skips, false);
          boolean isEarly = defect == Defect.RECORD_BEFORE_WRITE_ENDS;
          startWrite(
              "copy-write " + first + "+" + count,
              write,
              result -> {
                if (!isEarly) {
                  endWrite(job, result);
                }
              });
          if (isEarly) {
            ended(job, Errno.OK);
          }
        });
  }

  @Override
  public void readThrough(
      Job job,
      Piece piece,
      int fromSlot,
      int toSlot,
      long baseBytes,
      long lengthBytes,
      boolean skipZeros) {
    UserPiece user = (UserPiece) piece;
    if (missingBuffers > 0) {
      missingBuffers--;
      issueNow(user, fromSlot);
      start("no buffer", () -> ended(job, Errno.EAGAIN));
      return;
    }
    int base = sector(baseBytes);
    int count = sector(lengthBytes);
    int from = sector(piece.offsetBytes());
    int to = from + sector(piece.lengthBytes());
    boolean skips = skipZeros || believesInZeros;
    start(
        "through-read " + from + "+" + (to - from),
        () -> {
          int errno = read(user, fromSlot, from, to - from);
          end(user, errno);
          if (errno != Errno.OK) {
            ended(job, errno);
          } else if (from == base && to == base + count) {
            writeThrough(job, base, count, skips);
          } else {
            readTheRest(job, base, count, from, to, skips);
          }
        });
  }

  private void readTheRest(Job job, int base, int count, int from, int to, boolean skips) {
    start(
        "through-rest " + base + "+" + count,
        () -> {
          int errno = checkSource(base, from - base);
          errno = errno == Errno.OK ? checkSource(to, base + count - to) : errno;
          if (errno == Errno.OK) {
            writeThrough(job, base, count, skips);
          } else {
            ended(job, errno);
          }
        });
  }

  private void writeThrough(Job job, int base, int count, boolean skips) {
    int[] data = Arrays.copyOfRange(source, base, base + count);
    boolean isEarly = defect == Defect.RECORD_A_READ_WHEN_IT_IS_ANSWERED;
    startWrite(
        "through-write " + base + "+" + count,
        destination.submit(base, data, skips, false),
        result -> {
          if (!isEarly) {
            endWrite(job, result);
          }
        });
    if (isEarly) {
      ended(job, Errno.OK);
    }
  }

  @Override
  public void readForMerge(
      Job job, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes) {
    int from = sector(readFromBytes);
    int to = sector(readToBytes);
    start(
        "merge-read " + from + "+" + (to - from),
        () -> {
          int errno = checkSource(from, to - from);
          int base = sector(baseBytes);
          int[] buffer = values(sector(lengthBytes), GARBAGE);
          System.arraycopy(source, from, buffer, from - base, to - from);
          job.frame = errno == Errno.OK ? new Merge(base, buffer, from, to) : null;
          ended(job, errno);
        });
  }

  @Override
  public void writeMerged(Job job, Piece pieces, int slot, long toBytes) {
    Merge merge = (Merge) Objects.requireNonNull(job.frame);
    assertThat(sector(toBytes)).isEqualTo(merge.base);
    job.frame = null;
    for (Piece piece = pieces; piece != null; piece = piece.next) {
      int at = sector(piece.offsetBytes()) - merge.base;
      int value = ((UserPiece) piece).request().value;
      Arrays.fill(merge.buffer, at, at + sector(piece.lengthBytes()), value);
      if (defect == Defect.ANSWER_BEFORE_MERGED_WRITE) {
        answerEarly(piece);
      }
    }
    if (defect == Defect.READ_OVER_MERGED_WRITE) {
      int at = merge.readFrom - merge.base;
      System.arraycopy(source, merge.readFrom, merge.buffer, at, merge.readTo - merge.readFrom);
    }
    startWrite(
        "merge-write " + merge.base + "+" + merge.buffer.length,
        merge.base,
        merge.buffer,
        errno -> {
          for (Piece piece = pieces; errno == Errno.OK && piece != null; piece = piece.next) {
            answerFuaEarly(piece, Defect.ANSWER_FUA_MERGE_BEFORE_COMMIT);
          }
          endWrite(job, errno);
        });
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    List<UserPiece> waiting = List.copyOf(flushesWaiting);
    flushesWaiting.clear();
    if (task == null) {
      if (defect == Defect.ANSWER_FLUSH_WITHOUT_FLUSH) {
        start("flush", () -> ended(job, Errno.OK));
      } else {
        startFlush(() -> ended(job, Errno.OK), job);
      }
      return;
    }
    Runnable commit = () -> start("commit", () -> endCommit(job, task.run()));
    switch (defect) {
      case COMMIT_BEFORE_FLUSH ->
          start(
              "commit",
              () -> {
                int errno = task.run();
                startFlush(() -> ended(job, errno), job);
              });
      case COMMIT_WITHOUT_FLUSH -> commit.run();
      case ANSWER_FLUSH_BEFORE_COMMIT ->
          startFlush(
              () -> {
                waiting.forEach(this::answerEarly);
                commit.run();
              },
              job);
      default -> startFlush(commit, job);
    }
  }

  private void endCommit(Job job, int errno) {
    if (defect == Defect.SHARE_A_RUNNING_COMMIT) {
      answerSharing();
    }
    ended(job, errno);
  }

  private void answerSharing() {
    sharing.forEach(this::answerEarly);
    sharing.clear();
  }

  private void startFlush(Runnable then, Job job) {
    SimDisk.Flush flush = destination.disk.submitFlush();
    start(
        "flush",
        () -> {
          if (failingFlushes > 0) {
            failingFlushes--;
            int errno = fault(Errno.EIO);
            destination.disk.failFlush(flush);
            if (defect == Defect.RETRY_A_FAILED_FLUSH) {
              then.run();
            } else {
              ended(job, errno);
            }
            return;
          }
          destination.disk.completeFlush(flush);
          if (defect == Defect.SHARE_A_RUNNING_FLUSH) {
            answerSharing();
          }
          then.run();
        });
  }

  @Override
  public void releaseBuffers() {
    assertThat(inFlight)
        .as("M7: nobody has a buffer any more")
        .extracting(InFlight::what)
        .noneMatch(what -> what.matches("(copy|merge|through)-.*"));
  }

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes) {
    start("extents " + sector(offsetBytes), () -> answerExtents(query, offsetBytes, lengthBytes));
  }

  private void answerExtents(ExtentQuery query, long offsetBytes, long lengthBytes) {
    if (failingExtents > 0) {
      failingExtents--;
      ended(query, Errno.EIO);
      return;
    }
    int at = sector(offsetBytes);
    int end = at + sector(lengthBytes);
    for (int n = 0; at < end && n < EXTENTS_PER_ANSWER; n++) {
      boolean isHole = sourceHoles.get(at);
      int next = isHole ? sourceHoles.nextClearBit(at) : sourceHoles.nextSetBit(at);
      next = next < 0 || next > end ? end : next;
      query.add((long) (next - at) * SECTOR, isHole);
      at = next;
    }
    ended(query, Errno.OK);
  }

  @Override
  public void wakeAt(long nanos) {
    wakeAtNanos = Math.min(wakeAtNanos, nanos);
  }

  @Override
  public void event(String why) {
    events.add(why);
  }

  @Override
  public void warn(String what) {
    warnings.add(what);
    log.add("warning: " + what);
  }
}
