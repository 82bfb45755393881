package oxbow.nbd.server;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import oxbow.engine.BufferPool;
import oxbow.engine.IoBuffer;
import oxbow.engine.Stream;

/**
 * The receiving half of a connection: one buffer for what has come and is not yet handled. Requests
 * are looked at where they lie; they are moved only to make room behind them.
 */
final class Received {
  /** Holds a common batch of small writes. Larger payloads are received into their own buffers. */
  static final int BUFFER_BYTES = 256 << 10;

  /** With less room than this behind the received bytes they are moved to the front. */
  private static final int MIN_RECEIVE_BYTES = 128 << 10;

  private static final int NO_MARK = Integer.MAX_VALUE;

  private final IoBuffer buffer;
  private final MemorySegment segment;
  private final ByteBuffer bytes;

  /** Received and not yet handled: from start to end. */
  private int start;

  private int end;

  /** When the first request came that is not yet handled, unless it lies behind the mark. */
  private long arrivedNanos;

  /** What lies from here on came while there were requests before it, and when it began to. */
  private int mark = NO_MARK;

  private long behindNanos;

  /** Whether there is no request in full. */
  private boolean isAllHandled;

  /**
   * @param early what has come already
   */
  Received(BufferPool pool, ByteBuffer early) {
    this.buffer = pool.take(BUFFER_BYTES);
    this.segment = buffer.segment();
    this.bytes = buffer.bytes();
    this.end = early.remaining();
    this.arrivedNanos = System.nanoTime();
    bytes.put(0, early, 0, end);
  }

  /** What {@link #position} points into, to look at. */
  ByteBuffer bytes() {
    return bytes;
  }

  /** The same, to copy from. */
  MemorySegment segment() {
    return segment;
  }

  /** Where the first byte lies that is not yet handled. */
  int position() {
    return start;
  }

  /** How many bytes are not yet handled. */
  int lengthBytes() {
    return end - start;
  }

  /** So many of them have been handled. */
  void handled(int lengthBytes) {
    start += lengthBytes;
  }

  /** Moves so many of them, or as many as there are, to a buffer; returns how many. */
  int moveTo(MemorySegment into, long at, long maxBytes) {
    int length = (int) Math.min(maxBytes, lengthBytes());
    MemorySegment.copy(segment, start, into, at, length);
    start += length;
    return length;
  }

  /** Makes room behind what is there; whether there is any. */
  boolean hasRoom() {
    if (start == end) {
      start = 0;
      end = 0;
    } else if (start > 0 && BUFFER_BYTES - end < MIN_RECEIVE_BYTES) {
      MemorySegment.copy(segment, start, segment, 0, lengthBytes());
      end -= start;
      mark -= mark == NO_MARK ? 0 : start;
      start = 0;
    }
    return end < BUFFER_BYTES;
  }

  /** Begins to receive what fits, like {@link Stream#receive}. */
  int receiveFrom(Stream stream) {
    return stream.receive(buffer, end, BUFFER_BYTES - end);
  }

  /** So many bytes have come, at least 1. */
  void accept(int lengthBytes) {
    long now = System.nanoTime();
    if (isAllHandled) {
      arrivedNanos = now;
      mark = NO_MARK;
    } else if (mark == NO_MARK) {
      behindNanos = now;
      mark = end;
    }
    isAllHandled = false;
    end += lengthBytes;
  }

  /** There is no request in full any more: what comes next begins a new batch. */
  void allHandled() {
    isAllHandled = true;
  }

  /** When the batch came in which the present request did, by {@link System#nanoTime}. */
  long arrivedNanos() {
    return arrivedNanos;
  }

  /** Whether the present request belongs to the next batch, see {@link #beginBatch}. */
  boolean isBatchHandled() {
    return start >= mark;
  }

  /** Goes on to the next batch. */
  void beginBatch() {
    arrivedNanos = behindNanos;
    mark = NO_MARK;
  }

  /** The stream is gone, the buffer goes back. */
  void close(BufferPool pool) {
    pool.give(buffer);
  }
}
