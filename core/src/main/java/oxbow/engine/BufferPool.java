package oxbow.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Buffers of a loop, in sizes that are powers of two from 4 KiB to 32 MiB and a page. Belongs to
 * one thread and takes no lock. It never refuses: how much may be out is bounded by its users, who
 * know what their peers may ask for.
 */
public final class BufferPool {
  private static final int MIN_SHIFT = 12;
  private static final int MAX_SHIFT = 25;

  /** The largest buffer there is: the largest NBD payload. */
  public static final int MAX_BYTES = 1 << MAX_SHIFT;

  private final List<ArrayDeque<IoBuffer>> idle = new ArrayList<>();
  private final long maxIdleBytes;
  private long idleBytes;

  /**
   * @param maxIdleBytes how much may lie idle; what comes back beyond is left to be freed
   */
  public BufferPool(long maxIdleBytes) {
    this.maxIdleBytes = maxIdleBytes;
    for (int shift = MIN_SHIFT; shift <= MAX_SHIFT; shift++) {
      idle.add(new ArrayDeque<>());
    }
  }

  /**
   * A page-aligned buffer with room for at least so many bytes; its contents are undefined.
   *
   * @param lengthBytes 0 to {@link #MAX_BYTES}
   */
  public IoBuffer take(int lengthBytes) {
    if (lengthBytes < 0 || lengthBytes > MAX_BYTES) {
      throw new IllegalArgumentException("buffer of " + lengthBytes + " bytes");
    }
    int index = classOf(lengthBytes);
    IoBuffer buffer = idle.get(index).pollLast();
    if (buffer == null) {
      return IoBuffer.allocate(1 << (MIN_SHIFT + index));
    }
    idleBytes -= buffer.capacity();
    return buffer;
  }

  /** Gives a buffer back that {@link #take} returned. */
  public void give(IoBuffer buffer) {
    if (idleBytes + buffer.capacity() <= maxIdleBytes) {
      idle.get(classOf(buffer.capacity())).addLast(buffer);
      idleBytes += buffer.capacity();
    }
  }

  /** What lies idle now. */
  public long idleBytes() {
    return idleBytes;
  }

  private static int classOf(int lengthBytes) {
    if (lengthBytes <= 1 << MIN_SHIFT) {
      return 0;
    }
    return Integer.SIZE - Integer.numberOfLeadingZeros(lengthBytes - 1) - MIN_SHIFT;
  }
}
