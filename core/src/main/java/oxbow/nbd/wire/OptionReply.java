package oxbow.nbd.wire;

import java.nio.ByteBuffer;

/** What stands before the data of a reply to an option: magic, option, type of reply, length. */
public final class OptionReply {
  public static final int HEADER_BYTES = 20;
  public static final long MAGIC = 0x0003e889045565a9L;

  private OptionReply() {}

  public static void put(ByteBuffer into, int at, int option, int type, int dataBytes) {
    into.putLong(at, MAGIC);
    into.putInt(at + 8, option);
    into.putInt(at + 12, type);
    into.putInt(at + 16, dataBytes);
  }

  public static long magic(ByteBuffer from, int at) {
    return from.getLong(at);
  }

  public static int option(ByteBuffer from, int at) {
    return from.getInt(at + 8);
  }

  public static int type(ByteBuffer from, int at) {
    return from.getInt(at + 12);
  }

  /** 0 to 2^32 - 1. */
  public static long dataBytes(ByteBuffer from, int at) {
    return Integer.toUnsignedLong(from.getInt(at + 16));
  }
}
