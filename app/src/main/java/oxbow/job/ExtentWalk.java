package oxbow.job;

import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Extents;

/**
 * What a device says about its allocation, asked for as needed, from low to high. Used by one
 * thread at a time.
 */
final class ExtentWalk {
  private static final int MAX_EXTENTS = 4096;
  private static final long WINDOW_BYTES = 1L << 31;

  private final BlockDevice device;
  private final ArrayDeque<Extent> known = new ArrayDeque<>();

  /** A range of one kind. */
  record Extent(long offsetBytes, long lengthBytes, boolean isZero) {
    long endBytes() {
      return offsetBytes + lengthBytes;
    }
  }

  ExtentWalk(BlockDevice device) {
    this.device = device;
  }

  /** The extent that holds an offset, which never decreases from call to call. Blocks. */
  Extent at(long offsetBytes, long endBytes) {
    while (true) {
      Extent extent = known.peekFirst();
      if (extent == null) {
        ask(offsetBytes, Math.min(WINDOW_BYTES, endBytes - offsetBytes));
      } else if (extent.endBytes() <= offsetBytes) {
        known.removeFirst();
      } else {
        return extent;
      }
    }
  }

  private void ask(long offsetBytes, long lengthBytes) {
    Semaphore ended = new Semaphore(0);
    int[] result = new int[1];
    device.extents(
        offsetBytes,
        lengthBytes,
        MAX_EXTENTS,
        new Extents() {
          private long at = offsetBytes;

          @Override
          public void extent(long extentBytes, int state) {
            known.addLast(new Extent(at, extentBytes, (state & ZERO) != 0));
            at += extentBytes;
          }

          @Override
          public void end(int errno) {
            result[0] = errno;
            ended.release();
          }
        });
    ended.acquireUninterruptibly();
    if (result[0] != Errno.OK || known.isEmpty()) {
      // A device that cannot tell how it is allocated has data everywhere.
      known.clear();
      known.addLast(new Extent(offsetBytes, lengthBytes, false));
    }
  }
}
