package oxbow.mapped;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The buffers of copies, merges and reads that hydrate, of two sizes, made when first needed and
 * bounded: who finds none waits for one that is given back. Those of a size live in one shared
 * arena, which is closed with the device, or when all have come back and no more are needed.
 */
final class CopyBuffers implements AutoCloseable {
  static final int LARGE_BYTES = 1 << 20;
  private static final int SMALL_BYTES = 1 << 16;
  private static final long ALIGNMENT_BYTES = 4096;

  private final Size small = new Size(SMALL_BYTES, 256);
  private final Size large = new Size(LARGE_BYTES, 40);

  /** A buffer of at least so many bytes, at most 1 MiB; or null, and the waiter is told later. */
  @Nullable MemorySegment take(long bytes, Runnable whenFree) {
    Size size = bytes <= SMALL_BYTES ? small : large;
    synchronized (size) {
      MemorySegment buffer = freeOrNew(size);
      if (buffer == null) {
        size.waiting.add(whenFree);
      }
      return buffer;
    }
  }

  /** The same for whoever will not wait, and does not take from those who do; null if none is. */
  @Nullable MemorySegment takeIfFree(long bytes) {
    Size size = bytes <= SMALL_BYTES ? small : large;
    synchronized (size) {
      return size.waiting.isEmpty() ? freeOrNew(size) : null;
    }
  }

  /** Called with the size's lock held. */
  private @Nullable MemorySegment freeOrNew(Size size) {
    MemorySegment buffer = size.free.poll();
    if (buffer == null && size.made < size.most) {
      size.made++;
      buffer = size.arena.allocate(size.bytes, ALIGNMENT_BYTES);
    }
    return buffer;
  }

  /** Gives a buffer back; the longest waiter is called, and takes it. */
  void give(MemorySegment buffer) {
    Size size = buffer.byteSize() == SMALL_BYTES ? small : large;
    Runnable waiter;
    synchronized (size) {
      size.free.push(buffer);
      waiter = size.waiting.poll();
    }
    if (waiter != null) {
      waiter.run();
    }
  }

  /**
   * Gives the memory back to the system, unless some of it is in use; it can be taken anew. Another
   * thread may close the device already: it is told that hydration is done before this is carried
   * out.
   */
  void release() {
    releaseIfUnused(small);
    releaseIfUnused(large);
  }

  private static void releaseIfUnused(Size size) {
    synchronized (size) {
      if (size.made > 0 && size.free.size() == size.made) {
        size.free.clear();
        size.made = 0;
        size.arena.close();
        size.arena = Arena.ofShared();
      }
    }
  }

  /** What is held now, in use or not. */
  long allocatedBytes() {
    long bytes = 0;
    for (Size size : List.of(small, large)) {
      synchronized (size) {
        bytes += (long) size.made * size.bytes;
      }
    }
    return bytes;
  }

  @Override
  public void close() {
    close(small);
    close(large);
  }

  private static void close(Size size) {
    synchronized (size) {
      size.arena.close();
      // A release that comes late has nothing to do.
      size.free.clear();
      size.made = 0;
    }
  }

  /** One size's buffers; guarded by itself. */
  private static final class Size {
    final int bytes;
    final int most;
    Arena arena = Arena.ofShared();
    final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
    final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    int made;

    Size(int bytes, int most) {
      this.bytes = bytes;
      this.most = most;
    }
  }
}
