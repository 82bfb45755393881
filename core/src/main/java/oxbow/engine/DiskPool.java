package oxbow.engine;

import oxbow.block.BlockRequest;

/**
 * The few threads on which disk calls may wait: cache misses, fsync, direct I/O. Requests are queued
 * by their own links, without allocation.
 */
public interface DiskPool {
  /** Runs {@code work.execute(request)} on a pool thread; from any thread. */
  void submit(BlockRequest request, Work work);

  /** Whether the calling thread may block on a disk because it belongs to a pool. */
  boolean isCurrent();

  /** The blocking half of a device. */
  interface Work {
    /** Carries the request out and completes it. May block. */
    void execute(BlockRequest request);
  }
}
