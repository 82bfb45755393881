package oxbow.format;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * Bytes without a meaning of ours (reserved fields, a uuid), kept so that none is lost. A value.
 */
public final class RawBytes {
  private final byte[] bytes;

  private RawBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  /** So many zeros. */
  public static RawBytes zeros(int lengthBytes) {
    return new RawBytes(new byte[lengthBytes]);
  }

  /** A copy of part of an array. */
  public static RawBytes copyOf(byte[] from, int offsetBytes, int lengthBytes) {
    return new RawBytes(Arrays.copyOfRange(from, offsetBytes, offsetBytes + lengthBytes));
  }

  /** Stores all bytes at an offset of an array. */
  public void copyTo(byte[] into, int offsetBytes) {
    System.arraycopy(bytes, 0, into, offsetBytes, bytes.length);
  }

  public int sizeBytes() {
    return bytes.length;
  }

  public boolean isZero() {
    for (byte b : bytes) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RawBytes raw && Arrays.equals(bytes, raw.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** Hexadecimal, as uuids and unknown fields are shown. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
