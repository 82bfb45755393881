package oxbow.block;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Something that stores blocks: a file, an NBD export, a mapped device on top of others. All
 * methods but {@link #close} may be called on any thread and do not block.
 *
 * <p>Whoever is at the edge (an NBD connection, the mapped device) checks range, alignment and
 * flags once; below, they are asserted.
 */
public interface BlockDevice extends AutoCloseable {
  /** Device address in the words users type (INTERFACE, section 2); stands in table lines. */
  String address();

  /**
   * Length in bytes. While the device is open it can only grow, and only by whom it was opened:
   * {@code FileDevice.growTo}. Who has asked before need not notice.
   */
  long sizeBytes();

  Limits limits();

  /**
   * Reads at once if no waiting is needed, the way of Linux's RWF_NOWAIT.
   *
   * @param data native memory that stays the caller's
   * @return 0 when done, {@link Errno#EAGAIN} when it would have to wait and nothing was done (use
   *     {@link #submit} then), or another error number
   */
  default int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return Errno.EAGAIN;
  }

  /**
   * Writes at once, without FUA, if no waiting for others is needed.
   *
   * @return as {@link #readNow}; after EAGAIN nothing of the data was written
   */
  default int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return Errno.EAGAIN;
  }

  /**
   * Whether all of a range is held in memory by a cache that fills and empties with use: a hint
   * that the data is in demand. Does not block.
   */
  default boolean isInMemory(long offsetBytes, long lengthBytes) {
    return false;
  }

  /**
   * Starts a request. {@link BlockRequest#complete} is called exactly once, possibly before this
   * method returns. Requests in flight together are not ordered.
   */
  void submit(BlockRequest request);

  /**
   * Asks how a range is allocated; answers once {@code receiver.end} is called, possibly before
   * this method returns. The default knows nothing: all is data.
   *
   * @param maxExtents at least 1; no more are reported
   */
  default void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    receiver.extent(lengthBytes, 0);
    receiver.end(Errno.OK);
  }

  /** What this device can tell of its far end; null when it has none that could go away. */
  default @Nullable Remote remote() {
    return null;
  }

  /** Releases the device; no request may be in flight. Blocks. Does not flush. */
  @Override
  void close() throws IOException;
}
