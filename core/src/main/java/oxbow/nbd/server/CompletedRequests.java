package oxbow.nbd.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;

/**
 * The way of completed requests from any thread back to the loop: a stack through {@link
 * BlockRequest#next}, pushed one by one and taken as a whole, without lock or garbage.
 */
final class CompletedRequests {
  private static final VarHandle NEWEST;

  static {
    try {
      NEWEST =
          MethodHandles.lookup()
              .findVarHandle(CompletedRequests.class, "newest", BlockRequest.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  private volatile @Nullable BlockRequest newest;

  /**
   * Adds a request; on any thread.
   *
   * @return whether there was none before: then the caller wakes the loop, for all who come until
   *     it looks
   */
  boolean push(BlockRequest request) {
    BlockRequest before;
    do {
      before = newest;
      request.next = before;
    } while (!NEWEST.compareAndSet(this, before, request));
    return before == null;
  }

  /** Takes all there are, linked from the oldest on; null when there is none. On the loop. */
  @Nullable BlockRequest takeAll() {
    if (newest == null) {
      return null;
    }
    BlockRequest from = (BlockRequest) NEWEST.getAndSet(this, null);
    BlockRequest oldestFirst = null;
    while (from != null) {
      BlockRequest following = from.next;
      from.next = oldestFirst;
      oldestFirst = from;
      from = following;
    }
    return oldestFirst;
  }
}
