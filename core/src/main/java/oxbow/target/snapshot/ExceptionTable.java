package oxbow.target.snapshot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Exceptions that can be read: which chunk of the store stands for a chunk of the origin. One
 * writer at a time, under the family's lock; any number of readers, without one.
 *
 * <p>Chunks of the origin are looked at in pages of 256. Most exceptions come as neighbours: a page
 * whose exceptions all ascend together is one entry of {@link #pages}; all other exceptions are
 * entries of {@link #singles}. A count for each page tells readers where nothing is to be found.
 *
 * <p>Why a reader misses nothing that was put before it began: an exception that moves from one of
 * the {@link ChunkMap}s to the other is put there before it is removed here. Readers look into the
 * singles, then into the pages, and meet those on their way to the pages in one of the two. What
 * goes the other way, when part of a page is removed, they might miss: so they begin again if that
 * has happened meanwhile ({@link #splits}).
 */
final class ExceptionTable {
  static final long NONE = ChunkMap.NONE;

  /** Receives exceptions of neighbours. */
  @FunctionalInterface
  interface RunVisitor {
    void run(long oldChunk, long newChunk, long count);
  }

  private static final int PAGE_BITS = 8;
  private static final int PAGE_CHUNKS = 1 << PAGE_BITS;
  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(short[].class);

  private final long originChunks;
  private final ChunkMap singles = new ChunkMap();
  private final ChunkMap pages = new ChunkMap();

  /** Exceptions of each page; raised before they are put, lowered after they are removed. */
  private final short[] counts;

  private final AtomicLong count = new AtomicLong();

  /** How often a page has been split into singles. */
  private final AtomicInteger splits = new AtomicInteger();

  /**
   * @param originChunks old chunks lie below
   */
  ExceptionTable(long originChunks) {
    this.originChunks = originChunks;
    this.counts = new short[Math.toIntExact(Math.ceilDiv(originChunks, PAGE_CHUNKS))];
  }

  /** How many exceptions there are. */
  long count() {
    return count.get();
  }

  /** The chunk of the store that stands for a chunk of the origin, or {@link #NONE}. */
  long get(long oldChunk) {
    long page = oldChunk >>> PAGE_BITS;
    if (isEmpty(page)) {
      return NONE;
    }
    while (true) {
      int before = splits.get();
      long stored = singles.get(oldChunk);
      if (stored != NONE) {
        return stored;
      }
      long first = pages.get(page);
      if (first != NONE) {
        return first + (oldChunk & (PAGE_CHUNKS - 1));
      }
      if (splits.get() == before) {
        return NONE;
      }
    }
  }

  private boolean isEmpty(long page) {
    return (short) COUNT.getAcquire(counts, (int) page) == 0;
  }

  /** Chunks from this one on, at most the limit, that stand for ascending neighbours of its own. */
  long runLength(long oldChunk, long limit) {
    long stored = get(oldChunk);
    if (stored == NONE) {
      return 0;
    }
    long length = 1;
    while (length < limit && get(oldChunk + length) == stored + length) {
      length += lengthToPageEnd(oldChunk + length, stored + length, limit - length);
    }
    return length;
  }

  /** At least 1, for a chunk that is known to be stored there; a whole page is looked up once. */
  private long lengthToPageEnd(long oldChunk, long stored, long limit) {
    boolean isPageStart = (oldChunk & (PAGE_CHUNKS - 1)) == 0;
    boolean isWhole = isPageStart && pages.get(oldChunk >>> PAGE_BITS) == stored;
    return isWhole ? Math.min(PAGE_CHUNKS, limit) : 1;
  }

  /** Chunks from this one on, at most the limit, that have no exception. */
  long gapLength(long oldChunk, long limit) {
    long end = Math.min(oldChunk + limit, originChunks);
    long chunk = oldChunk;
    while (chunk < end) {
      long page = chunk >>> PAGE_BITS;
      if (isEmpty(page)) {
        chunk = (page + 1) << PAGE_BITS;
      } else if (get(chunk) == NONE) {
        chunk++;
      } else {
        break;
      }
    }
    return Math.min(chunk, end) - oldChunk;
  }

  /** Adds exceptions for neighbours, which have none. */
  void put(long oldChunk, long newChunk, long chunkCount) {
    long end = oldChunk + chunkCount;
    for (long chunk = oldChunk; chunk < end; ) {
      long page = chunk >>> PAGE_BITS;
      long pageEnd = Math.min((page + 1) << PAGE_BITS, end);
      putInPage(page, chunk, newChunk + (chunk - oldChunk), (int) (pageEnd - chunk));
      chunk = pageEnd;
    }
    count.addAndGet(chunkCount);
  }

  private void putInPage(long page, long oldChunk, long newChunk, int chunkCount) {
    int inPage = counts[(int) page] + chunkCount;
    COUNT.setRelease(counts, (int) page, (short) inPage);
    if (chunkCount == PAGE_CHUNKS) {
      pages.put(page, newChunk);
      return;
    }
    for (int i = 0; i < chunkCount; i++) {
      singles.put(oldChunk + i, newChunk + i);
    }
    if (inPage == PAGE_CHUNKS) {
      joinIfAscending(page);
    }
  }

  private void joinIfAscending(long page) {
    long firstOld = page << PAGE_BITS;
    long firstNew = singles.get(firstOld);
    for (int i = 1; i < PAGE_CHUNKS; i++) {
      if (singles.get(firstOld + i) != firstNew + i) {
        return;
      }
    }
    pages.put(page, firstNew);
    for (int i = 0; i < PAGE_CHUNKS; i++) {
      singles.remove(firstOld + i);
    }
  }

  /** Takes the exceptions of neighbours away; they are there. */
  void remove(long oldChunk, long chunkCount) {
    long end = oldChunk + chunkCount;
    for (long chunk = oldChunk; chunk < end; ) {
      long page = chunk >>> PAGE_BITS;
      long pageEnd = Math.min((page + 1) << PAGE_BITS, end);
      removeInPage(page, chunk, (int) (pageEnd - chunk));
      chunk = pageEnd;
    }
    count.addAndGet(-chunkCount);
  }

  private void removeInPage(long page, long oldChunk, int chunkCount) {
    long firstNew = pages.get(page);
    if (firstNew == NONE) {
      for (int i = 0; i < chunkCount; i++) {
        singles.remove(oldChunk + i);
      }
    } else {
      long firstOld = page << PAGE_BITS;
      for (long old = firstOld; old < firstOld + PAGE_CHUNKS; old++) {
        if (old < oldChunk || old >= oldChunk + chunkCount) {
          singles.put(old, firstNew + (old - firstOld));
        }
      }
      splits.incrementAndGet(); // Before the page goes, after its exceptions are elsewhere.
      pages.remove(page);
    }
    COUNT.setRelease(counts, (int) page, (short) (counts[(int) page] - chunkCount));
  }

  /** All exceptions by ascending old chunk; while nobody writes. */
  void forEachRun(RunVisitor visitor) {
    for (long chunk = 0; chunk < originChunks; ) {
      chunk += gapLength(chunk, originChunks - chunk);
      if (chunk < originChunks) {
        long length = runLength(chunk, originChunks - chunk);
        visitor.run(chunk, get(chunk), length);
        chunk += length;
      }
    }
  }

  /** Memory for entries, for tests. */
  long allocatedBytes() {
    return singles.allocatedBytes() + pages.allocatedBytes() + Short.BYTES * (long) counts.length;
  }
}
