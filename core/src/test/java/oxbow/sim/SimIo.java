package oxbow.sim;

import java.util.function.IntConsumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Something in flight: when it ends its effect is made, and the core or the user is told.
 *
 * @param what for people and for tests: whose it is, what is done, on which device, and where, in
 *     sectors
 * @param faults of its disk; null for what cannot fail by itself
 * @param result how it ends if it is not told otherwise
 * @param end ends it with a result
 */
record SimIo(String what, @Nullable SimFaults faults, IntSupplier result, IntConsumer end) {
  @Override
  public String toString() {
    return what;
  }
}
