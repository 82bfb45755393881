package oxbow.target.clone;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The hydrations in flight, ordered by region; they never overlap (O1). A sorted array: there are
 * at most a few hundred, and finding one is a binary search without garbage.
 */
final class RegionsInFlight {
  private @Nullable Hydration[] sorted = new Hydration[64];
  private int size;
  private long regionCount;

  boolean isEmpty() {
    return size == 0;
  }

  /** Number of regions in flight, from any cause (H3, T2). */
  long regionCount() {
    return regionCount;
  }

  void add(Hydration hydration) {
    int at = indexOfFirstEndingAfter(hydration.first);
    if (at < size && get(at).overlaps(hydration.first, hydration.end())) {
      throw new IllegalStateException("O1: " + hydration + " overlaps " + sorted[at]);
    }
    if (size == sorted.length) {
      sorted = Arrays.copyOf(sorted, 2 * size);
    }
    System.arraycopy(sorted, at, sorted, at + 1, size - at);
    sorted[at] = hydration;
    size++;
    regionCount += hydration.count;
  }

  void remove(Hydration hydration) {
    int at = indexOfFirstEndingAfter(hydration.first);
    if (at == size || sorted[at] != hydration) {
      throw new IllegalStateException("not in flight: " + hydration);
    }
    size--;
    System.arraycopy(sorted, at + 1, sorted, at, size - at);
    sorted[size] = null;
    regionCount -= hydration.count;
  }

  /** The first hydration that touches one of these regions, or null. */
  @Nullable Hydration firstOverlapping(long firstRegion, long endRegion) {
    int at = indexOfFirstEndingAfter(firstRegion);
    return at < size && get(at).first < endRegion ? sorted[at] : null;
  }

  private int indexOfFirstEndingAfter(long region) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (get(middle).end() > region) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  private Hydration get(int index) {
    Hydration hydration = sorted[index];
    if (hydration == null) {
      throw new IllegalStateException("index " + index + " of " + size);
    }
    return hydration;
  }
}
