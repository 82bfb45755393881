package oxbow.device.nbd;

import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;

/** How far a request has come that is being cut into parts. Pooled by {@link RequestQueue}. */
final class Progress {
  /** Link of the queue it stands in: idle ones, or those that wait for a flush. */
  @Nullable Progress next;

  @Nullable BlockRequest request;

  /** How much of it has been given out in parts. */
  long issuedBytes;

  /** Parts given out that have not ended. */
  int partsOut;

  /** The first error of a part. */
  int errno;

  /** FUA that the server does not offer: all parts are followed by a flush. */
  boolean needsFlush;

  void begin(BlockRequest begun, boolean mustFlush) {
    next = null;
    request = begun;
    issuedBytes = 0;
    partsOut = 0;
    errno = Errno.OK;
    needsFlush = mustFlush;
  }

  BlockRequest request() {
    BlockRequest begun = request;
    if (begun == null) {
      throw new IllegalStateException("no request");
    }
    return begun;
  }
}
