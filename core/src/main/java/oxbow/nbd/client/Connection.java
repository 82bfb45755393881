package oxbow.nbd.client;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import oxbow.engine.IoBuffer;
import oxbow.engine.Pieces;
import oxbow.engine.Stream;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.RequestHeader;

/**
 * One connection to a server: puts {@link Negotiation}, {@link ReplyReader} and the sending of
 * commands on a stream. Lives on the stream's loop and never comes back: after a loss its owner
 * takes the commands back and begins anew.
 *
 * <p>Commands are sent in batches: all that were given since the last {@link #push} leave with one
 * system call. The payload of a long WRITE leaves straight from the request's buffer, that of a
 * long READ arrives straight in it; short ones are copied.
 */
public final class Connection {
  /** Payloads at least as long are not copied. */
  private static final int DIRECT_BYTES = 32 << 10;

  private static final int RECEIVE_BYTES = 256 << 10;

  /**
   * After a long READ: just enough for headers, so that the next READ's data stays in the socket.
   */
  private static final int RECEIVE_HEADERS_BYTES = 4 << 10;

  private static final int SEND_BYTES = 256 << 10;

  /** Told about the connection; on the loop, and never from within a call other than start. */
  public interface Owner {
    /** The handshake has ended well: commands may be sent. */
    void ready(Connection connection, Export export);

    /**
     * The connection is gone; the commands in flight wait in {@link Connection#takeBack}.
     *
     * @param why half a sentence for people
     * @param culprit the command whose reply broke the protocol, if one did; also to be taken back
     */
    void lost(Connection connection, String why, @Nullable Command culprit);
  }

  private final Stream stream;
  private final Owner owner;
  private final Negotiation negotiation;
  private final SlotTable slots;
  private final IoBuffer incoming;
  private final IoBuffer outgoing;
  private final SegmentViews receiveViews = new SegmentViews();
  private final SegmentViews sendViews = new SegmentViews();
  private final Pieces pieces = new Pieces(2);

  /** Reads replies, once the handshake has ended. */
  private @Nullable ReplyReader reader;

  private int incomingBytes;

  /** Whether the outstanding receive goes to a READ's own buffer. */
  private boolean isReceivingDirectly;

  private boolean areReadsLong;
  private @Nullable Command firstToSend;
  private @Nullable Command lastToSend;
  private boolean isSending;

  /** The WRITE whose payload is leaving from its own buffer. */
  private @Nullable Command sendingDirectly;

  /** Whether that WRITE was answered before we were told that it had left; it ends after that. */
  private boolean isAnsweredEarly;

  private boolean hasAnswered;
  private boolean isClosed;
  private String whyLost = "";
  private @Nullable Command culprit;

  /**
   * A connection over a fresh stream; on its loop. It does nothing before {@link #start}.
   *
   * @param maxInFlight how many commands may be in flight
   */
  public Connection(Stream stream, String exportName, int maxInFlight, Owner owner) {
    this.stream = stream;
    this.owner = owner;
    this.negotiation = new Negotiation(exportName);
    this.slots = new SlotTable(maxInFlight);
    this.incoming = stream.loop().buffers().take(RECEIVE_BYTES);
    this.outgoing = stream.loop().buffers().take(SEND_BYTES);
    stream.handler(new Events());
  }

  /** Begins the handshake. */
  public void start() {
    receiveAll();
  }

  /** Whether {@link #send} may be called. */
  public boolean hasRoom() {
    return !slots.isFull() && !isClosed;
  }

  /** How many commands are in flight. */
  public int inFlight() {
    return slots.count();
  }

  /** Whether a WRITE, WRITE_ZEROES, TRIM or FLUSH is in flight. Looks at each slot. */
  public boolean hasChangesInFlight() {
    return slots.hasChanges();
  }

  /** Grows whenever the server shows that it lives. */
  public long signsOfLife() {
    return stream.signsOfLife();
  }

  /** Whether a command was answered: the server is not only there but works. */
  public boolean hasAnswered() {
    return hasAnswered;
  }

  /** Puts a command in flight; it leaves with the next {@link #push}. Only with room. */
  public void send(Command command) {
    command.prepare();
    command.next = null;
    slots.add(command);
    Command last = lastToSend;
    if (last == null) {
      firstToSend = command;
    } else {
      last.next = command;
    }
    lastToSend = command;
  }

  /** Sends what waits, unless a batch is leaving; then it follows by itself. */
  public void push() {
    while (!isSending && !isClosed && firstToSend != null) {
      fillBatch();
      isSending = true;
      if (!stream.send(pieces)) {
        return;
      }
      batchSent();
    }
  }

  /** Says good-bye and closes; {@link Owner#lost} follows. */
  public void disconnect() {
    if (reader != null && !isSending && !isClosed) {
      RequestHeader.put(outgoing.bytes().clear(), 0, 0, Nbd.CMD_DISC, 0, 0, 0);
      // Should it not leave at once, the server hears the same from the end of the stream.
      stream.send(outgoing, 0, RequestHeader.SIZE_BYTES);
    }
    fail("closed", null);
  }

  /** Gives the connection up; {@link Owner#lost} follows with this reason. */
  public void abandon(String why) {
    fail(why, null);
  }

  /** After the loss: a command that was in flight; null when there are no more. */
  public @Nullable Command takeBack() {
    return slots.removeAny();
  }

  private void fail(String why, @Nullable Command guilty) {
    if (!isClosed) {
      isClosed = true;
      whyLost = why;
      culprit = guilty;
      stream.close();
    }
  }

  private void receiveAll() {
    while (!isClosed) {
      int received = receive();
      if (received == 0) {
        return;
      }
      eat(received);
    }
  }

  private int receive() {
    ReplyReader replies = reader;
    int directBytes = replies == null ? 0 : replies.directBytes();
    isReceivingDirectly = replies != null && directBytes >= DIRECT_BYTES;
    if (isReceivingDirectly && replies != null) {
      areReadsLong = true;
      IoBuffer view = receiveViews.of(replies.directData(), replies.directOffset(), directBytes);
      return stream.receive(view, receiveViews.offset(), directBytes);
    }
    int room = incoming.capacity() - incomingBytes;
    int limit = areReadsLong ? RECEIVE_HEADERS_BYTES : RECEIVE_BYTES;
    areReadsLong = false;
    return stream.receive(incoming, incomingBytes, Math.min(room, limit));
  }

  private void eat(int receivedBytes) {
    ReplyReader replies = reader;
    incoming.bytes().clear();
    try {
      if (replies == null) {
        incomingBytes += receivedBytes;
        eatHandshake();
      } else if (isReceivingDirectly) {
        replies.directReceived(receivedBytes);
      } else {
        incomingBytes += receivedBytes;
        keepFrom(replies.read(incoming, 0, incomingBytes));
      }
    } catch (BadReplyException e) {
      fail(String.valueOf(e.getMessage()), e.culprit());
    }
  }

  private void eatHandshake() throws BadReplyException {
    int eaten = negotiation.eat(incoming.bytes(), 0, incomingBytes);
    pushHandshake();
    Refusal refusal = negotiation.refusal();
    Export export = negotiation.export();
    if (refusal != null) {
      fail(refusal.message(), null);
    } else if (export != null) {
      ReplyReader replies = new ReplyReader(slots, export, this::replied);
      reader = replies;
      owner.ready(this, export);
      // A server that speaks first here breaks the protocol, and the reader will say so.
      keepFrom(replies.read(incoming, eaten, incomingBytes));
    } else {
      keepFrom(eaten);
    }
  }

  private void pushHandshake() {
    if (!isSending) {
      int lengthBytes = negotiation.takeOutput(outgoing.bytes().clear(), 0);
      isSending = lengthBytes > 0 && !stream.send(outgoing, 0, lengthBytes);
    }
  }

  /** Moves what was not eaten to the front. */
  private void keepFrom(int at) {
    int rest = incomingBytes - at;
    if (at > 0 && rest > 0) {
      ByteBuffer bytes = incoming.bytes().clear();
      bytes.put(0, bytes, at, rest);
    }
    incomingBytes = rest;
  }

  private void replied(Command command, int errno) {
    hasAnswered = true;
    if (command == sendingDirectly) {
      isAnsweredEarly = true; // Its buffer is still in the stream's hands.
      command.errno = errno;
    } else {
      command.ended(errno);
    }
  }

  /** Encodes commands until the buffer is full or one has a long payload, which ends the batch. */
  private void fillBatch() {
    int at = 0;
    pieces.clear();
    ByteBuffer bytes = outgoing.bytes().clear();
    Command command = firstToSend;
    Command direct = null;
    while (command != null && direct == null) {
      boolean isWrite = command.type() == Nbd.CMD_WRITE;
      boolean isLong = isWrite && command.lengthBytes() >= DIRECT_BYTES;
      int copiedBytes = isWrite && !isLong ? (int) command.lengthBytes() : 0;
      if (outgoing.capacity() - at < RequestHeader.SIZE_BYTES + copiedBytes) {
        break;
      }
      RequestHeader.put(
          bytes,
          at,
          command.flags(),
          command.type(),
          command.cookie,
          command.offsetBytes(),
          command.lengthBytes());
      at += RequestHeader.SIZE_BYTES;
      if (copiedBytes > 0) {
        MemorySegment.copy(
            command.data(), command.dataOffset(), outgoing.segment(), at, copiedBytes);
        at += copiedBytes;
      }
      command.isSent = true;
      direct = isLong ? command : null;
      command = command.next;
    }
    firstToSend = command;
    if (command == null) {
      lastToSend = null;
    }
    pieces.add(outgoing, 0, at);
    if (direct != null) {
      int lengthBytes = (int) direct.lengthBytes();
      IoBuffer view = sendViews.of(direct.data(), direct.dataOffset(), lengthBytes);
      pieces.add(view, sendViews.offset(), lengthBytes);
      sendingDirectly = direct;
    }
  }

  private void batchSent() {
    isSending = false;
    Command direct = sendingDirectly;
    sendingDirectly = null;
    if (direct != null && isAnsweredEarly) {
      isAnsweredEarly = false;
      direct.ended(direct.errno);
    }
  }

  /** What the stream tells. */
  private final class Events implements Stream.Handler {
    @Override
    public void received(int lengthBytes) {
      eat(lengthBytes);
      receiveAll();
    }

    @Override
    public void sent() {
      batchSent();
      pushHandshake();
      push();
    }

    @Override
    public void closed(String why) {
      if (!isClosed) {
        isClosed = true;
        whyLost = why.isEmpty() ? "the server closed the connection" : why;
        if (reader == null) {
          negotiation.closedByServer();
          Refusal refusal = negotiation.refusal();
          whyLost = refusal != null && why.isEmpty() ? refusal.message() : whyLost;
        }
      }
      batchSent();
      firstToSend = null;
      lastToSend = null;
      stream.loop().buffers().give(incoming);
      stream.loop().buffers().give(outgoing);
      owner.lost(Connection.this, whyLost, culprit);
    }
  }
}
