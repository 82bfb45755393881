package oxbow.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory under both names that the JDK has for it: the segment for disk calls and devices,
 * the byte buffer for headers. Owned by one thread at a time.
 */
public final class IoBuffer {
  private static final long PAGE_BYTES = 4096;

  private final MemorySegment segment;
  private final ByteBuffer bytes;

  /** The streams' own view, whose position and limit say what is sent or received. */
  private final ByteBuffer transferred;

  private IoBuffer(MemorySegment segment) {
    this.segment = segment;
    this.bytes = segment.asByteBuffer().order(ByteOrder.BIG_ENDIAN);
    this.transferred = bytes.duplicate();
  }

  /**
   * Page-aligned memory that is freed some time after nothing refers to it any more. So it cannot
   * vanish under a worker thread, and no call on it pays for guarding against that.
   */
  public static IoBuffer allocate(int capacityBytes) {
    return allocate(Arena.ofAuto(), capacityBytes);
  }

  /** Page-aligned memory that lives as long as the arena. */
  public static IoBuffer allocate(Arena arena, int capacityBytes) {
    return new IoBuffer(arena.allocate(capacityBytes, PAGE_BYTES));
  }

  /** Someone else's native memory, at most 2 GiB; stays theirs. */
  public static IoBuffer of(MemorySegment memory) {
    return new IoBuffer(memory);
  }

  public MemorySegment segment() {
    return segment;
  }

  /**
   * The whole buffer, big-endian (the network's order). For absolute access only: position and
   * limit stay at its ends, since headers lie anywhere and buffers are used again.
   */
  public ByteBuffer bytes() {
    return bytes;
  }

  /** The streams' view of so many bytes; good until the next call. */
  ByteBuffer transferred(int at, int end) {
    return transferred.clear().limit(end).position(at);
  }

  /** How far the transfer has come. */
  int transferredTo() {
    return transferred.position();
  }

  public int capacity() {
    return bytes.capacity();
  }
}
