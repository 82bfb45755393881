package oxbow.target.clone;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which regions are hydrated, one bit each: the whole map in memory, 256 MiB for 2^31 regions,
 * until all are and {@link #release} lets the bits go.
 *
 * <p>Any thread may ask; nobody locks for it. Only the target's owner changes the map, while it
 * holds its lock. Bits only ever go from 0 to 1 while a device is open (O3), so whoever reads a 1
 * may rely on it. A change is a release and a question an acquire: a thread that sees a region
 * hydrated also sees everything that was done to the region before it was set.
 */
public final class RegionMap {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle HYDRATED_COUNT;

  static {
    try {
      HYDRATED_COUNT =
          MethodHandles.lookup().findVarHandle(RegionMap.class, "hydratedCount", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long regionCount;

  /**
   * The bits; null when they have been let go, and then every region is hydrated. Whoever has read
   * the reference may go on with it: bits are never cleared, so an old answer is at worst late.
   */
  private volatile long @Nullable [] words;

  /** Changed by the owner only; read by anyone. */
  @SuppressWarnings("UnusedVariable") // Error Prone does not see the accesses by VarHandle.
  private long hydratedCount;

  /**
   * A map without hydrated regions.
   *
   * @param regionCount 1 to 2^31
   */
  public RegionMap(long regionCount) {
    if (regionCount < 1 || regionCount > 1L << 31) {
      throw new IllegalArgumentException(regionCount + " regions: 1 to 2^31 are possible");
    }
    this.regionCount = regionCount;
    this.words = new long[wordIndex(regionCount - 1) + 1];
  }

  public long regionCount() {
    return regionCount;
  }

  /** How many regions are hydrated; may lag behind the bits when another thread sets them now. */
  public long hydratedCount() {
    return (long) HYDRATED_COUNT.getAcquire(this);
  }

  /** Whether all regions are hydrated, as far as {@link #hydratedCount} knows. */
  public boolean isComplete() {
    return hydratedCount() == regionCount;
  }

  /** Whether a region is hydrated; from any thread, without a lock. */
  public boolean isHydrated(long region) {
    Objects.checkIndex(region, regionCount);
    long[] now = words;
    return now == null || ((long) WORDS.getAcquire(now, wordIndex(region)) & bit(region)) != 0;
  }

  /** Whether every region of a range is; true for an empty one. From any thread. */
  public boolean areAllHydrated(long first, long count) {
    Objects.checkFromIndexSize(first, count, regionCount);
    return nextUnhydrated(first, first + count) == first + count;
  }

  /** The first region at or after one that is not hydrated; {@link #regionCount} if none is. */
  public long nextUnhydrated(long from) {
    return nextUnhydrated(from, regionCount);
  }

  /**
   * The first region from {@code from} on and below {@code limit} that is not hydrated; {@code
   * limit} if none is. From any thread; the answer is as old as the moment each word was read.
   */
  public long nextUnhydrated(long from, long limit) {
    return next(from, limit, -1L);
  }

  /** The same for hydrated regions. */
  public long nextHydrated(long from, long limit) {
    return next(from, limit, 0L);
  }

  /** Looks for a bit that differs from the one that all bits of {@code skipped} are. */
  private long next(long from, long limit, long skipped) {
    Objects.checkFromToIndex(from, limit, regionCount);
    long[] now = words;
    if (from == limit || now == null) {
      return skipped == 0 ? from : limit;
    }
    int last = wordIndex(limit - 1);
    int index = wordIndex(from);
    long found = ((long) WORDS.getAcquire(now, index) ^ skipped) & -1L << from;
    while (found == 0 && index < last) {
      index++;
      found = (long) WORDS.getAcquire(now, index) ^ skipped;
    }
    return found == 0
        ? limit
        : Math.min(limit, ((long) index << 6) + Long.numberOfTrailingZeros(found));
  }

  /**
   * Sets a range hydrated. For the owner only.
   *
   * @param count 0 is allowed and does nothing
   * @return how many of them were not hydrated before
   */
  public long set(long first, long count) {
    Objects.checkFromIndexSize(first, count, regionCount);
    long end = first + count;
    long added = 0;
    for (long region = first; region < end; ) {
      int index = wordIndex(region);
      long next = Math.min(end, ((long) index + 1) << 6);
      added += setBits(index, mask(region, next));
      region = next;
    }
    addToCount(added);
    return added;
  }

  /**
   * Adds the bits of a stored word; those past the last region are not looked at. For the owner
   * only.
   *
   * @param index the word's first region is {@code 64 * index}
   */
  public void setWord(int index, long word) {
    long first = (long) index << 6;
    addToCount(setBits(index, word & mask(first, Math.min(regionCount, first + 64))));
  }

  private int setBits(int index, long bits) {
    long[] now = words;
    if (now == null) {
      return 0;
    }
    long before = now[index]; // Only the owner writes, so its own plain read is current.
    int added = Long.bitCount(bits & ~before);
    if (added != 0) {
      WORDS.setRelease(now, index, before | bits);
    }
    return added;
  }

  /**
   * Lets the memory go (M7): from now on every region counts as hydrated, as all are. Readers may
   * be in the midst of a question; they keep what they look at until they have their answer. For
   * the owner only.
   *
   * @throws IllegalStateException unless all regions are hydrated
   */
  public void release() {
    if (!isComplete()) {
      throw new IllegalStateException(hydratedCount() + " of " + regionCount + " hydrated");
    }
    words = null;
  }

  /** After the bits: a count never claims a region whose bit is not yet visible. */
  private void addToCount(long added) {
    if (added != 0) {
      HYDRATED_COUNT.setRelease(this, hydratedCount + added);
    }
  }

  private static int wordIndex(long region) {
    return (int) (region >>> 6);
  }

  private static long bit(long region) {
    return 1L << region;
  }

  /** The bits of the regions from one up to but not including another within the same word. */
  private static long mask(long first, long end) {
    return (-1L << first) & (-1L >>> -end);
  }
}
