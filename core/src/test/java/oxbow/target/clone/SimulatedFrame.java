package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Piece;

/**
 * What carries a core's decisions out, without threads, files or time: each effect becomes I/O in
 * flight that ends when the test, or a seed, says so; errors are as the test wants them.
 */
abstract class SimulatedFrame implements Effects {
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

  /** I/O in flight: {@code run} makes its effect, then tells the core or the user. */
  record InFlight(String what, Runnable run) {
    @Override
    public String toString() {
      return what;
    }
  }

  /** A region's contents while a merge is under way. */
  private record Merge(int base, int[] buffer) {}

  final Defect defect;
  final int[] source;
  final SimulatedDestination destination;
  final BitSet sourceHoles = new BitSet();
  final BitSet badSourceSectors = new BitSet();
  final List<InFlight> inFlight = new ArrayList<>();
  final List<String> log = new ArrayList<>();
  final List<String> events = new ArrayList<>();
  final List<String> warnings = new ArrayList<>();
  final List<UserPiece> sharingTheRunningFlush = new ArrayList<>();
  long nowNanos = 1_000_000_000L;
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

  SimulatedFrame(Defect defect, int[] source, int[] destination) {
    this.defect = defect;
    this.believesInZeros =
        defect == Defect.BELIEVE_IN_ZEROS_AFTER_A_FAILED_WRITE
            && Arrays.stream(destination).allMatch(value -> value == 0);
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

  // What is in flight.

  /** Ends everything in flight, and what follows from it, oldest first. */
  final void finishAll() {
    for (int i = 0; !inFlight.isEmpty(); i++) {
      if (i > 100_000) {
        throw new IllegalStateException("does not come to rest: " + inFlight);
      }
      finish(0);
    }
  }

  final void finish(int index) {
    InFlight io = inFlight.remove(index);
    log.add(io.what);
    nowNanos += 1000;
    io.run.run();
  }

  /** Ends the first I/O in flight whose description begins so. */
  final void finish(String what) {
    for (int i = 0; i < inFlight.size(); i++) {
      if (inFlight.get(i).what.startsWith(what)) {
        finish(i);
        return;
      }
    }
    throw new IllegalStateException("not in flight: " + what + " but " + inFlight);
  }

  final boolean isInFlight(String what) {
    return inFlight.stream().anyMatch(io -> io.what.startsWith(what));
  }

  /** Asserts what is in flight, in the order in which it began. */
  final void expectInFlight(String... expected) {
    assertThat(inFlight).extracting(InFlight::what).containsExactly(expected);
  }

  private void start(String what, Runnable run) {
    inFlight.add(new InFlight(what, run));
  }

  // Devices.

  private static int sector(long bytes) {
    return Math.toIntExact(bytes / SECTOR);
  }

  private static int[] values(int count, int value) {
    int[] values = new int[count];
    Arrays.fill(values, value);
    return values;
  }

  final int writeZeros(int firstSector, int count) {
    return destination.write(firstSector, values(count, 0));
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
    start(
        "user " + piece.operation() + where + (piece.isFua() ? " FUA" : ""),
        () -> end(piece, transfer(piece, slot, first, count)));
  }

  private int transfer(UserPiece piece, int slot, int first, int count) {
    UserRequest request = piece.request();
    boolean isSource = slot == CloneCore.SOURCE;
    switch (piece.operation()) {
      case READ -> {
        int[] from = isSource ? source : destination.contents;
        System.arraycopy(from, first, request.found, first - request.firstSector, count);
        return isSource ? checkSource(first, count) : Errno.OK;
      }
      case WRITE, WRITE_ZEROES, DISCARD -> {
        assertThat(slot).as("C11: the source is never written").isEqualTo(CloneCore.DESTINATION);
        int errno = destination.write(first, values(count, request.value));
        if (errno == Errno.OK && piece.isFua()) {
          destination.harden(first, count);
        }
        return errno;
      }
      case CACHE, FLUSH -> {
        return Errno.OK;
      }
    }
    return Errno.EINVAL;
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

  private void answerEarly(Piece piece, Defect wanted) {
    if (defect == wanted && piece.isFua()) {
      UserPiece user = (UserPiece) piece;
      end(user, Errno.OK);
      user.isAnswered = true;
    }
  }

  // Effects.

  @Override
  public void complete(Piece piece, int errno) {
    end((UserPiece) piece, errno);
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes) {
    assertThat(offsetBytes).isEqualTo(piece.offsetBytes());
    issueNow((UserPiece) piece, slot);
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    start(
        "user " + operation + " destination " + first + "+" + count,
        () -> end((UserPiece) piece, writeZeros(first, count)));
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
  public void write(Job job, Piece piece, int slot, long offsetBytes, int flags) {
    int first = sector(offsetBytes);
    int[] data = values(sector(piece.lengthBytes()), ((UserPiece) piece).request().value);
    start(
        "overwrite " + first + "+" + data.length,
        () -> {
          int errno = destination.write(first, data);
          if (errno == Errno.OK) {
            answerEarly(piece, Defect.ANSWER_FUA_BEFORE_COMMIT);
          }
          ended(job, errno);
        });
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    boolean isForgotten =
        operation == Operation.WRITE_ZEROES
            && ((Hydration) job).isBackground()
            && (defect == Defect.NEVER_WRITE_HOLES || believesInZeros);
    start(
        "range " + operation + " " + first + "+" + count,
        () -> ended(job, isForgotten ? Errno.OK : writeZeros(first, count)));
  }

  @Override
  public void copy(
      Job job, int fromSlot, int toSlot, long offsetBytes, long lengthBytes, boolean skipZeros) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    boolean skips = skipZeros || believesInZeros;
    start(
        "copy-read " + first + "+" + count,
        () -> {
          int errno = checkSource(first, count);
          int[] data = Arrays.copyOfRange(source, first, first + count);
          if (errno != Errno.OK) {
            ended(job, errno);
          } else if (defect == Defect.RECORD_BEFORE_WRITE_ENDS) {
            start("copy-write " + first + "+" + count, () -> destination.write(first, data, skips));
            ended(job, Errno.OK);
          } else {
            start(
                "copy-write " + first + "+" + count,
                () -> ended(job, destination.write(first, data, skips)));
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
          int errno = transfer(user, fromSlot, from, to - from);
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
    if (defect == Defect.RECORD_A_READ_WHEN_IT_IS_ANSWERED) {
      start("through-write " + base + "+" + count, () -> destination.write(base, data, skips));
      ended(job, Errno.OK);
    } else {
      start(
          "through-write " + base + "+" + count,
          () -> ended(job, destination.write(base, data, skips)));
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
          job.frame = errno == Errno.OK ? new Merge(base, buffer) : null;
          ended(job, errno);
        });
  }

  @Override
  public void writeMerged(Job job, Piece pieces, int slot) {
    Merge merge = (Merge) Objects.requireNonNull(job.frame);
    job.frame = null;
    for (Piece piece = pieces; piece != null; piece = piece.next) {
      int at = sector(piece.offsetBytes()) - merge.base;
      int value = ((UserPiece) piece).request().value;
      Arrays.fill(merge.buffer, at, at + sector(piece.lengthBytes()), value);
    }
    start(
        "merge-write " + merge.base + "+" + merge.buffer.length,
        () -> {
          int errno = destination.write(merge.base, merge.buffer);
          for (Piece piece = pieces; errno == Errno.OK && piece != null; piece = piece.next) {
            answerEarly(piece, Defect.ANSWER_FUA_MERGE_BEFORE_COMMIT);
          }
          ended(job, errno);
        });
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    if (task == null) {
      startFlush(() -> ended(job, Errno.OK), job);
      return;
    }
    switch (defect) {
      case COMMIT_BEFORE_FLUSH ->
          start(
              "commit",
              () -> {
                int errno = task.run();
                startFlush(() -> ended(job, errno), job);
              });
      case COMMIT_WITHOUT_FLUSH -> start("commit", () -> ended(job, task.run()));
      default -> startFlush(() -> start("commit", () -> ended(job, task.run())), job);
    }
  }

  private void startFlush(Runnable then, Job job) {
    long began = destination.beginFlush();
    start(
        "flush",
        () -> {
          if (failingFlushes > 0) {
            failingFlushes--;
            ended(job, fault(Errno.EIO));
          } else {
            destination.endFlush(began);
            sharingTheRunningFlush.forEach(piece -> end(piece, Errno.OK));
            sharingTheRunningFlush.clear();
            then.run();
          }
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
