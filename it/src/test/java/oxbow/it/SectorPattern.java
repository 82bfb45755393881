package oxbow.it;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import oxbow.block.Sectors;

/**
 * The bytes that belong to a stamp, the same that {@code blkio} writes in the kernel's guest: each
 * little-endian word of sector N is {@code stamp << 40 | N}.
 */
final class SectorPattern {
  /** The stamp of zeros. */
  static final int ZERO = 0;

  /** The stamp of what nobody has written, where the source has data. */
  static final int SOURCE = 1;

  /** No stamp: bytes that nobody can have written there. */
  static final int UNKNOWN = -1;

  private static final int STAMP_SHIFT = 40;
  private static final int WORDS = Sectors.SIZE_BYTES / Long.BYTES;

  private SectorPattern() {}

  static byte[] bytes(int firstSector, int sectorCount, int stamp) {
    ByteBuffer bytes =
        ByteBuffer.allocate((int) Sectors.toBytes(sectorCount)).order(ByteOrder.LITTLE_ENDIAN);
    for (int sector = firstSector; sector < firstSector + sectorCount; sector++) {
      for (int i = 0; i < WORDS; i++) {
        bytes.putLong(word(sector, stamp));
      }
    }
    return bytes.array();
  }

  /** The stamp of one sector in a buffer, or {@link #UNKNOWN}. */
  static int stampOf(ByteBuffer bytes, int at, int sector) {
    long first = bytes.order(ByteOrder.LITTLE_ENDIAN).getLong(at);
    int stamp = (int) (first >>> STAMP_SHIFT);
    if (first != word(sector, stamp)) {
      return UNKNOWN;
    }
    for (int i = 1; i < WORDS; i++) {
      if (bytes.getLong(at + i * Long.BYTES) != first) {
        return UNKNOWN;
      }
    }
    return stamp;
  }

  private static long word(int sector, int stamp) {
    return stamp == ZERO ? 0 : (long) stamp << STAMP_SHIFT | sector;
  }
}
