package oxbow.format;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;

/**
 * A reflected CRC of 32 bits whose register starts with any value, without inversion before or
 * after. Reusable; not for several threads at once.
 *
 * <p>The library's CRCs are as fast as the processor allows, but their register starts with all
 * ones. So it is first fed the four bytes that bring the register to the seed: four bytes w turn a
 * register r into L(r xor w), where L, 32 steps of the register, can be undone step by step.
 */
public final class RawCrc {
  private static final int FIRST_REGISTER = 0xFFFF_FFFF;

  private final Checksum library;
  private final int polynomial;

  private RawCrc(Checksum library, int polynomial) {
    this.library = library;
    this.polynomial = polynomial;
  }

  /** The polynomial of Ethernet, zip and dm-bow. */
  public static RawCrc crc32() {
    return new RawCrc(new CRC32(), 0xEDB8_8320);
  }

  /** Castagnoli's polynomial: iSCSI, ext4. */
  public static RawCrc crc32c() {
    return new RawCrc(new CRC32C(), 0x82F6_3B78);
  }

  /** Begins anew with a register. */
  public RawCrc start(int register) {
    int prefix = FIRST_REGISTER ^ undone(register);
    library.reset();
    for (int byteNr = 0; byteNr < Integer.BYTES; byteNr++) {
      library.update(prefix >>> (byteNr * Byte.SIZE));
    }
    return this;
  }

  /** The register 32 steps before. The polynomial's top bit tells which steps have added it. */
  private int undone(int register) {
    int before = register;
    for (int step = 0; step < Integer.SIZE; step++) {
      before = before < 0 ? (before ^ polynomial) << 1 | 1 : before << 1;
    }
    return before;
  }

  /** Goes on with part of an array. */
  public RawCrc update(byte[] data, int offsetBytes, int lengthBytes) {
    library.update(data, offsetBytes, lengthBytes);
    return this;
  }

  /** Goes on with what a buffer has left; its position moves to its limit. */
  public void update(ByteBuffer data) {
    library.update(data);
  }

  /** The register after all data since {@link #start}. */
  public int register() {
    return (int) ~library.getValue();
  }
}
