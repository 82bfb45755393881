package oxbow.engine;

import oxbow.block.BlockRequest;

/**
 * The few threads on which disk calls may wait: cache misses, fsync, direct I/O. Requests are
 * queued by their own links, without allocation.
 */
public interface DiskPool {
  /**
   * Runs {@code work.execute(request)} on a pool thread; from any thread. On a pool thread whose
   * present work may wait for requests it runs at once, before submit returns: it might be what
   * that work waits for, and all other threads might be waiting too.
   */
  void submit(BlockRequest request, Work work);

  /** Whether the calling thread may block on a disk because it belongs to a pool. */
  boolean isCurrent();

  /** The blocking half of a device. */
  interface Work {
    /** Carries the request out and completes it. May block. */
    void execute(BlockRequest request);

    /**
     * Whether {@link #execute} may submit further requests to the pool and wait for them, as
     * blocking code over a device does. Work that only makes system calls and completes says no:
     * what its completions submit is queued, so that chains of requests do not pile up on the
     * stack.
     */
    default boolean mayWaitForRequests() {
      return true;
    }
  }
}
