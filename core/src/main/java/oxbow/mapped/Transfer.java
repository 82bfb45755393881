package oxbow.mapped;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Completion;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
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
  private final Completion whenEnded = (ended, errno) -> end(errno);
  private final Completion whenStepped = (ended, errno) -> stepped(errno);
  private final Completion whenMergeRead = (ended, errno) -> mergeWasRead(errno);
  private final Completion whenUserRead = (ended, errno) -> userWasRead(errno);
  private final Completion whenUncoveredRead = (ended, errno) -> readUncovered(errno);
  private final Runnable goOnWithCopy = () -> stepped(Errno.OK);
  private final Runnable goOnWithMerge = this::readForMerge;

  // Who gives a buffer back calls whoever waits for one, who may give it back at once, and so on.
  private final Runnable whenFreeForCopy = () -> later(goOnWithCopy);
  private final Runnable whenFreeForMerge = () -> later(goOnWithMerge);

  private @Nullable Owner owner;
  private @Nullable Job job;
  private @Nullable MemorySegment buffer;

  private @Nullable BlockDevice from;
  private @Nullable BlockDevice to;
  private long atBytes;
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

  /** Ends the job: gives back what it used, then tells. */
  private void end(int errno) {
    Owner whose = Objects.requireNonNull(owner);
    Job work = Objects.requireNonNull(job);
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
    whose.ended(work, errno);
  }

  /** Work that had begun has failed; EAGAIN would say that nothing was begun. */
  private void fail(int errno) {
    end(errno == Errno.EAGAIN ? Errno.EIO : errno);
  }

  // One request.

  void write(BlockDevice device, Piece piece, long offsetBytes, int flags) {
    if (piece.operation() == Operation.WRITE) {
      int length = Math.toIntExact(piece.lengthBytes());
      int errno = device.writeNow(offsetBytes, piece.data(), piece.dataOffset(), length);
      if (errno != Errno.EAGAIN) {
        end(errno);
        return;
      }
    }
    device.submit(
        request.data(
            piece.operation(),
            offsetBytes,
            piece.data(),
            piece.dataOffset(),
            piece.lengthBytes(),
            flags,
            whenEnded));
  }

  void range(BlockDevice device, Operation operation, long offsetBytes, long length, int flags) {
    device.submit(request.range(operation, offsetBytes, length, flags, whenEnded));
  }

  // Copies, in pieces of at most one large buffer: read a piece, write its runs, take the next.

  void copy(BlockDevice source, BlockDevice target, long offset, long length, boolean skip) {
    from = source;
    to = target;
    atBytes = offset;
    endBytes = offset + length;
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
    BlockDevice source = Objects.requireNonNull(from);
    pieceFlags = flagsFor(source);
    source.submit(
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
  private boolean writeNextRun(BlockDevice target, MemorySegment data) {
    long start = skipZeros ? skipZeroBlocks(data, scannedBytes) : scannedBytes;
    if (start == pieceBytes) {
      return false;
    }
    long end = skipZeros ? skipDataBlocks(data, start) : pieceBytes;
    scannedBytes = end;
    target.submit(
        request.data(
            Operation.WRITE, atBytes + start, data, start, end - start, pieceFlags, whenStepped));
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
      BlockDevice source, BlockDevice target, Piece piece, long base, long length, boolean skip) {
    MemorySegment taken = pool.buffers().takeIfFree(length);
    if (taken == null) {
      Split.of(piece).submit(source, piece.offsetBytes());
      end(Errno.EAGAIN);
      return;
    }
    buffer = taken;
    from = source;
    to = target;
    atBytes = base;
    endBytes = base + length;
    pieceBytes = length;
    // Somebody reads there: the page cache is the place for what is read and written.
    pieceFlags = 0;
    skipZeros = skip;
    userPiece = piece;
    int userLength = Math.toIntExact(piece.lengthBytes());
    int errno = source.readNow(piece.offsetBytes(), taken, piece.offsetBytes() - base, userLength);
    if (errno == Errno.EAGAIN) {
      readIntoBuffer(piece.offsetBytes(), piece.endBytes(), whenUserRead);
    } else {
      userWasRead(errno);
    }
  }

  private void readIntoBuffer(long readFrom, long readTo, Completion whenRead) {
    MemorySegment data = Objects.requireNonNull(buffer);
    Objects.requireNonNull(from)
        .submit(
            request.data(
                Operation.READ,
                readFrom,
                data,
                readFrom - atBytes,
                readTo - readFrom,
                pieceFlags,
                whenRead));
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
    Split.of(piece).pieceEnded(errno);
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

  void readForMerge(BlockDevice source, long base, long length, long readFrom, long readTo) {
    from = source;
    baseBytes = base;
    pieceBytes = length;
    readFromBytes = readFrom;
    readToBytes = readTo;
    readForMerge();
  }

  private void readForMerge() {
    BlockDevice source = Objects.requireNonNull(from);
    MemorySegment taken = pool.buffers().take(pieceBytes, whenFreeForMerge);
    if (taken == null) {
      return;
    }
    buffer = taken;
    long at = readFromBytes - baseBytes;
    int length = Math.toIntExact(readToBytes - readFromBytes);
    int errno = source.readNow(readFromBytes, taken, at, length);
    if (errno == Errno.EAGAIN) {
      source.submit(
          request.data(Operation.READ, readFromBytes, taken, at, length, 0, whenMergeRead));
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

  void writeMerged(BlockDevice target, Piece pieces) {
    MemorySegment data = Objects.requireNonNull(buffer);
    for (Piece piece = pieces; piece != null; piece = piece.next) {
      long at = piece.offsetBytes() - baseBytes;
      if (piece.operation() == Operation.WRITE) {
        MemorySegment.copy(piece.data(), piece.dataOffset(), data, at, piece.lengthBytes());
      } else {
        data.asSlice(at, piece.lengthBytes()).fill((byte) 0);
      }
    }
    int errno = target.writeNow(baseBytes, data, 0, Math.toIntExact(pieceBytes));
    if (errno == Errno.EAGAIN) {
      target.submit(request.data(Operation.WRITE, baseBytes, data, 0, pieceBytes, 0, whenEnded));
    } else {
      end(errno);
    }
  }
}
