package oxbow.device.watch;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import oxbow.block.Operation;

/**
 * Which blocks of a device reads and writes have touched, and in which order they were touched
 * first. Bounded: a bit for each block, of which there are at most {@link #MAX_BLOCKS}, and a ring
 * of what nobody has taken yet. A touch that finds the ring full is forgotten, and counts as new
 * when it comes again.
 *
 * <p>Touches are noted by any number of threads without a lock: a block that was touched before
 * costs a look at its bit. {@link #drain} belongs to one thread at a time.
 */
public final class FirstTouches implements AccessWatcher {
  /** 1 MiB of bits. Devices above 32 GiB have larger blocks than the smallest. */
  private static final int MAX_BLOCKS = 1 << 23;

  /** The smallest blocks: the smallest regions of a clone. */
  private static final long MIN_BLOCK_BYTES = 4096;

  private static final int RING_ENTRIES = 1 << 16;
  private static final int COUNT_BITS = 24;
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  private final long sizeBytes;
  private final int blockShift;
  private final long[] touched;

  /**
   * Runs of blocks in the order of their touches: first block, then in the low bits their count. 0
   * is an entry that is not written yet, or was taken.
   */
  private final long[] ring = new long[RING_ENTRIES];

  /** Entries that were claimed by whoever writes them. */
  private final AtomicLong claimed = new AtomicLong();

  /** Entries that were taken. */
  private final AtomicLong taken = new AtomicLong();

  /** Takes the ranges of a {@link #drain}. */
  @FunctionalInterface
  public interface Receiver {
    /** The next range in order; it may touch the one before. */
    void range(long offsetBytes, long lengthBytes);
  }

  /**
   * @param sizeBytes of the device, at least 1
   */
  public FirstTouches(long sizeBytes) {
    this.sizeBytes = sizeBytes;
    int shift = Long.numberOfTrailingZeros(MIN_BLOCK_BYTES);
    while ((sizeBytes - 1) >>> shift >= MAX_BLOCKS) {
      shift++;
    }
    this.blockShift = shift;
    this.touched = new long[(int) (((sizeBytes - 1) >>> shift) >>> 6) + 1];
  }

  /** What is told apart. */
  public long blockBytes() {
    return 1L << blockShift;
  }

  @Override
  public void accessed(Operation operation, long offsetBytes, long lengthBytes) {
    switch (operation) {
      case READ, WRITE -> note(offsetBytes, lengthBytes, true);
      // Nobody waits for the contents of these.
      case FLUSH, DISCARD, WRITE_ZEROES, CACHE -> {}
    }
  }

  /** Has a range count as touched, as long as nobody else uses this. */
  public void skip(long offsetBytes, long lengthBytes) {
    note(offsetBytes, Math.min(lengthBytes, sizeBytes - offsetBytes), false);
  }

  private void note(long offsetBytes, long lengthBytes, boolean tells) {
    if (lengthBytes <= 0) {
      return;
    }
    long end = ((offsetBytes + lengthBytes - 1) >>> blockShift) + 1;
    for (long block = offsetBytes >>> blockShift; block < end; ) {
      int index = (int) (block >>> 6);
      long next = Math.min(end, (long) (index + 1) << 6);
      long bits = (-1L << block) & (-1L >>> -next);
      if (((long) LONGS.getAcquire(touched, index) & bits) != bits) {
        long added = bits & ~(long) LONGS.getAndBitwiseOr(touched, index, bits);
        if (tells) {
          tell(index, added);
        }
      }
      block = next;
    }
  }

  /** Appends the runs of bits of one word. */
  private void tell(int index, long added) {
    for (long left = added; left != 0; ) {
      int first = Long.numberOfTrailingZeros(left);
      int count = Long.numberOfTrailingZeros(~(left >>> first));
      long run = (-1L >>> -count) << first;
      if (!append(((long) index << 6) + first, count)) {
        LONGS.getAndBitwiseAnd(touched, index, ~run);
      }
      left &= ~run;
    }
  }

  private boolean append(long block, int count) {
    long at;
    do {
      at = claimed.get();
      if (at - taken.get() >= RING_ENTRIES) {
        return false;
      }
    } while (!claimed.compareAndSet(at, at + 1));
    LONGS.setRelease(ring, (int) at & (RING_ENTRIES - 1), block << COUNT_BITS | count);
    return true;
  }

  /** Hands over, in order, what was touched first since the last call; neighbours as one range. */
  public void drain(Receiver receiver) {
    long start = 0;
    long end = 0;
    while (true) {
      int at = (int) taken.get() & (RING_ENTRIES - 1);
      long entry = (long) LONGS.getAcquire(ring, at);
      if (entry == 0) {
        break;
      }
      // Before the entry counts as taken: nobody writes it until then.
      LONGS.setRelease(ring, at, 0L);
      taken.incrementAndGet();
      long first = entry >>> COUNT_BITS;
      if (first != end) {
        hand(receiver, start, end);
        start = first;
      }
      end = first + (entry & ((1 << COUNT_BITS) - 1));
    }
    hand(receiver, start, end);
  }

  private void hand(Receiver receiver, long firstBlock, long endBlock) {
    if (firstBlock < endBlock) {
      long offset = firstBlock << blockShift;
      receiver.range(offset, Math.min(endBlock << blockShift, sizeBytes) - offset);
    }
  }
}
