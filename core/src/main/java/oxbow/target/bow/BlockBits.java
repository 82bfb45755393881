package oxbow.target.bow;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One bit for each block of a device. Any thread may ask, without a lock; only the core changes it.
 *
 * <p>A change is a release and a question an acquire: who finds a bit changed also finds what was
 * done before. A question may be answered with what was so a moment ago, while a change is being
 * made; who asks after the change's request has been answered finds the change.
 */
final class BlockBits {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] words;

  /** All clear. */
  BlockBits(long blockCount) {
    words = new long[Math.toIntExact(Math.ceilDiv(blockCount, (long) Long.SIZE))];
  }

  private long word(int index) {
    return (long) WORDS.getAcquire(words, index);
  }

  boolean isSet(long block) {
    return (word(indexOf(block)) & 1L << block) != 0;
  }

  /** The first block from one on whose bit is set, or clear; the end if there is none before it. */
  long next(boolean isSet, long from, long end) {
    for (long block = from; block < end; ) {
      long word = word(indexOf(block));
      long found = (isSet ? word : ~word) >>> block;
      if (found != 0) {
        return Math.min(end, block + Long.numberOfTrailingZeros(found));
      }
      block = (block | Long.SIZE - 1) + 1;
    }
    return end;
  }

  /** Sets, or clears, the bits of a range. */
  void put(boolean isSet, long first, long end) {
    for (long block = first; block < end; ) {
      int index = indexOf(block);
      long next = Math.min(end, (block | Long.SIZE - 1) + 1);
      long mask = -1L << block & -1L >>> -next;
      long word = word(index);
      WORDS.setRelease(words, index, isSet ? word | mask : word & ~mask);
      block = next;
    }
  }

  private static int indexOf(long block) {
    return (int) (block / Long.SIZE);
  }
}
