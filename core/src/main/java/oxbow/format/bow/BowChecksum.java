package oxbow.format.bow;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * The checksum of saved data: CRC-32 of polynomial 0xEDB88320, reflected, whose register starts
 * with the number of the source block, without inversion before or after. Reusable; not for several
 * threads at once.
 *
 * <p>The library's CRC-32 is as fast as the processor allows, but its register starts with all
 * ones. So it is first fed the four bytes that bring the register to the seed: four bytes w turn a
 * register r into L(r xor w), where L, 32 steps of the register, can be undone step by step.
 *
 * @see "docs/format/bow.md, Checksum"
 */
public final class BowChecksum {
  private static final int POLYNOMIAL = 0xEDB8_8320;
  private static final int FIRST_REGISTER = 0xFFFF_FFFF;

  private final CRC32 crc = new CRC32();

  /**
   * Begins anew.
   *
   * @param sourceBlock number of the first block that was saved; its low 32 bits count
   */
  public void start(long sourceBlock) {
    int prefix = FIRST_REGISTER ^ undone((int) sourceBlock);
    crc.reset();
    for (int byteNr = 0; byteNr < Integer.BYTES; byteNr++) {
      crc.update(prefix >>> (byteNr * Byte.SIZE));
    }
  }

  /** The register 32 steps before. The polynomial's top bit tells which steps have added it. */
  private static int undone(int register) {
    int before = register;
    for (int step = 0; step < Integer.SIZE; step++) {
      before = before < 0 ? (before ^ POLYNOMIAL) << 1 | 1 : before << 1;
    }
    return before;
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
    return ~crc.getValue() & 0xFFFF_FFFFL;
  }

  /** The checksum of an array. */
  public static long of(long sourceBlock, byte[] data) {
    BowChecksum checksum = new BowChecksum();
    checksum.start(sourceBlock);
    checksum.update(data, 0, data.length);
    return checksum.value();
  }
}
