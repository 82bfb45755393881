package oxbow.format.bow;

import java.nio.ByteBuffer;
import oxbow.format.RawCrc;

/**
 * The checksum of saved data: CRC-32 of polynomial 0xEDB88320, reflected, whose register starts
 * with the number of the source block, without inversion before or after. Reusable; not for several
 * threads at once.
 *
 * @see "docs/format/bow.md, Checksum"
 */
public final class BowChecksum {
  private final RawCrc crc = RawCrc.crc32();

  /**
   * Begins anew.
   *
   * @param sourceBlock number of the first block that was saved; its low 32 bits count
   */
  public void start(long sourceBlock) {
    crc.start((int) sourceBlock);
  }

  /** Goes on with part of an array. */
  public void update(byte[] data, int offsetBytes, int lengthBytes) {
    crc.update(data, offsetBytes, lengthBytes);
  }

  /** Goes on with what a buffer has left; its position moves to its limit. */
  public void update(ByteBuffer data) {
    crc.update(data);
  }

  /** The checksum of all data since {@link #start}: a u32, which may be 0 by chance. */
  public long value() {
    return Integer.toUnsignedLong(crc.register());
  }

  /** The checksum of an array. */
  public static long of(long sourceBlock, byte[] data) {
    BowChecksum checksum = new BowChecksum();
    checksum.start(sourceBlock);
    checksum.update(data, 0, data.length);
    return checksum.value();
  }
}
