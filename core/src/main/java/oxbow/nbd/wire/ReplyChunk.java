package oxbow.nbd.wire;

import java.nio.ByteBuffer;

/**
 * The header of one chunk of a structured reply: magic, flags, type, cookie, length of the payload.
 * Payloads: OFFSET_DATA an offset (8 bytes) and data; OFFSET_HOLE an offset and a length (4);
 * BLOCK_STATUS a context's id (4) and extents (length 4, state 4); ERROR an error (4), the length
 * of a message (2) and the message; ERROR_OFFSET the same and an offset.
 */
public final class ReplyChunk {
  public static final int HEADER_BYTES = 20;

  /** Header and offset: what stands before the data of a chunk OFFSET_DATA. */
  public static final int OFFSET_DATA_BYTES = HEADER_BYTES + 8;

  /** A whole chunk OFFSET_HOLE. */
  public static final int OFFSET_HOLE_BYTES = HEADER_BYTES + 12;

  /** A whole chunk ERROR without a message. */
  public static final int ERROR_BYTES = HEADER_BYTES + 6;

  /** Header and context id: what stands before the extents of a chunk BLOCK_STATUS. */
  public static final int BLOCK_STATUS_BYTES = HEADER_BYTES + 4;

  /** One extent in a chunk BLOCK_STATUS. */
  public static final int EXTENT_BYTES = 8;

  private static final int MAGIC_OFFSET = 0;
  private static final int FLAGS_OFFSET = 4;
  private static final int TYPE_OFFSET = 6;
  private static final int COOKIE_OFFSET = 8;
  private static final int LENGTH_OFFSET = 16;

  private ReplyChunk() {}

  /** Writes a header for a payload of so many bytes. */
  public static void put(
      ByteBuffer into, int at, int flags, int type, long cookie, int payloadBytes) {
    into.putInt(at + MAGIC_OFFSET, Nbd.STRUCTURED_REPLY_MAGIC);
    into.putShort(at + FLAGS_OFFSET, (short) flags);
    into.putShort(at + TYPE_OFFSET, (short) type);
    into.putLong(at + COOKIE_OFFSET, cookie);
    into.putInt(at + LENGTH_OFFSET, payloadBytes);
  }

  /** Writes the last chunk of a reply that carries nothing: success. */
  public static void putNone(ByteBuffer into, int at, long cookie) {
    put(into, at, Nbd.REPLY_FLAG_DONE, Nbd.REPLY_TYPE_NONE, cookie, 0);
  }

  /** Writes the last chunk of a reply that failed; {@link #ERROR_BYTES} long. */
  public static void putError(ByteBuffer into, int at, long cookie, int error) {
    put(into, at, Nbd.REPLY_FLAG_DONE, Nbd.REPLY_TYPE_ERROR, cookie, ERROR_BYTES - HEADER_BYTES);
    into.putInt(at + HEADER_BYTES, error);
    into.putShort(at + HEADER_BYTES + Integer.BYTES, (short) 0);
  }

  /** Writes what stands before the data of the only chunk of a READ's reply. */
  public static void putOffsetData(
      ByteBuffer into, int at, long cookie, long offsetBytes, int dataBytes) {
    int payloadBytes = Long.BYTES + dataBytes;
    put(into, at, Nbd.REPLY_FLAG_DONE, Nbd.REPLY_TYPE_OFFSET_DATA, cookie, payloadBytes);
    into.putLong(at + HEADER_BYTES, offsetBytes);
  }

  public static int magic(ByteBuffer from, int at) {
    return from.getInt(at + MAGIC_OFFSET);
  }

  public static int flags(ByteBuffer from, int at) {
    return Short.toUnsignedInt(from.getShort(at + FLAGS_OFFSET));
  }

  /** Whether the reply ends with this chunk. */
  public static boolean isDone(ByteBuffer from, int at) {
    return (flags(from, at) & Nbd.REPLY_FLAG_DONE) != 0;
  }

  public static int type(ByteBuffer from, int at) {
    return Short.toUnsignedInt(from.getShort(at + TYPE_OFFSET));
  }

  public static long cookie(ByteBuffer from, int at) {
    return from.getLong(at + COOKIE_OFFSET);
  }

  /** Bytes that follow the header, 0 to 2^32 - 1. */
  public static long payloadBytes(ByteBuffer from, int at) {
    return Integer.toUnsignedLong(from.getInt(at + LENGTH_OFFSET));
  }
}
