package oxbow.target;

import org.jspecify.annotations.Nullable;
import oxbow.block.Operation;

/**
 * What a core wants done. The frame notes each call and carries it out, in this order, after the
 * core has been left: nothing here does I/O, blocks or calls back at once. Work given with a {@link
 * Job} ends in one {@link Target#ended} for it.
 */
public interface Effects {
  /** Answers the user. */
  void complete(Piece piece, int errno);

  /** Sends a user's piece to a device as it is; the device's answer is the user's. */
  default void issue(Piece piece, int slot, long offsetBytes) {
    issue(piece, slot, offsetBytes, Mapping.NO_TICKET);
  }

  /** The same, and {@link Target#endIo} is told of the ticket when it has ended. */
  void issue(Piece piece, int slot, long offsetBytes, int ticket);

  /** Sends a dataless range in place of a user's piece; the device's answer is the user's. */
  void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags);

  /** Reads from a device into a user's piece (READ); the job ends, not the piece. */
  void read(Job job, Piece piece, int slot, long offsetBytes);

  /**
   * Writes part of a user's piece (WRITE or WRITE_ZEROES) to a device; the job ends, not the piece.
   *
   * @param partBytes where in the piece the part begins
   * @param offsetBytes where on the device it goes
   */
  void write(
      Job job,
      Piece piece,
      long partBytes,
      long lengthBytes,
      int slot,
      long offsetBytes,
      int flags);

  /**
   * Writes the core's own bytes, at most 1 MiB.
   *
   * @param bytes not changed any more by the core until the job has ended
   */
  void writeBytes(Job job, byte[] bytes, int slot, long offsetBytes, int flags);

  /** A dataless operation on a device on the core's own account. */
  void range(Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags);

  /**
   * Copies a range between devices, in pieces of at most 1 MiB.
   *
   * @param skipZeros runs of zero blocks need not be written: the target range reads as zeros
   */
  void copy(
      Job job,
      int fromSlot,
      long fromBytes,
      int toSlot,
      long toBytes,
      long lengthBytes,
      boolean skipZeros);

  /**
   * Serves a user's READ with bytes that are then written to another device. The piece, which lies
   * within the range, is read first, into a buffer of the frame, and answered as soon as its bytes
   * have come; then what it leaves uncovered of the range is read, and the whole range written.
   *
   * <p>If no buffer is free at once the piece is sent to the device as {@link #issue} sends it, and
   * the job ends with EAGAIN: nothing else was done. The piece's answer is in any case that of its
   * own read.
   *
   * @param lengthBytes of the range, at most 1 MiB
   * @param skipZeros as for {@link #copy}
   */
  void readThrough(
      Job job,
      Piece piece,
      int fromSlot,
      int toSlot,
      long baseBytes,
      long lengthBytes,
      boolean skipZeros);

  /**
   * First half of a merged write (O2): takes a buffer for the range at {@code baseBytes} and reads
   * [readFrom, readTo) into its place there. After success the core must call {@link #writeMerged}.
   */
  void readForMerge(
      Job job, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes);

  /**
   * Second half: puts the pieces (linked by {@link Piece#next}, in this order) over the buffer and
   * writes the whole range.
   *
   * @param toBytes where on the device the range goes
   */
  void writeMerged(Job job, Piece pieces, int slot, long toBytes);

  /** Flushes a device, then, if that succeeded, runs the task, if any, where it may block. */
  void flushThen(Job job, int slot, @Nullable BlockingTask task);

  /** Runs the task where it may block. */
  void run(Job job, BlockingTask task);

  /** No more data will be copied, merged or read through: what is kept for that may go. */
  void releaseBuffers();

  /** Asks how a range is allocated. */
  void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes);

  /** Have {@link Target#wake} called at this time of the frame's clock. */
  void wakeAt(long nanos);

  /** Raises a device-mapper event: the event number grows, waiters wake. */
  void event(String why);

  /** A line for the log. */
  void warn(String what);

  /** Work that blocks, run outside of all locks and loops. */
  @FunctionalInterface
  interface BlockingTask {
    /** Returns 0 or an error number. */
    int run();
  }
}
