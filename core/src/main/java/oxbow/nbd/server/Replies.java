package oxbow.nbd.server;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.engine.BufferPool;
import oxbow.engine.IoBuffer;
import oxbow.engine.Pieces;
import oxbow.engine.Stream;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.NbdErrno;
import oxbow.nbd.wire.ReplyChunk;
import oxbow.nbd.wire.SimpleReply;

/**
 * The sending half of a connection: gathers the replies of a turn in one buffer and sends them
 * together. Payloads too large to be worth copying leave from the buffers of their slots, which are
 * kept until all has left. Once negotiated, READ and BLOCK_STATUS are answered with structured
 * replies; for all others the shorter simple ones remain allowed.
 */
final class Replies {
  /** Holds any reply that is made in place, and fits a core's cache. */
  static final int BUFFER_BYTES = 256 << 10;

  /** With so much gathered it is sent, so that the client has work while we go on. */
  static final int ENOUGH_BYTES = 80 << 10;

  /** Up to here a copy is cheaper than a piece, and with it a system call, of its own. */
  static final int MAX_COPY_BYTES = 16 << 10;

  private static final int MAX_PIECES = 33;

  private final Stream stream;
  private final boolean isStructured;
  private final int readHeaderBytes;
  private final IoBuffer buffer;
  private final MemorySegment segment;
  private final ByteBuffer bytes;
  private final Pieces pieces = new Pieces(MAX_PIECES);

  /** Bytes in the buffer that are to be sent, and how many of them stand in pieces already. */
  private int length;

  private int lengthInPieces;
  private boolean isSending;

  /** Slots whose buffers are in pieces. */
  private @Nullable Slot slots;

  Replies(Stream stream, BufferPool pool, boolean isStructured) {
    this.stream = stream;
    this.isStructured = isStructured;
    this.readHeaderBytes = isStructured ? ReplyChunk.OFFSET_DATA_BYTES : SimpleReply.SIZE_BYTES;
    this.buffer = pool.take(BUFFER_BYTES);
    this.segment = buffer.segment();
    this.bytes = buffer.bytes();
  }

  /** Whether a reply without payload can be added, or anything be gathered further. */
  boolean hasRoom() {
    return !isSending && length < ENOUGH_BYTES;
  }

  /** Whether a READ's reply with so many bytes can be added. */
  boolean hasRoomForRead(int dataBytes) {
    return !isSending && readHeaderBytes + dataBytes <= BUFFER_BYTES - length;
  }

  /** Whether it could, were the buffer empty. */
  boolean fitsRead(int dataBytes) {
    return readHeaderBytes + dataBytes <= BUFFER_BYTES;
  }

  /** Where {@link #readPosition} points into. */
  MemorySegment segment() {
    return segment;
  }

  /** Where the data of the next READ's reply must be put before {@link #read} is called. */
  int readPosition() {
    return length + readHeaderBytes;
  }

  /** Adds the reply to a READ whose data stand at {@link #readPosition}. */
  void read(long cookie, long offsetBytes, int dataBytes) {
    putReadHeader(cookie, offsetBytes, dataBytes);
    length += dataBytes;
  }

  private void putReadHeader(long cookie, long offsetBytes, int dataBytes) {
    if (!isStructured) {
      SimpleReply.put(bytes, length, Errno.OK, cookie);
      length += SimpleReply.SIZE_BYTES;
    } else if (dataBytes == 0) {
      ReplyChunk.putNone(bytes, length, cookie); // A chunk of data must not be empty.
      length += ReplyChunk.HEADER_BYTES;
    } else {
      ReplyChunk.putOffsetData(bytes, length, cookie, offsetBytes, dataBytes);
      length += ReplyChunk.OFFSET_DATA_BYTES;
    }
  }

  /** Adds a reply without payload; room must have been asked for. */
  void plain(int command, long cookie, int errno) {
    int error = NbdErrno.toWire(errno);
    boolean mustBeStructured = command == Nbd.CMD_READ || command == Nbd.CMD_BLOCK_STATUS;
    if (isStructured && mustBeStructured && error != 0) {
      ReplyChunk.putError(bytes, length, cookie, error);
      length += ReplyChunk.ERROR_BYTES;
    } else {
      SimpleReply.put(bytes, length, error, cookie);
      length += SimpleReply.SIZE_BYTES;
    }
  }

  /**
   * Adds the reply to a completed request.
   *
   * @return NO_ROOM: nothing was done; ADDED: the slot is free again; KEPT: its buffer is sent from
   *     and comes back from {@link #takeSent}
   */
  Outcome add(Slot slot) {
    IoBuffer data = slot.buffer;
    boolean hasPayload =
        slot.errno == Errno.OK
            && data != null
            && (slot.command == Nbd.CMD_READ || slot.command == Nbd.CMD_BLOCK_STATUS);
    if (!hasPayload || data == null) {
      if (!hasRoom()) {
        return Outcome.NO_ROOM;
      }
      plain(slot.command, slot.cookie, slot.errno);
      return Outcome.ADDED;
    }
    return slot.command == Nbd.CMD_READ ? addRead(slot, data) : addStatus(slot, data);
  }

  private Outcome addRead(Slot slot, IoBuffer data) {
    int dataBytes = (int) slot.lengthBytes;
    if (dataBytes <= MAX_COPY_BYTES) {
      if (!hasRoomForRead(dataBytes)) {
        return Outcome.NO_ROOM;
      }
      MemorySegment.copy(data.segment(), 0, segment, readPosition(), dataBytes);
      read(slot.cookie, slot.offsetBytes, dataBytes);
      return Outcome.ADDED;
    }
    // A piece up to the header, one for the data, and one that is left for what comes behind.
    if (!hasRoom() || pieces.room() < 3) {
      return Outcome.NO_ROOM;
    }
    putReadHeader(slot.cookie, slot.offsetBytes, dataBytes);
    addPieceOfBuffer();
    pieces.add(data, 0, dataBytes);
    slot.next = slots;
    slots = slot;
    return Outcome.KEPT;
  }

  private Outcome addStatus(Slot slot, IoBuffer data) {
    int extentsBytes = slot.extentCount() * ReplyChunk.EXTENT_BYTES;
    int chunkBytes = ReplyChunk.BLOCK_STATUS_BYTES + extentsBytes;
    if (isSending || length + chunkBytes > BUFFER_BYTES) {
      return Outcome.NO_ROOM;
    }
    ReplyChunk.put(
        data.bytes(),
        0,
        Nbd.REPLY_FLAG_DONE,
        Nbd.REPLY_TYPE_BLOCK_STATUS,
        slot.cookie,
        Integer.BYTES + extentsBytes);
    data.bytes().putInt(ReplyChunk.HEADER_BYTES, Negotiation.BASE_ALLOCATION_ID);
    MemorySegment.copy(data.segment(), 0, segment, length, chunkBytes);
    length += chunkBytes;
    return Outcome.ADDED;
  }

  private void addPieceOfBuffer() {
    if (length > lengthInPieces) {
      pieces.add(buffer, lengthInPieces, length - lengthInPieces);
      lengthInPieces = length;
    }
  }

  /**
   * Sends what there is.
   *
   * @return true when nothing is left to be sent; false when the stream will tell
   */
  boolean send() {
    if (isSending) {
      return false;
    }
    addPieceOfBuffer();
    if (pieces.count() == 0) {
      return true;
    }
    if (!stream.send(pieces)) {
      isSending = true;
      return false;
    }
    sent();
    return true;
  }

  /** The stream has told that all has left. */
  void sent() {
    isSending = false;
    pieces.clear();
    length = 0;
    lengthInPieces = 0;
  }

  boolean isSending() {
    return isSending;
  }

  /** A slot whose buffer has left, one for each call; null when there is none. */
  @Nullable Slot takeSent() {
    Slot slot = slots;
    if (slot == null || isSending) {
      return null;
    }
    slots = slot.next;
    slot.next = null;
    return slot;
  }

  /** The stream is gone: nothing will be sent any more, the buffer goes back. */
  void close(BufferPool pool) {
    sent();
    pool.give(buffer);
  }

  /** What became of a reply. */
  enum Outcome {
    NO_ROOM,
    ADDED,
    KEPT
  }
}
