package oxbow.target.clone;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.zip.CRC32C;
import oxbow.target.Geometry;

/**
 * Checksums of what was copied to the destination in this run, region by region, as it came from
 * the source. In memory only: 4 bytes for each region, in chunks that are there only where data was
 * copied; holes cost nothing but their ends.
 *
 * <p>Sums are put in by the threads that copy, each for regions that nobody else copies then (O1).
 * They are to be asked for by whoever knows that the copy has ended and was recorded.
 */
public final class CopyChecksums {
  /** Stands for a region that was not copied in this run. */
  public static final int NONE = 0;

  private static final int CHUNK_SHIFT = 12;
  private static final int CHUNK_REGIONS = 1 << CHUNK_SHIFT;

  private final Geometry geometry;
  private final AtomicReferenceArray<int[]> chunks;

  /** The sums of a whole chunk of zeros, which all such chunks share. Never written. */
  private final int[] zeroChunk = new int[CHUNK_REGIONS];

  private final int zeroSum;
  private final int lastZeroSum;

  /**
   * @param deviceBytes length of the clone
   * @param regionBytes power of two
   */
  public CopyChecksums(long deviceBytes, long regionBytes) {
    this.geometry = new Geometry(deviceBytes, regionBytes);
    long last = geometry.count() - 1;
    this.chunks = new AtomicReferenceArray<>((int) (last >>> CHUNK_SHIFT) + 1);
    this.zeroSum = sumOfZeros(regionBytes);
    this.lastZeroSum = sumOfZeros(geometry.lengthOf(last, 1));
    Arrays.fill(zeroChunk, zeroSum);
  }

  private static int sumOfZeros(long lengthBytes) {
    byte[] zeros = new byte[(int) Math.min(lengthBytes, 1 << 16)];
    CRC32C crc = new CRC32C();
    for (long left = lengthBytes; left > 0; left -= zeros.length) {
      crc.update(zeros, 0, (int) Math.min(left, zeros.length));
    }
    return sumOf(crc);
  }

  /** The sum that stands for what was given to a CRC; never {@link #NONE}. */
  public static int sumOf(CRC32C crc) {
    int value = (int) crc.getValue();
    return value == NONE ? 1 : value;
  }

  /** The sum of a region of zeros. */
  public int sumOfZeroRegion(long region) {
    return region == geometry.count() - 1 ? lastZeroSum : zeroSum;
  }

  /** The sum of a region, or {@link #NONE}. */
  public int sum(long region) {
    int[] chunk = chunks.get(chunkOf(region));
    return chunk == null ? NONE : chunk[indexOf(region)];
  }

  /**
   * Takes the next part of a copy.
   *
   * @param crc holds the beginning of a region that the part before ended in; reset where a copy
   *     begins
   * @param data its first bytes are the part; native memory
   */
  public void add(CRC32C crc, long offsetBytes, MemorySegment data, long lengthBytes) {
    ByteBuffer bytes = data.asSlice(0, lengthBytes).asByteBuffer();
    long end = offsetBytes + lengthBytes;
    for (long at = offsetBytes; at < end; ) {
      long region = geometry.partOf(at);
      long regionEnd = geometry.endOf(region + 1);
      long next = Math.min(end, regionEnd);
      bytes.limit((int) (next - offsetBytes));
      crc.update(bytes);
      if (next == regionEnd) {
        put(region, sumOf(crc));
        crc.reset();
      }
      at = next;
    }
  }

  private void put(long region, int sum) {
    int index = chunkOf(region);
    while (true) {
      int[] chunk = chunks.get(index);
      if (chunk != null && chunk != zeroChunk) {
        chunk[indexOf(region)] = sum;
        return;
      }
      int[] own = chunk == null ? new int[CHUNK_REGIONS] : chunk.clone();
      chunks.compareAndSet(index, chunk, own);
    }
  }

  /** Holes of the source: the destination reads as zeros there. */
  void putZeros(long first, long count) {
    long end = first + count;
    for (long region = first; region < end; ) {
      boolean isWholeChunk = indexOf(region) == 0 && end - region >= CHUNK_REGIONS;
      boolean hasLast = region + CHUNK_REGIONS >= geometry.count();
      if (isWholeChunk && !hasLast && chunks.compareAndSet(chunkOf(region), null, zeroChunk)) {
        region += CHUNK_REGIONS;
      } else {
        put(region, sumOfZeroRegion(region));
        region++;
      }
    }
  }

  /** What the sums take, but for the list of chunks. */
  long memoryBytes() {
    long bytes = 0;
    for (int i = 0; i < chunks.length(); i++) {
      int[] chunk = chunks.get(i);
      bytes += chunk == null || chunk == zeroChunk ? 0 : (long) CHUNK_REGIONS * Integer.BYTES;
    }
    return bytes;
  }

  private static int chunkOf(long region) {
    return (int) (region >>> CHUNK_SHIFT);
  }

  private static int indexOf(long region) {
    return (int) region & (CHUNK_REGIONS - 1);
  }
}
