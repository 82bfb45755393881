package oxbow.nbd.client;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.engine.IoBuffer;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.NbdErrno;
import oxbow.nbd.wire.ReplyChunk;
import oxbow.nbd.wire.SimpleReply;

/**
 * Reads the server's replies, simple and structured, from whatever pieces they arrive in. No socket
 * in here: whoever has one gives bytes to {@link #read}, and may put the data of a long READ
 * straight where it belongs ({@link #directBytes}).
 *
 * <p>Nothing the server says is believed unseen:
 *
 * <ul>
 *   <li>R1: a reply names a command that is in flight, and has a form that this command can have;
 *   <li>R2: data and holes lie within the READ and tell no byte twice;
 *   <li>R3: a READ ends without error only when every byte has been told;
 *   <li>R4: extents belong to the context asked for; only the last may reach beyond the question.
 * </ul>
 *
 * Whatever breaks them is a {@link BadReplyException} and costs the connection, since after it
 * nothing in the stream can be trusted.
 */
final class ReplyReader {
  /** More extents than any server sends at once: a reply is not a means to keep us busy. */
  private static final long MAX_STATUS_BYTES = 4 + (8L << 21);

  private static final int ERROR_HEAD_BYTES = Integer.BYTES + Short.BYTES;
  private static final int HOLE_BYTES = Long.BYTES + Integer.BYTES;

  /**
   * What comes next in the stream. All but DATA and MESSAGE need their whole length to be there.
   */
  private enum Expecting {
    REPLY,
    DATA_OFFSET,
    DATA,
    HOLE,
    STATUS_CONTEXT,
    EXTENT,
    ERROR,
    MESSAGE,
    ERROR_OFFSET
  }

  /** Told of each complete reply; the command's slot is free by then. */
  interface Sink {
    void replied(Command command, int errno);
  }

  private final SlotTable slots;
  private final Export export;
  private final Sink sink;

  private Expecting expecting = Expecting.REPLY;

  /** The command that the present chunk belongs to; set unless REPLY is expected. */
  private @Nullable Command current;

  /** Whether the reply ends with the present chunk. */
  private boolean isLast;

  private int chunkType;

  /** Bytes of the present chunk's payload that have not been eaten. */
  private long restBytes;

  /** DATA: where in the command's buffer the next byte goes. MESSAGE: how much of it is left. */
  private long position;

  /** EXTENT: where the next one begins. */
  private long extentOffset;

  ReplyReader(SlotTable slots, Export export, Sink sink) {
    this.slots = slots;
    this.export = export;
    this.sink = sink;
  }

  /**
   * Eats what is complete between two indexes.
   *
   * @return the index of the first byte not eaten, fewer than 32 before {@code to}: they come again
   *     when more has arrived
   */
  int read(IoBuffer in, int from, int to) throws BadReplyException {
    int at = from;
    while (true) {
      int eaten = step(in, at, to - at);
      if (eaten == 0) {
        return at;
      }
      at += eaten;
    }
  }

  /** How many bytes of a READ's data come next in the stream; 0 when something else does. */
  int directBytes() {
    return expecting == Expecting.DATA ? (int) restBytes : 0;
  }

  /** Where these bytes belong; only if {@link #directBytes} is not 0. */
  MemorySegment directData() {
    return command().data();
  }

  /** Where in {@link #directData} the first of them goes. */
  long directOffset() {
    return position;
  }

  /** So many of them have been put there. */
  void directReceived(int lengthBytes) throws BadReplyException {
    position += lengthBytes;
    restBytes -= lengthBytes;
    if (restBytes == 0) {
      endChunk();
    }
  }

  /** Whether the stream may end here without cutting a reply. */
  boolean isBetweenReplies() {
    return expecting == Expecting.REPLY;
  }

  /** Eats one thing; returns its length, or 0 if it is not complete. */
  private int step(IoBuffer in, int at, int available) throws BadReplyException {
    ByteBuffer bytes = in.bytes();
    return switch (expecting) {
      case REPLY -> reply(bytes, at, available);
      case DATA_OFFSET -> available < Long.BYTES ? 0 : dataOffset(bytes, at);
      case DATA -> data(in, at, available);
      case HOLE -> available < HOLE_BYTES ? 0 : hole(bytes, at);
      case STATUS_CONTEXT -> available < Integer.BYTES ? 0 : statusContext(bytes, at);
      case EXTENT -> available < ReplyChunk.EXTENT_BYTES ? 0 : extent(bytes, at);
      case ERROR -> available < ERROR_HEAD_BYTES ? 0 : error(bytes, at);
      case MESSAGE -> message(available);
      case ERROR_OFFSET -> available < Long.BYTES ? 0 : errorOffset(bytes, at);
    };
  }

  private int reply(ByteBuffer bytes, int at, int available) throws BadReplyException {
    if (available < Integer.BYTES) {
      return 0;
    }
    int magic = SimpleReply.magic(bytes, at);
    if (magic == Nbd.SIMPLE_REPLY_MAGIC) {
      return available < SimpleReply.SIZE_BYTES ? 0 : simpleReply(bytes, at);
    }
    if (magic == Nbd.STRUCTURED_REPLY_MAGIC && export.hasStructuredReplies()) {
      return available < ReplyChunk.HEADER_BYTES ? 0 : chunk(bytes, at);
    }
    throw bad("magic number of a reply 0x" + Integer.toHexString(magic), null);
  }

  private int simpleReply(ByteBuffer bytes, int at) throws BadReplyException {
    Command command = find(SimpleReply.cookie(bytes, at));
    int wireError = SimpleReply.error(bytes, at);
    if (wireError != 0) {
      fail(command, wireError);
      end(command);
      return SimpleReply.SIZE_BYTES;
    }
    switch (command.type()) {
      case Nbd.CMD_READ -> {
        if (export.hasStructuredReplies()) {
          throw bad("a simple reply although structured ones were agreed", command);
        }
        current = command;
        isLast = true;
        restBytes = command.lengthBytes();
        tellData(command, 0, command.lengthBytes());
      }
      case Nbd.CMD_BLOCK_STATUS -> throw bad("a simple reply without extents", command);
      default -> end(command);
    }
    return SimpleReply.SIZE_BYTES;
  }

  private int chunk(ByteBuffer bytes, int at) throws BadReplyException {
    Command command = find(ReplyChunk.cookie(bytes, at));
    current = command;
    isLast = ReplyChunk.isDone(bytes, at);
    chunkType = ReplyChunk.type(bytes, at);
    restBytes = ReplyChunk.payloadBytes(bytes, at);
    switch (chunkType) {
      case Nbd.REPLY_TYPE_NONE -> {
        require(restBytes == 0 && isLast, "an empty chunk that is not empty or not the last");
        endChunk();
      }
      case Nbd.REPLY_TYPE_OFFSET_DATA -> {
        require(command.type() == Nbd.CMD_READ, "data");
        require(
            restBytes > Long.BYTES && restBytes - Long.BYTES <= command.lengthBytes(),
            "data of the wrong length");
        expecting = Expecting.DATA_OFFSET;
      }
      case Nbd.REPLY_TYPE_OFFSET_HOLE -> {
        require(command.type() == Nbd.CMD_READ, "a hole");
        require(restBytes == HOLE_BYTES, "a hole's description of the wrong length");
        expecting = Expecting.HOLE;
      }
      case Nbd.REPLY_TYPE_BLOCK_STATUS -> {
        require(command.type() == Nbd.CMD_BLOCK_STATUS, "extents");
        long extentsBytes = restBytes - Integer.BYTES;
        require(
            extentsBytes > 0
                && extentsBytes % ReplyChunk.EXTENT_BYTES == 0
                && restBytes <= MAX_STATUS_BYTES,
            "extents of the wrong length");
        expecting = Expecting.STATUS_CONTEXT;
      }
      default -> {
        require((chunkType & Nbd.REPLY_TYPE_ERROR_BIT) != 0, "a chunk of an unknown type");
        int fixedBytes = ERROR_HEAD_BYTES + (hasErrorOffset() ? Long.BYTES : 0);
        require(restBytes >= fixedBytes, "an error of the wrong length");
        expecting = Expecting.ERROR;
      }
    }
    return ReplyChunk.HEADER_BYTES;
  }

  private int dataOffset(ByteBuffer bytes, int at) throws BadReplyException {
    restBytes -= Long.BYTES;
    tellRange(bytes.getLong(at), restBytes, "data outside of the request");
    return Long.BYTES;
  }

  /** Checks a range told by a chunk (R2) and, for data, gets ready to take it. */
  private void tellRange(long offsetBytes, long lengthBytes, String complaint)
      throws BadReplyException {
    Command command = command();
    long start = offsetBytes - command.offsetBytes();
    require(
        offsetBytes >= command.offsetBytes()
            && start <= command.lengthBytes() - lengthBytes
            && lengthBytes > 0,
        complaint);
    tellData(command, start, lengthBytes);
  }

  private void tellData(Command command, long start, long lengthBytes) throws BadReplyException {
    require(command.coverage.add(start, start + lengthBytes), "the same bytes twice");
    position = command.dataOffset() + start;
    expecting = Expecting.DATA;
  }

  private int data(IoBuffer in, int at, int available) throws BadReplyException {
    int length = (int) Math.min(available, restBytes);
    if (length > 0) {
      MemorySegment.copy(in.segment(), at, command().data(), position, length);
      directReceived(length);
    }
    return length;
  }

  private int hole(ByteBuffer bytes, int at) throws BadReplyException {
    long lengthBytes = Integer.toUnsignedLong(bytes.getInt(at + Long.BYTES));
    tellRange(bytes.getLong(at), lengthBytes, "a hole outside of the request");
    command().data().asSlice(position, lengthBytes).fill((byte) 0);
    endChunk();
    return HOLE_BYTES;
  }

  private int statusContext(ByteBuffer bytes, int at) throws BadReplyException {
    Command command = command();
    require(
        export.hasAllocation() && bytes.getInt(at) == export.allocationId(),
        "extents of a context that was not asked for");
    ExtentList list = command.extents();
    require(list != null && list.count() == 0, "extents twice");
    restBytes -= Integer.BYTES;
    extentOffset = command.offsetBytes();
    expecting = Expecting.EXTENT;
    return Integer.BYTES;
  }

  private int extent(ByteBuffer bytes, int at) throws BadReplyException {
    Command command = command();
    long lengthBytes = Integer.toUnsignedLong(bytes.getInt(at));
    // R4: each begins within the question, so only the last can reach beyond it.
    require(lengthBytes > 0 && extentOffset < command.endBytes(), "extents outside of the request");
    ExtentList list = command.extents();
    if (list != null) {
      list.add(Math.min(lengthBytes, command.endBytes() - extentOffset), bytes.getInt(at + 4));
    }
    extentOffset += lengthBytes;
    restBytes -= ReplyChunk.EXTENT_BYTES;
    if (restBytes == 0) {
      endChunk();
    }
    return ReplyChunk.EXTENT_BYTES;
  }

  private int error(ByteBuffer bytes, int at) throws BadReplyException {
    int wireError = bytes.getInt(at);
    require(wireError != 0, "an error without a number");
    fail(command(), wireError);
    restBytes -= ERROR_HEAD_BYTES;
    int messageBytes = Short.toUnsignedInt(bytes.getShort(at + Integer.BYTES));
    // The offset stands behind the message; other kinds of error may have fields we do not know.
    require(
        hasErrorOffset() ? messageBytes + Long.BYTES == restBytes : messageBytes <= restBytes,
        "an error's message of the wrong length");
    position = hasErrorOffset() ? messageBytes : restBytes;
    afterMessage();
    return ERROR_HEAD_BYTES;
  }

  private int message(int available) throws BadReplyException {
    int length = (int) Math.min(available, position);
    if (length > 0) {
      position -= length;
      restBytes -= length;
      afterMessage();
    }
    return length;
  }

  private void afterMessage() throws BadReplyException {
    if (position > 0) {
      expecting = Expecting.MESSAGE;
    } else if (restBytes > 0) {
      expecting = Expecting.ERROR_OFFSET;
    } else {
      endChunk();
    }
  }

  private int errorOffset(ByteBuffer bytes, int at) throws BadReplyException {
    Command command = command();
    long offsetBytes = bytes.getLong(at);
    require(
        offsetBytes >= command.offsetBytes() && offsetBytes < command.endBytes(),
        "an error outside of the request");
    endChunk();
    return Long.BYTES;
  }

  private boolean hasErrorOffset() {
    return chunkType == Nbd.REPLY_TYPE_ERROR_OFFSET;
  }

  private void endChunk() throws BadReplyException {
    Command command = command();
    current = null;
    expecting = Expecting.REPLY;
    if (isLast) {
      if (command.errno == Errno.OK) {
        checkComplete(command);
      }
      end(command);
    }
  }

  private void checkComplete(Command command) throws BadReplyException {
    if (command.type() == Nbd.CMD_READ && !command.coverage.isComplete(command.lengthBytes())) {
      throw bad("success without all of the data", command); // R3
    }
    ExtentList list = command.extents();
    if (list != null && list.count() == 0) {
      throw bad("success without extents", command);
    }
  }

  private void end(Command command) {
    slots.remove(command);
    sink.replied(command, command.errno);
  }

  /** Notes an error for when the reply is complete. */
  private void fail(Command command, int wireError) throws BadReplyException {
    int errno = NbdErrno.fromWire(wireError);
    if (errno == Errno.ESHUTDOWN) {
      // The protocol wants us to go. The command stays in flight, for whoever comes next.
      throw new BadReplyException("the server is shutting down", null);
    }
    if (command.errno == Errno.OK) {
      command.errno = errno;
    }
  }

  private Command find(long cookie) throws BadReplyException {
    Command command = slots.find(cookie);
    if (command == null || !command.isSent) {
      throw bad("a reply to a request that is not in flight", null);
    }
    return command;
  }

  private Command command() {
    Command command = current;
    if (command == null) {
      throw new IllegalStateException("no reply is being read");
    }
    return command;
  }

  private void require(boolean condition, String what) throws BadReplyException {
    if (!condition) {
      throw bad(what, current);
    }
  }

  private static BadReplyException bad(String what, @Nullable Command command) {
    String asked = command == null ? "" : " as a reply to " + command;
    return new BadReplyException("the server breaks the NBD protocol: " + what + asked, command);
  }
}
