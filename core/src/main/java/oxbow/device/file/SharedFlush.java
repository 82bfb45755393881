package oxbow.device.file;

import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.linux.DiskFile;

/**
 * Runs one fdatasync at a time for all requests that wait for one. Each request is served by a call
 * that began after it joined (O4, F1).
 *
 * <p>One at a time also keeps failures honest (F2): the kernel tells an error of write-back to one
 * caller only, so that of two concurrent calls the second could report success for lost data.
 */
final class SharedFlush {
  private final DiskFile file;

  /** Requests that wait for the next call, in order of arrival. Guarded by this. */
  private @Nullable BlockRequest firstWaiting;

  private @Nullable BlockRequest lastWaiting;

  /**
   * Whether a thread is in {@link #join}'s loop and will see to those that wait. Guarded by this.
   */
  private boolean isRunning;

  private volatile boolean hasFailed;

  SharedFlush(DiskFile file) {
    this.file = file;
  }

  /** Whether a flush has failed: from then on all fail. */
  boolean hasFailed() {
    return hasFailed;
  }

  /**
   * Completes the request after a flush that began after this call. The thread that finds none
   * running stays until nobody waits; blocks only for that.
   */
  void join(BlockRequest request) {
    synchronized (this) {
      request.next = null;
      if (lastWaiting == null) {
        firstWaiting = request;
      } else {
        lastWaiting.next = request;
      }
      lastWaiting = request;
      if (isRunning) {
        return;
      }
      isRunning = true;
    }
    for (BlockRequest batch = takeWaiting(); batch != null; batch = takeWaiting()) {
      completeAll(batch, flush());
    }
  }

  private synchronized @Nullable BlockRequest takeWaiting() {
    BlockRequest batch = firstWaiting;
    firstWaiting = null;
    lastWaiting = null;
    if (batch == null) {
      isRunning = false;
    }
    return batch;
  }

  private int flush() {
    if (hasFailed) {
      return Errno.EIO;
    }
    long result = file.flush();
    if (result < 0) {
      hasFailed = true;
      return FileErrors.errnoOf(result);
    }
    return Errno.OK;
  }

  private static void completeAll(BlockRequest batch, int errno) {
    BlockRequest request = batch;
    while (request != null) {
      BlockRequest following = request.next;
      request.complete(errno);
      request = following;
    }
  }
}
