package oxbow.nbd.wire;

import java.nio.ByteBuffer;

/** A simple reply's header: magic, error, cookie. The payload of a READ without error follows. */
public final class SimpleReply {
  public static final int SIZE_BYTES = 16;
  private static final int MAGIC_OFFSET = 0;
  private static final int ERROR_OFFSET = 4;
  private static final int COOKIE_OFFSET = 8;

  private SimpleReply() {}

  /**
   * @param error as on the wire, see {@link NbdErrno#toWire}
   */
  public static void put(ByteBuffer into, int at, int error, long cookie) {
    into.putInt(at + MAGIC_OFFSET, Nbd.SIMPLE_REPLY_MAGIC);
    into.putInt(at + ERROR_OFFSET, error);
    into.putLong(at + COOKIE_OFFSET, cookie);
  }

  /** Also tells a simple reply from a {@link ReplyChunk}, which has its magic at the same place. */
  public static int magic(ByteBuffer from, int at) {
    return from.getInt(at + MAGIC_OFFSET);
  }

  /** As on the wire, see {@link NbdErrno#fromWire}. */
  public static int error(ByteBuffer from, int at) {
    return from.getInt(at + ERROR_OFFSET);
  }

  public static long cookie(ByteBuffer from, int at) {
    return from.getLong(at + COOKIE_OFFSET);
  }
}
