package oxbow.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory under both names that the JDK has for it: the segment for disk calls and devices,
 * the byte buffer for sockets. Owned by one thread at a time; nobody relies on the byte buffer's
 * position or limit between calls.
 */
public final class IoBuffer {
  private static final long PAGE_BYTES = 4096;

  private final MemorySegment segment;
  private final ByteBuffer bytes;

  private IoBuffer(MemorySegment segment) {
    this.segment = segment;
    this.bytes = segment.asByteBuffer().order(ByteOrder.BIG_ENDIAN);
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

  /** The whole buffer, big-endian (the network's order); set position and limit before use. */
  public ByteBuffer bytes() {
    return bytes;
  }

  public int capacity() {
    return bytes.capacity();
  }
}
