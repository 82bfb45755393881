package oxbow.device.watch;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import oxbow.block.Operation;

/**
 * Which blocks of a device somebody has changed, or may have begun to: a block is marked before the
 * request that changes it is passed on. Whoever reads the device below, and asks here afterwards,
 * therefore knows of every change that the read may have met.
 *
 * <p>A bit for each block; marked and asked without locks.
 */
public final class WriteMarks implements AccessWatcher {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  private final int blockShift;

  /** Null when nobody will ask any more. */
  private volatile long @Nullable [] words;

  /**
   * @param sizeBytes of the device, at least 1
   * @param blockBytes power of two; at most 2^31 blocks
   */
  public WriteMarks(long sizeBytes, long blockBytes) {
    this.blockShift = Long.numberOfTrailingZeros(blockBytes);
    this.words = new long[Math.toIntExact(((sizeBytes - 1) >>> blockShift) >>> 6) + 1];
  }

  @Override
  public void accessed(Operation operation, long offsetBytes, long lengthBytes) {
    switch (operation) {
      case WRITE, WRITE_ZEROES, DISCARD -> mark(offsetBytes, lengthBytes);
      case READ, CACHE, FLUSH -> {}
    }
  }

  private void mark(long offsetBytes, long lengthBytes) {
    long[] now = words;
    if (now == null || lengthBytes == 0) {
      return;
    }
    long end = ((offsetBytes + lengthBytes - 1) >>> blockShift) + 1;
    for (long block = offsetBytes >>> blockShift; block < end; ) {
      int index = (int) (block >>> 6);
      long next = Math.min(end, (long) (index + 1) << 6);
      long bits = (-1L << block) & (-1L >>> -next);
      if (((long) WORDS.getVolatile(now, index) & bits) != bits) {
        WORDS.getAndBitwiseOr(now, index, bits);
      }
      block = next;
    }
  }

  /** Whether a block was changed, or a change of it may be under way. */
  public boolean isMarked(long block) {
    long[] now = words;
    if (now == null) {
      throw new IllegalStateException("the marks were let go");
    }
    return ((long) WORDS.getVolatile(now, (int) (block >>> 6)) & 1L << block) != 0;
  }

  /** Nobody will ask any more: the memory goes, and nothing is marked from now on. */
  public void release() {
    words = null;
  }
}
