package oxbow.nbd.wire;

import java.nio.ByteBuffer;

/** What stands before an option's data: magic, option, length. */
public final class OptionHeader {
  public static final int SIZE_BYTES = 16;

  private OptionHeader() {}

  public static void put(ByteBuffer into, int at, int option, int dataBytes) {
    into.putLong(at, Nbd.OPTION_MAGIC);
    into.putInt(at + 8, option);
    into.putInt(at + 12, dataBytes);
  }

  public static long magic(ByteBuffer from, int at) {
    return from.getLong(at);
  }

  public static int option(ByteBuffer from, int at) {
    return from.getInt(at + 8);
  }

  /** 0 to 2^32 - 1. */
  public static long dataBytes(ByteBuffer from, int at) {
    return Integer.toUnsignedLong(from.getInt(at + 12));
  }
}
