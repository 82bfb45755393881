package oxbow.target;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The ranges with I/O in flight, in order; they never overlap (O1). A sorted array: there are at
 * most a few hundred, and finding one is a binary search without garbage.
 */
public final class OwnedRanges<T extends OwnedRange> {
  private @Nullable OwnedRange[] sorted = new OwnedRange[64];
  private int size;
  private long partCount;

  public boolean isEmpty() {
    return size == 0;
  }

  /** How many regions or chunks they own together. */
  public long partCount() {
    return partCount;
  }

  public void add(T range) {
    int at = indexOfFirstEndingAfter(range.first());
    if (at < size && get(at).overlaps(range.first(), range.end())) {
      throw new IllegalStateException("O1: " + range + " overlaps " + sorted[at]);
    }
    if (size == sorted.length) {
      sorted = Arrays.copyOf(sorted, 2 * size);
    }
    System.arraycopy(sorted, at, sorted, at + 1, size - at);
    sorted[at] = range;
    size++;
    partCount += range.count();
  }

  public void remove(T range) {
    int at = indexOfFirstEndingAfter(range.first());
    if (at == size || sorted[at] != range) {
      throw new IllegalStateException("not in flight: " + range);
    }
    size--;
    System.arraycopy(sorted, at + 1, sorted, at, size - at);
    sorted[size] = null;
    partCount -= range.count();
  }

  /** The first range that touches one of these parts, or null. */
  public @Nullable T firstOverlapping(long firstPart, long endPart) {
    int at = indexOfFirstEndingAfter(firstPart);
    return at < size && get(at).first() < endPart ? get(at) : null;
  }

  private int indexOfFirstEndingAfter(long part) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (get(middle).end() > part) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  @SuppressWarnings("unchecked") // Only add() puts something in.
  private T get(int index) {
    OwnedRange range = sorted[index];
    if (range == null) {
      throw new IllegalStateException("index " + index + " of " + size);
    }
    return (T) range;
  }
}
