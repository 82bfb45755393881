package oxbow.format;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian integers in byte arrays, at any alignment. Unsigned values widen on reading. */
public final class Le {
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Le() {}

  /** The u16 at an offset, 0 to 65535. */
  public static int getU16(byte[] bytes, int offsetBytes) {
    return Short.toUnsignedInt((short) SHORT.get(bytes, offsetBytes));
  }

  /** The u32 at an offset, 0 to 2^32 - 1. */
  public static long getU32(byte[] bytes, int offsetBytes) {
    return Integer.toUnsignedLong((int) INT.get(bytes, offsetBytes));
  }

  /** The u64 at an offset. Values of 2^63 and more come out negative: compare them unsigned. */
  public static long getU64(byte[] bytes, int offsetBytes) {
    return (long) LONG.get(bytes, offsetBytes);
  }

  /** Stores the low 16 bits of a value. */
  public static void putU16(byte[] bytes, int offsetBytes, int value) {
    SHORT.set(bytes, offsetBytes, (short) value);
  }

  /** Stores the low 32 bits of a value. */
  public static void putU32(byte[] bytes, int offsetBytes, long value) {
    INT.set(bytes, offsetBytes, (int) value);
  }

  /** Stores a u64. */
  public static void putU64(byte[] bytes, int offsetBytes, long value) {
    LONG.set(bytes, offsetBytes, value);
  }
}
