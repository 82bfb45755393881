package oxbow.nbd.wire;

import java.nio.ByteBuffer;

/** A request's header: magic, flags, command, cookie, offset, length. A WRITE's payload follows. */
public final class RequestHeader {
  public static final int SIZE_BYTES = 28;
  private static final int MAGIC_OFFSET = 0;
  private static final int FLAGS_OFFSET = 4;
  private static final int COMMAND_OFFSET = 6;
  private static final int COOKIE_OFFSET = 8;
  private static final int OFFSET_OFFSET = 16;
  private static final int LENGTH_OFFSET = 24;

  private RequestHeader() {}

  public static void put(
      ByteBuffer into, int at, int flags, int command, long cookie, long offset, long length) {
    into.putInt(at + MAGIC_OFFSET, Nbd.REQUEST_MAGIC);
    into.putShort(at + FLAGS_OFFSET, (short) flags);
    into.putShort(at + COMMAND_OFFSET, (short) command);
    into.putLong(at + COOKIE_OFFSET, cookie);
    into.putLong(at + OFFSET_OFFSET, offset);
    into.putInt(at + LENGTH_OFFSET, (int) length);
  }

  public static int magic(ByteBuffer from, int at) {
    return from.getInt(at + MAGIC_OFFSET);
  }

  public static int flags(ByteBuffer from, int at) {
    return Short.toUnsignedInt(from.getShort(at + FLAGS_OFFSET));
  }

  public static int command(ByteBuffer from, int at) {
    return Short.toUnsignedInt(from.getShort(at + COMMAND_OFFSET));
  }

  /** The client's name for the request; the server gives it back and knows nothing of it. */
  public static long cookie(ByteBuffer from, int at) {
    return from.getLong(at + COOKIE_OFFSET);
  }

  /** Unsigned: negative means 2^63 and beyond. */
  public static long offset(ByteBuffer from, int at) {
    return from.getLong(at + OFFSET_OFFSET);
  }

  /** 0 to 2^32 - 1. */
  public static long length(ByteBuffer from, int at) {
    return Integer.toUnsignedLong(from.getInt(at + LENGTH_OFFSET));
  }
}
