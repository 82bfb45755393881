package oxbow.target.clone;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.format.pdata.ArrayBlock;

/**
 * The regions recorded in one transaction: exactly those whose bits the next commit will set (M1).
 *
 * <p>A sparse bitset in pages of {@link #REGIONS_PER_PAGE} regions, each the image of one array
 * block on disk, so that the pages in use are the array blocks to be written. A page that is wholly
 * covered takes no memory of its own. Pages are reused after {@link #clear}.
 *
 * <p>Belongs to one thread at a time.
 */
public final class RegionSet {
  /** Regions of a page, which are those of an array block. */
  public static final int REGIONS_PER_PAGE = ArrayBlock.BITS;

  /** How many pages are kept for reuse (1 MiB); what a larger transaction needed is given back. */
  private static final int MAX_SPARE_PAGES = 256;

  /** Stands for every page whose regions are all in the set. Never written. */
  private static final long[] FULL = new long[ArrayBlock.WORDS];

  static {
    Arrays.fill(FULL, -1L);
  }

  private final long regionCount;

  /** By array block; null where the set has no region. */
  private final long[] @Nullable [] pages;

  /** Indices of the pages in use, in the order of their first use. */
  private int[] used = new int[16];

  private int usedCount;

  private final long[][] spare = new long[MAX_SPARE_PAGES][];
  private int spareCount;

  /**
   * An empty set.
   *
   * @param regionCount regions of the device, 1 to 2^31
   */
  public RegionSet(long regionCount) {
    if (regionCount < 1 || regionCount > 1L << 31) {
      throw new IllegalArgumentException(regionCount + " regions: 1 to 2^31 are possible");
    }
    this.regionCount = regionCount;
    this.pages = new long[pageIndex(regionCount - 1) + 1][];
  }

  public long regionCount() {
    return regionCount;
  }

  public boolean isEmpty() {
    return usedCount == 0;
  }

  /** How many array blocks a commit of this set writes. */
  public int pageCount() {
    return usedCount;
  }

  /** Whether a region is in the set. */
  public boolean contains(long region) {
    Objects.checkIndex(region, regionCount);
    long[] page = pages[pageIndex(region)];
    int bit = (int) (region % REGIONS_PER_PAGE);
    return page != null && (page[bit >> 6] & 1L << bit) != 0;
  }

  /**
   * Adds a range.
   *
   * @param count 0 is allowed and does nothing
   */
  public void add(long first, long count) {
    Objects.checkFromIndexSize(first, count, regionCount);
    long end = first + count;
    for (long region = first; region < end; ) {
      int index = pageIndex(region);
      long pageStart = (long) index * REGIONS_PER_PAGE;
      long next = Math.min(end, pageStart + REGIONS_PER_PAGE);
      if (next - region == REGIONS_PER_PAGE) {
        fill(index);
      } else {
        setBits(page(index), (int) (region - pageStart), (int) (next - pageStart));
      }
      region = next;
    }
  }

  /** Hands every page in use to the visitor, in ascending order. */
  public void forEachPage(PageVisitor visitor) throws IOException {
    Arrays.sort(used, 0, usedCount);
    for (int i = 0; i < usedCount; i++) {
      visitor.page(used[i], usedPage(used[i]));
    }
  }

  /** Empties the set and keeps its pages for reuse. */
  public void clear() {
    for (int i = 0; i < usedCount; i++) {
      recycle(usedPage(used[i]));
      pages[used[i]] = null;
    }
    usedCount = 0;
  }

  private static void setBits(long[] page, int first, int end) {
    if (page == FULL) {
      return;
    }
    for (int bit = first; bit < end; ) {
      int next = Math.min(end, (bit | 63) + 1);
      page[bit >> 6] |= (-1L << bit) & (-1L >>> -next);
      bit = next;
    }
  }

  private void fill(int index) {
    long[] before = pages[index];
    if (before == null) {
      use(index);
    } else {
      recycle(before);
    }
    pages[index] = FULL;
  }

  private long[] page(int index) {
    long[] page = pages[index];
    if (page == null) {
      page = spareCount == 0 ? new long[ArrayBlock.WORDS] : spare[--spareCount];
      pages[index] = page;
      use(index);
    }
    return page;
  }

  private long[] usedPage(int index) {
    return Objects.requireNonNull(pages[index], "a page in use is there");
  }

  private void use(int index) {
    if (usedCount == used.length) {
      used = Arrays.copyOf(used, usedCount * 2);
    }
    used[usedCount++] = index;
  }

  private void recycle(long[] page) {
    if (page != FULL && spareCount < MAX_SPARE_PAGES) {
      Arrays.fill(page, 0L);
      spare[spareCount++] = page;
    }
  }

  private static int pageIndex(long region) {
    return (int) (region / REGIONS_PER_PAGE);
  }

  /** Receives the pages of a set. */
  @FunctionalInterface
  public interface PageVisitor {
    /**
     * @param index of the array block: the page's first region is {@code index *} {@link
     *     #REGIONS_PER_PAGE}
     * @param words 509 words; bit 0 of word 0 is the first region. Not to be changed or kept
     */
    void page(int index, long[] words) throws IOException;
  }
}
