package oxbow.mapped;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Completion;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.Mapping;
import oxbow.target.Piece;

/**
 * A request on its way through the slow path and the pieces it was split into (S1). It is answered
 * when the last piece has ended, with the first error if there was one.
 */
final class Split {
  /** A piece with the request that goes to a device in its name. */
  static final class SplitPiece extends Piece {
    private final BlockRequest io = new BlockRequest();
    private final Completion whenEnded = (ended, errno) -> submittedEnded(errno);
    private final Pool pool;

    /** Whether the target has the piece; whoever takes it back ends it or sends it on. */
    private final AtomicBoolean isWithTarget = new AtomicBoolean();

    private @Nullable Split split;
    private int ticket = Mapping.NO_TICKET;
    private Outstanding.@Nullable Interval interval;

    private SplitPiece(Pool pool) {
      this.pool = pool;
    }

    /** The target wants the ticket back when what is sent next has ended. */
    void track(int givenTicket) {
      ticket = givenTicket;
    }

    /** Sends the piece as it is. */
    void submit(Underlying below, long atBytes) {
      interval = below.enter();
      below
          .device()
          .submit(
              io.data(
                  operation(), atBytes, data(), dataOffset(), lengthBytes(), flags(), whenEnded));
    }

    void submitRange(Underlying below, Operation operation, long atBytes, long length, int flags) {
      interval = below.enter();
      below.device().submit(io.range(operation, atBytes, length, flags, whenEnded));
    }

    private void submittedEnded(int errno) {
      Outstanding.Interval submitted = Objects.requireNonNull(interval);
      interval = null;
      submitted.ended();
      ioEnded(errno);
    }

    /** The I/O in the piece's name has ended, and with it the piece. */
    void ioEnded(int errno) {
      int given = ticket;
      ticket = Mapping.NO_TICKET;
      pool.ticketEnded.accept(given);
      pieceEnded(errno);
    }

    /** Before the target is told of it. */
    void giveToTarget() {
      isWithTarget.set(true);
    }

    /** Takes the piece back from the target; false if somebody else has done so. */
    boolean takeFromTarget() {
      return isWithTarget.getAndSet(false);
    }

    /** The piece has ended; it and, if it was the last one, its request are given back. */
    void pieceEnded(int errno) {
      Split whole = Objects.requireNonNull(split);
      split = null;
      pool.give(this);
      whole.ended(errno);
    }
  }

  /** Told of each request's end, just before its issuer is. */
  @FunctionalInterface
  interface Ended {
    /**
     * @param tookNanos since it was let in
     */
    void ended(BlockRequest request, int errno, long tookNanos);
  }

  private final Pool pool;
  private final AtomicInteger outstanding = new AtomicInteger();
  private volatile int firstErrno;
  private @Nullable BlockRequest request;
  private long beginNanos;

  private Split(Pool pool) {
    this.pool = pool;
  }

  /** The frame's side of a piece that a target hands back. */
  static SplitPiece of(Piece piece) {
    return (SplitPiece) piece;
  }

  /** Begins; counts one for the splitting itself, which ends with {@link #ended}. */
  void begin(BlockRequest whole) {
    request = whole;
    beginNanos = System.nanoTime();
    firstErrno = Errno.OK;
    outstanding.setPlain(1);
  }

  /** The part of the request at an offset. */
  SplitPiece part(BlockRequest whole, long offsetBytes, long lengthBytes) {
    SplitPiece piece = pool.takePiece();
    piece.split = this;
    long dataOffset = whole.dataOffset() + (offsetBytes - whole.offsetBytes());
    piece.set(whole.operation(), offsetBytes, lengthBytes, whole.flags(), whole.data(), dataOffset);
    outstanding.incrementAndGet();
    return piece;
  }

  /** One piece, or the splitting, has ended. */
  void ended(int errno) {
    if (errno != Errno.OK && firstErrno == Errno.OK) {
      firstErrno = errno;
    }
    if (outstanding.decrementAndGet() == 0) {
      BlockRequest whole = Objects.requireNonNull(request);
      int result = firstErrno;
      long tookNanos = System.nanoTime() - beginNanos;
      request = null;
      pool.give(this);
      pool.requestEnded.ended(whole, result, tookNanos);
      whole.complete(result);
    }
  }

  /** Splits and pieces not in use. Any thread. */
  static final class Pool {
    private final ArrayDeque<Split> splits = new ArrayDeque<>();
    private final ArrayDeque<SplitPiece> pieces = new ArrayDeque<>();

    /** All there are, in use or not. */
    private final List<SplitPiece> everyPiece = new ArrayList<>();

    private final Ended requestEnded;
    private final IntConsumer ticketEnded;

    Pool(Ended requestEnded, IntConsumer ticketEnded) {
      this.requestEnded = requestEnded;
      this.ticketEnded = ticketEnded;
    }

    synchronized Split take() {
      Split split = splits.poll();
      return split == null ? new Split(this) : split;
    }

    private synchronized SplitPiece takePiece() {
      SplitPiece piece = pieces.poll();
      if (piece == null) {
        piece = new SplitPiece(this);
        everyPiece.add(piece);
      }
      return piece;
    }

    /**
     * Ends all pieces that the target has, with an error. They are not used again: the target may
     * still name one of them in an effect that another thread is about to carry out.
     */
    void failWithTarget(int errno) {
      List<SplitPiece> all;
      synchronized (this) {
        all = List.copyOf(everyPiece);
      }
      for (SplitPiece piece : all) {
        if (piece.takeFromTarget()) {
          Split whole = Objects.requireNonNull(piece.split);
          piece.split = null;
          whole.ended(errno);
        }
      }
    }

    private synchronized void give(Split split) {
      splits.push(split);
    }

    private synchronized void give(SplitPiece piece) {
      pieces.push(piece);
    }
  }
}
