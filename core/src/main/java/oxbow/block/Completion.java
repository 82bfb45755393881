package oxbow.block;

/**
 * Told once when a request has ended. May be called on any thread, also from within {@link
 * BlockDevice#submit}; must not block. The request belongs to the receiver again.
 */
@FunctionalInterface
public interface Completion {
  /**
   * @param errno 0, or one of {@link Errno}; after an error a READ's buffer is undefined and any
   *     part of a WRITE may have happened
   */
  void completed(BlockRequest request, int errno);
}
