package oxbow.it;

import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What one device must hold whenever the power is cut, while {@link PowerCuts} goes through the
 * answers that its server has sent.
 */
final class Requirements {
  private final Promises promises;

  /** By granule, the number of the oldest change that may be read; 0 is the source. */
  private final int[] oldest;

  private final Set<Long> answered = new HashSet<>();
  private boolean isAnythingPromised;

  Requirements(Promises promises) {
    this.promises = promises;
    this.oldest = new int[promises.granuleCount()];
  }

  /** An answer was sent; whether it promised anything. */
  boolean answered(long cookie) {
    answered.add(cookie);
    return require(promises.by(cookie));
  }

  /** The server has ended in order, which promises all that it had acknowledged. */
  void requireAll() {
    require(promises.byTheEnd());
  }

  private boolean require(List<Promises.Change> changes) {
    for (Promises.Change change : changes) {
      isAnythingPromised = true;
      for (int granule = change.first(); granule < change.first() + change.count(); granule++) {
        int number = promises.history(granule).indexOf(change) + 1;
        oldest[granule] = Math.max(oldest[granule], number);
      }
    }
    return !changes.isEmpty();
  }

  boolean isAnythingPromised() {
    return isAnythingPromised;
  }

  /**
   * Looks at one granule of the device, wherever its bytes are.
   *
   * @throws PowerCuts.Lost if it holds what it must not
   */
  void check(int granule, MemorySegment memory, long offsetBytes) throws PowerCuts.Lost {
    List<Promises.Change> history = promises.history(granule);
    for (int number = oldest[granule]; number <= history.size(); number++) {
      boolean isPossible = number == 0 || hasBegun(history.get(number - 1));
      int stamp = number == 0 ? VolatileModel.SOURCE : history.get(number - 1).stamp();
      if (isPossible && StampedContent.matches(memory, offsetBytes, granule, stamp)) {
        return;
      }
    }
    throw new PowerCuts.Lost(
        "granule %d is %s, required is change %d of %s"
            .formatted(
                granule,
                StampedContent.describe(memory, offsetBytes, granule),
                oldest[granule],
                history));
  }

  /** A client asks one thing at a time: not before it has the answer to what it asked before. */
  private boolean hasBegun(Promises.Change change) {
    long previous = change.cookie() - 1;
    return answered.contains(previous) || Promises.isFirstOfConnection(change.cookie());
  }
}
