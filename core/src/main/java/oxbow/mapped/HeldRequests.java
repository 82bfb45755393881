package oxbow.mapped;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;

/**
 * Requests that wait, in order, linked through themselves. Guarded by whoever has them, until they
 * have been taken.
 */
final class HeldRequests {
  private @Nullable BlockRequest first;
  private @Nullable BlockRequest last;

  void add(BlockRequest request) {
    request.next = null;
    if (last == null) {
      first = request;
    } else {
      last.next = request;
    }
    last = request;
  }

  /** All of them; none are here any more. */
  HeldRequests take() {
    HeldRequests all = new HeldRequests();
    all.first = first;
    first = null;
    last = null;
    return all;
  }

  /** Gives each away, in order; for those that have been taken. */
  void forEach(Consumer<BlockRequest> action) {
    BlockRequest each = first;
    while (each != null) {
      BlockRequest following = each.next;
      each.next = null;
      action.accept(each);
      each = following;
    }
  }
}
