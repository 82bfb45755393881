package oxbow.mapped;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Completion;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.mapped.Split.SplitPiece;
import oxbow.target.Job;
import oxbow.target.Piece;

/**
 * The I/O of one job while it runs: plain requests, copies, reads that hydrate and merges. A small
 * state machine that is kept and used again; each step is a request whose completion takes the next
 * one.
 */
final class Transfer {
  /** Copies of at least this length go around the page cache where the device can. */
  private static final int BULK_BYTES = 1 << 16;

  private static final int ZERO_BLOCK_BYTES = 4096;
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[ZERO_BLOCK_BYTES]);

  private final TransferPool pool;
  private final BlockRequest request = new BlockRequest();
  private final Completion whenEnded =
      (ended, errno) -> {
        left();
        end(errno);
      };
  private final Completion whenStepped =
      (ended, errno) -> {
        left();
        stepped(errno);
      };
  private final Completion whenMergeRead =
      (ended, errno) -> {
        left();
        mergeWasRead(errno);
      };
  private final Completion whenUserRead =
      (ended, errno) -> {
        left();
        userWasRead(errno);
      };
  private final Completion whenUncoveredRead =
      (ended, errno) -> {
        left();
        readUncovered(errno);
      };
  private final Runnable goOnWithCopy = () -> stepped(Errno.OK);
  private final Runnable goOnWithMerge = this::readForMerge;
  private final Runnable goOnWithBytes = this::writeBytes;

  // Who gives a buffer back calls whoever waits for one, who may give it back at once, and so on.
  private final Runnable whenFreeForCopy = () -> later(goOnWithCopy);
  private final Runnable whenFreeForMerge = () -> later(goOnWithMerge);
  private final Runnable whenFreeForBytes = () -> later(goOnWithBytes);

  private @Nullable Owner owner;
  private @Nullable Job job;
  private @Nullable MemorySegment buffer;
  private byte @Nullable [] ownBytes;

  private @Nullable Underlying from;
  private @Nullable Underlying to;

  /** What the request in flight is counted in. */
  private Outstanding.@Nullable Interval interval;

  private long atBytes;

  /** What to add to a place on the source for the place on the target. */
  private long shiftBytes;

  private long endBytes;
  private long pieceBytes;
  private int pieceFlags;
  private boolean skipZeros;
  private boolean isPieceRead;

  /** Where in the piece at hand the next run of data to write is looked for. */
  private long scannedBytes;

  private int stepErrno;

  /** Steps of a copy that have become due; whoever raises it from 0 takes them all. */
  private final AtomicInteger dueSteps = new AtomicInteger();

  /** The user's piece of a read that hydrates, until it is answered. */
  private @Nullable Piece userPiece;

  private long baseBytes;
  private long readFromBytes;
  private long readToBytes;

  Transfer(TransferPool pool) {
    this.pool = pool;
  }

  void begin(Owner whose, Job work) {
    owner = whose;
    job = work;
  }

  private void later(Runnable step) {
    Objects.requireNonNull(owner).step(step);
  }

  private void submit(Underlying below, BlockRequest filledIn) {
    interval = below.enter();
    below.device().submit(filledIn);
  }

  private void left() {
    Outstanding.Interval submitted = Objects.requireNonNull(interval);
    interval = null;
    submitted.ended();
  }

  /** Ends the job: gives back what it used, then tells. */
  private void end(int errno) {
    Owner whose = Objects.requireNonNull(owner);
    Job work = Objects.requireNonNull(job);
    release(work);
    whose.ended(work, errno);
  }

  /** Forgets a job that nobody goes on with; nothing is in flight for it. */
  void drop() {
    release(Objects.requireNonNull(job));
  }

  private void release(Job work) {
    MemorySegment used = buffer;
    owner = null;
    job = null;
    buffer = null;
    from = null;
    to = null;
    work.frame = null;
    pool.give(this);
    if (used != null) {
      pool.buffers().give(used);
    }
  }

  /** Work that had begun has failed; EAGAIN would say that nothing was begun. */
  private void fail(int errno) {
    end(errno == Errno.EAGAIN ? Errno.EIO : errno);
  }

  // One request.

  void read(Underlying source, Piece piece, long offsetBytes) {
    int length = Math.toIntExact(piece.lengthBytes());
    submit(
        source,
        request.data(
            Operation.READ, offsetBytes, piece.data(), piece.dataOffset(), length, 0, whenEnded));
  }

  void writeBytes(Underlying target, byte[] bytes, long offsetBytes, int flags) {
    to = target;
    ownBytes = bytes;
    atBytes = offsetBytes;
    pieceFlags = flags;
    writeBytes();
  }

  private void writeBytes() {
    byte[] bytes = Objects.requireNonNull(ownBytes);
    MemorySegment taken = pool.buffers().take(bytes.length, whenFreeForBytes);
    if (taken == null) {
      return;
    }
    buffer = taken;
    ownBytes = null;
    MemorySegment.copy(bytes, 0, taken, ValueLayout.JAVA_BYTE, 0, bytes.length);
    submit(
        Objects.requireNonNull(to),
        request.data(Operation.WRITE, atBytes, taken, 0, bytes.length, pieceFlags, whenEnded));
  }

  /** Writes the part of a piece that begins so many bytes after its first. */
  void write(
      Underlying target, Piece piece, long partBytes, long length, long offsetBytes, int flags) {
    long dataOffset = piece.dataOffset() + partBytes;
    if (piece.operation() == Operation.WRITE) {
      BlockDevice device = target.device();
      int errno = device.writeNow(offsetBytes, piece.data(), dataOffset, Math.toIntExact(length));
      if (errno != Errno.EAGAIN) {
        end(errno);
        return;
      }
    }
    submit(
        target,
        request.data(
            piece.operation(), offsetBytes, piece.data(), dataOffset, length, flags, whenEnded));
  }

  void range(Underlying target, Operation operation, long offsetBytes, long length, int flags) {
    submit(target, request.range(operation, offsetBytes, length, flags, whenEnded));
  }

  // Copies, in pieces of at most one large buffer: read a piece, write its runs, take the next.

  void copy(
      Underlying source,
      long fromBytes,
      Underlying target,
      long toBytes,
      long length,
      boolean skip) {
    from = source;
    to = target;
    atBytes = fromBytes;
    shiftBytes = toBytes - fromBytes;
    endBytes = fromBytes + length;
    skipZeros = skip;
    isPieceRead = false;
    stepped(Errno.OK);
  }

  /**
   * A step has ended: takes the next. Where requests end at once the steps follow each other in
   * this loop, not in ever deeper calls.
   */
  private void stepped(int errno) {
    stepErrno = errno;
    if (dueSteps.getAndIncrement() > 0) {
      return;
    }
    do {
      takeStep();
    } while (dueSteps.decrementAndGet() > 0);
  }

  private void takeStep() {
    if (stepErrno != Errno.OK) {
      fail(stepErrno);
      return;
    }
    if (isPieceRead) {
      if (scannedBytes == 0) {
        Objects.requireNonNull(job).dataRead(atBytes, Objects.requireNonNull(buffer), pieceBytes);
      }
      if (writeNextRun(Objects.requireNonNull(to), Objects.requireNonNull(buffer))) {
        return;
      }
      isPieceRead = false;
      atBytes += pieceBytes;
    }
    if (atBytes == endBytes) {
      end(Errno.OK);
      return;
    }
    pieceBytes = Math.min(endBytes - atBytes, CopyBuffers.LARGE_BYTES);
    if (buffer == null) {
      buffer = pool.buffers().take(pieceBytes, whenFreeForCopy);
      if (buffer == null) {
        return;
      }
    }
    isPieceRead = true;
    scannedBytes = 0;
    Underlying source = Objects.requireNonNull(from);
    pieceFlags = flagsFor(source.device());
    submit(
        source,
        request.data(Operation.READ, atBytes, buffer, 0, pieceBytes, pieceFlags, whenStepped));
  }

  /** What the source's readers keep in memory will be wanted from the destination: it stays hot. */
  private int flagsFor(BlockDevice source) {
    if (pieceBytes < BULK_BYTES) {
      return 0;
    }
    boolean isInDemand = source.isInMemory(atBytes, pieceBytes);
    return isInDemand ? Flags.BULK | Flags.IN_DEMAND : Flags.BULK;
  }

  /** Writes the next run of the piece that is not known to be there already; false if none is. */
  private boolean writeNextRun(Underlying target, MemorySegment data) {
    long start = skipZeros ? skipZeroBlocks(data, scannedBytes) : scannedBytes;
    if (start == pieceBytes) {
      return false;
    }
    long end = skipZeros ? skipDataBlocks(data, start) : pieceBytes;
    scannedBytes = end;
    submit(
        target,
        request.data(
            Operation.WRITE,
            atBytes + shiftBytes + start,
            data,
            start,
            end - start,
            pieceFlags,
            whenStepped));
    return true;
  }

  private long skipZeroBlocks(MemorySegment data, long fromOffset) {
    long at = fromOffset;
    while (at < pieceBytes && isZeroBlock(data, at)) {
      at = Math.min(at + ZERO_BLOCK_BYTES, pieceBytes);
    }
    return at;
  }

  private long skipDataBlocks(MemorySegment data, long fromOffset) {
    long at = fromOffset;
    while (at < pieceBytes && !isZeroBlock(data, at)) {
      at = Math.min(at + ZERO_BLOCK_BYTES, pieceBytes);
    }
    return at;
  }

  private boolean isZeroBlock(MemorySegment data, long at) {
    long length = Math.min(ZERO_BLOCK_BYTES, pieceBytes - at);
    return MemorySegment.mismatch(data, at, at + length, ZEROS, 0, length) < 0;
  }

  // Reads that hydrate: the user's bytes first, then the rest of the range, then it is written.

  void readThrough(
      Underlying source, Underlying target, Piece piece, long base, long length, boolean skip) {
    MemorySegment taken = pool.buffers().takeIfFree(length);
    if (taken == null) {
      SplitPiece user = Split.of(piece);
      if (user.takeFromTarget()) {
        user.submit(source, piece.offsetBytes());
      }
      end(Errno.EAGAIN);
      return;
    }
    buffer = taken;
    from = source;
    to = target;
    atBytes = base;
    shiftBytes = 0;
    endBytes = base + length;
    pieceBytes = length;
    // Somebody reads there: the page cache is the place for what is read and written.
    pieceFlags = 0;
    skipZeros = skip;
    userPiece = piece;
    int userLength = Math.toIntExact(piece.lengthBytes());
    long at = piece.offsetBytes() - base;
    int errno = source.device().readNow(piece.offsetBytes(), taken, at, userLength);
    if (errno == Errno.EAGAIN) {
      readIntoBuffer(piece.offsetBytes(), piece.endBytes(), whenUserRead);
    } else {
      userWasRead(errno);
    }
  }

  private void readIntoBuffer(long readFrom, long readTo, Completion whenRead) {
    MemorySegment data = Objects.requireNonNull(buffer);
    long length = readTo - readFrom;
    submit(
        Objects.requireNonNull(from),
        request.data(
            Operation.READ, readFrom, data, readFrom - atBytes, length, pieceFlags, whenRead));
  }

  /** Answers the user, who waits for nothing that follows (O13). */
  private void userWasRead(int errno) {
    Piece piece = Objects.requireNonNull(userPiece);
    userPiece = null;
    readFromBytes = piece.offsetBytes();
    readToBytes = piece.endBytes();
    if (errno == Errno.OK) {
      MemorySegment.copy(
          Objects.requireNonNull(buffer),
          readFromBytes - atBytes,
          piece.data(),
          piece.dataOffset(),
          piece.lengthBytes());
    }
    SplitPiece user = Split.of(piece);
    if (user.takeFromTarget()) {
      user.pieceEnded(errno);
    }
    readUncovered(errno);
  }

  /** What lies before [readFrom, readTo), then what lies behind it, then nothing is left. */
  private void readUncovered(int errno) {
    if (errno != Errno.OK) {
      fail(errno);
    } else if (readFromBytes > atBytes) {
      long readTo = readFromBytes;
      readFromBytes = atBytes;
      readIntoBuffer(atBytes, readTo, whenUncoveredRead);
    } else if (readToBytes < endBytes) {
      long readFrom = readToBytes;
      readToBytes = endBytes;
      readIntoBuffer(readFrom, endBytes, whenUncoveredRead);
    } else {
      isPieceRead = true;
      scannedBytes = 0;
      stepped(Errno.OK);
    }
  }

  // Merges: the source's bytes around the user's, written as one (O2).

  void readForMerge(Underlying source, long base, long length, long readFrom, long readTo) {
    from = source;
    baseBytes = base;
    pieceBytes = length;
    readFromBytes = readFrom;
    readToBytes = readTo;
    readForMerge();
  }

  private void readForMerge() {
    Underlying source = Objects.requireNonNull(from);
    MemorySegment taken = pool.buffers().take(pieceBytes, whenFreeForMerge);
    if (taken == null) {
      return;
    }
    buffer = taken;
    long at = readFromBytes - baseBytes;
    int length = Math.toIntExact(readToBytes - readFromBytes);
    int errno = source.device().readNow(readFromBytes, taken, at, length);
    if (errno == Errno.EAGAIN) {
      submit(
          source, request.data(Operation.READ, readFromBytes, taken, at, length, 0, whenMergeRead));
    } else {
      mergeWasRead(errno);
    }
  }

  private void mergeWasRead(int errno) {
    if (errno != Errno.OK) {
      end(errno);
    } else {
      Objects.requireNonNull(owner).ended(Objects.requireNonNull(job), errno);
    }
  }

  void writeMerged(Underlying target, Piece pieces, long toBytes) {
    MemorySegment data = Objects.requireNonNull(buffer);
    for (Piece piece = pieces; piece != null; piece = piece.next) {
      long at = piece.offsetBytes() - baseBytes;
      if (piece.operation() == Operation.WRITE) {
        MemorySegment.copy(piece.data(), piece.dataOffset(), data, at, piece.lengthBytes());
      } else {
        data.asSlice(at, piece.lengthBytes()).fill((byte) 0);
      }
    }
    int errno = target.device().writeNow(toBytes, data, 0, Math.toIntExact(pieceBytes));
    if (errno == Errno.EAGAIN) {
      submit(target, request.data(Operation.WRITE, toBytes, data, 0, pieceBytes, 0, whenEnded));
    } else {
      end(errno);
    }
  }
}
