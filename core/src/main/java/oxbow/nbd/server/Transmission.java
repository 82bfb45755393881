package oxbow.nbd.server;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.engine.BufferPool;
import oxbow.engine.EventLoop;
import oxbow.engine.IoBuffer;
import oxbow.engine.LoopTask;
import oxbow.engine.Stream;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.RequestHeader;

/**
 * The transmission phase of one connection. Works in turns on the loop: handle the requests that
 * have been received, answer those that devices have completed, send all answers together, receive
 * more. A turn ends when it has to wait for bytes, for the socket or for a slot, and after a
 * bounded number of requests.
 */
final class Transmission {
  /** What the next request has to wait for. */
  private enum Lack {
    NOTHING,
    BYTES,
    REPLY_ROOM,
    SLOT,
    BUDGET,
    TURN
  }

  private final Connection connection;
  private final Stream stream;
  private final EventLoop loop;
  private final BufferPool pool;
  private final BlockDevice device;
  private final RequestCheck check;
  private final int maxRequestsPerTurn;
  private final Replies replies;
  private final Slots slots;
  private final Accounts accounts;
  private final LoopTask laterTurn =
      new LoopTask() {
        @Override
        protected void run() {
          guardedTurn();
        }
      };

  private final Received received;

  /** The outstanding receive, if any, and where it goes: to the buffer above, or to a slot's. */
  private boolean isReceiving;

  private boolean isReceivingPayload;
  private int budget;

  /** The WRITE whose payload is being received into its own buffer, and how much has come. */
  private @Nullable Slot filling;

  private int filledBytes;

  /** Payload of a refused WRITE that is still to come, and what is answered then. */
  private long skipBytes;

  private boolean isSkipping;
  private int skipErrno;
  private long skipCookie;

  /** Completed, to be answered; the oldest first. */
  private final SlotQueue ended = new SlotQueue();

  /** What devices have completed on other threads. */
  private final CompletedRequests completed = new CompletedRequests();

  /** New requests are refused; when those in flight have been answered, the connection ends. */
  private boolean isDraining;

  /** The client has said DISC, or nonsense; what it sent behind that is not looked at. */
  private boolean isDisconnecting;

  private boolean isClosed;
  private boolean isInTurn;

  /**
   * @param early what arrived together with the last option
   */
  Transmission(
      Connection connection, Negotiation negotiated, ServerOptions options, ByteBuffer early) {
    this.connection = connection;
    this.stream = connection.stream();
    this.loop = stream.loop();
    this.pool = loop.buffers();
    Offer offer = negotiated.chosen();
    this.device = offer.export().device();
    this.check = new RequestCheck(offer.export(), negotiated);
    this.maxRequestsPerTurn = options.maxRequestsPerTurn();
    this.replies = new Replies(stream, pool, negotiated.isStructured());
    this.slots = new Slots(this, pool, options);
    this.accounts = new Accounts(offer, () -> loop.post(laterTurn), connection::requestFailed);
    this.received = new Received(pool, early);
  }

  void begin() {
    turn();
  }

  void received(int lengthBytes) {
    isReceiving = false;
    accept(lengthBytes);
    turn();
  }

  void sent() {
    replies.sent();
    turn();
  }

  /** Answers what is in flight, refuses the rest, then closes the stream. */
  void drain() {
    isDraining = true;
    turn();
  }

  /** The stream is gone. Buffers go back except those that devices still use (N2). */
  void closed() {
    isClosed = true;
    received.close(pool);
    replies.close(pool);
    accounts.leaveLine();
    Slot unfilled = filling;
    filling = null;
    if (unfilled != null) {
      slots.release(unfilled);
    }
    turn();
  }

  /** Nothing of the connection is in use any more. */
  void ended() {
    accounts.close();
  }

  /** From the device, on any thread and also from within submit: the slot is the loop's again. */
  void completed(Slot slot) {
    if (loop.isCurrent()) {
      ended(slot);
      if (!isInTurn) {
        loop.post(laterTurn);
      }
      return;
    }
    if (completed.push(slot.request)) {
      loop.post(laterTurn);
    }
  }

  private void guardedTurn() {
    try {
      turn();
    } catch (RuntimeException | Error fault) {
      connection.fault(fault);
    }
  }

  private void turn() {
    isInTurn = true;
    try {
      budget = maxRequestsPerTurn;
      boolean goesOn = true;
      while (goesOn) {
        goesOn = isClosed ? dropEnded() : step();
      }
    } finally {
      isInTurn = false;
    }
  }

  /** One round of a turn; false when there is something to wait for. */
  private boolean step() {
    long releasesBefore = slots.releases();
    Lack lack = Lack.BYTES;
    if (!isDisconnecting && !replies.isSending()) {
      lack = handleRequests();
      if (lack == Lack.BYTES) {
        received.allHandled();
      }
    }
    if (lack != Lack.BUDGET) {
      accounts.leaveLine(); // Whatever it waited for, it cannot go on with that now.
    }
    takeCompleted();
    answerEnded();
    boolean hasSentAll = replies.send();
    releaseSent();
    if (!hasSentAll) {
      receiveAhead();
      return false;
    }
    if (!ended.isEmpty()) {
      return true; // They did not fit behind the others; now there is room.
    }
    if (isDisconnecting || (isDraining && lack == Lack.BYTES)) {
      if (slots.busy() == (filling == null ? 0 : 1)) {
        stream.close();
      }
      return false; // The last completion brings us back.
    }
    return switch (lack) {
      case NOTHING, REPLY_ROOM -> true;
      case BYTES -> {
        budget--;
        yield receive();
      }
      case SLOT -> {
        boolean canRetry = slots.releases() != releasesBefore;
        if (!canRetry) {
          receiveAhead(); // No further than the buffer reaches (N3). A completion brings us back.
        }
        yield canRetry;
      }
      case BUDGET -> {
        receiveAhead();
        yield false; // The budget wakes us.
      }
      case TURN -> {
        loop.post(laterTurn);
        yield false;
      }
    };
  }

  private Lack handleRequests() {
    Slot slot = filling;
    if (slot != null) {
      Lack lack = submitFilled(slot);
      if (lack != Lack.NOTHING) {
        return lack;
      }
    }
    while (budget > 0) {
      if (!replies.hasRoom()) {
        return Lack.REPLY_ROOM;
      }
      if (isSkipping && !skip()) {
        return Lack.BYTES;
      }
      if (received.lengthBytes() < RequestHeader.SIZE_BYTES) {
        return Lack.BYTES;
      }
      if (!replies.hasRoom()) {
        return Lack.REPLY_ROOM;
      }
      Lack lack = handleRequest();
      if (lack != Lack.NOTHING) {
        return lack;
      }
      budget--;
    }
    return Lack.TURN;
  }

  private Lack handleRequest() {
    if (received.isBatchHandled()) {
      accounts.settle(received.arrivedNanos(), System.nanoTime());
      received.beginBatch();
    }
    ByteBuffer in = received.bytes();
    int at = received.position();
    int magic = RequestHeader.magic(in, at);
    if (magic != Nbd.REQUEST_MAGIC) {
      isDisconnecting = true;
      connection.fail("request magic 0x" + Integer.toHexString(magic));
      return Lack.BYTES;
    }
    int flags = RequestHeader.flags(in, at);
    int command = RequestHeader.command(in, at);
    long cookie = RequestHeader.cookie(in, at);
    long offset = RequestHeader.offset(in, at);
    long length = RequestHeader.length(in, at);
    if (command == Nbd.CMD_DISC) {
      isDisconnecting = true;
      return Lack.BYTES;
    }
    int errno = isDraining ? Errno.ESHUTDOWN : check.errno(command, flags, offset, length);
    if (errno != Errno.OK) {
      return refuse(command, cookie, offset, length, errno);
    }
    return switch (command) {
      case Nbd.CMD_READ -> read(flags, cookie, offset, (int) length);
      case Nbd.CMD_WRITE -> write(flags, cookie, offset, (int) length);
      default -> dataless(command, flags, cookie, offset, length);
    };
  }

  private Lack refuse(int command, long cookie, long offset, long length, int errno) {
    received.handled(RequestHeader.SIZE_BYTES);
    accounts.failedNow(command, cookie, offset, length, errno);
    if (command == Nbd.CMD_WRITE) {
      isSkipping = true;
      skipBytes = length;
      skipErrno = errno;
      skipCookie = cookie;
    } else {
      replies.plain(command, cookie, errno);
    }
    return Lack.NOTHING;
  }

  /** Throws a refused payload away; false when there is more of it to come. */
  private boolean skip() {
    int length = (int) Math.min(skipBytes, received.lengthBytes());
    received.handled(length);
    skipBytes -= length;
    if (skipBytes > 0) {
      return false;
    }
    isSkipping = false;
    replies.plain(Nbd.CMD_WRITE, skipCookie, skipErrno);
    return true;
  }

  private Lack read(int flags, long cookie, long offset, int length) {
    if (replies.fitsRead(length)) {
      if (!replies.hasRoomForRead(length)) {
        return Lack.REPLY_ROOM;
      }
      int errno =
          length == 0
              ? Errno.OK
              : device.readNow(offset, replies.segment(), replies.readPosition(), length);
      if (errno == Errno.OK) {
        replies.read(cookie, offset, length);
        accounts.doneNow(RequestKind.READ, length);
        received.handled(RequestHeader.SIZE_BYTES);
        return Lack.NOTHING;
      }
      if (errno != Errno.EAGAIN) {
        return refuse(Nbd.CMD_READ, cookie, offset, length, errno);
      }
    }
    Lack lack = lackToBegin(Nbd.CMD_READ, length, length);
    if (lack != Lack.NOTHING) {
      return lack;
    }
    Slot slot = takeSlot(length, Nbd.CMD_READ, flags, cookie, offset, length);
    received.handled(RequestHeader.SIZE_BYTES);
    submit(slot, Operation.READ, 0);
    return Lack.NOTHING;
  }

  private Lack write(int flags, long cookie, long offset, int length) {
    boolean isFua = (flags & Nbd.CMD_FLAG_FUA) != 0;
    boolean fits = RequestHeader.SIZE_BYTES + length <= Received.BUFFER_BYTES;
    if (fits) {
      if (received.lengthBytes() - RequestHeader.SIZE_BYTES < length) {
        return Lack.BYTES;
      }
      int at = received.position() + RequestHeader.SIZE_BYTES;
      int errno = Errno.EAGAIN;
      if (length == 0) {
        errno = Errno.OK;
      } else if (!isFua) {
        errno = device.writeNow(offset, received.segment(), at, length);
      }
      if (errno != Errno.EAGAIN) {
        received.handled(RequestHeader.SIZE_BYTES + length);
        replies.plain(Nbd.CMD_WRITE, cookie, errno);
        if (errno == Errno.OK) {
          accounts.doneNow(RequestKind.WRITE, length);
        } else {
          accounts.failedNow(Nbd.CMD_WRITE, cookie, offset, length, errno);
        }
        return Lack.NOTHING;
      }
    }
    if (!slots.canTake(length)) {
      return Lack.SLOT;
    }
    Slot slot = takeSlot(length, Nbd.CMD_WRITE, isFua ? Flags.FUA : 0, cookie, offset, length);
    received.handled(RequestHeader.SIZE_BYTES);
    filling = slot;
    filledBytes = 0;
    return submitFilled(slot);
  }

  /** Moves what has been received of a payload into the slot's own buffer; submits it if full. */
  private Lack submitFilled(Slot slot) {
    fill(slot);
    if (filledBytes < slot.lengthBytes) {
      return Lack.BYTES;
    }
    if (!accounts.letIn(slot.command, slot.lengthBytes)) {
      return Lack.BUDGET;
    }
    filling = null;
    submit(slot, Operation.WRITE, slot.flags);
    return Lack.NOTHING;
  }

  private void fill(Slot slot) {
    filledBytes +=
        received.moveTo(buffer(slot).segment(), filledBytes, slot.lengthBytes - filledBytes);
  }

  private Lack dataless(int command, int flags, long cookie, long offset, long length) {
    boolean isStatus = command == Nbd.CMD_BLOCK_STATUS;
    if (length == 0 && command != Nbd.CMD_FLUSH) {
      received.handled(RequestHeader.SIZE_BYTES);
      replies.plain(command, cookie, Errno.OK);
      accounts.doneNow(RequestKind.of(command), 0);
      return Lack.NOTHING;
    }
    int bufferBytes = isStatus ? Slot.STATUS_BUFFER_BYTES : 0;
    Lack lack = lackToBegin(command, bufferBytes, length);
    if (lack != Lack.NOTHING) {
      return lack;
    }
    Slot slot = takeSlot(bufferBytes, command, flags, cookie, offset, length);
    received.handled(RequestHeader.SIZE_BYTES);
    switch (command) {
      case Nbd.CMD_BLOCK_STATUS -> {
        int maxExtents = (flags & Nbd.CMD_FLAG_REQ_ONE) != 0 ? 1 : Slot.MAX_EXTENTS;
        slot.expectExtents(maxExtents);
        device.extents(offset, length, maxExtents, slot);
      }
      case Nbd.CMD_FLUSH -> device.submit(slot.request.flush(slot));
      case Nbd.CMD_TRIM -> discardNext(slot);
      case Nbd.CMD_CACHE -> submit(slot, Operation.CACHE, 0);
      case Nbd.CMD_WRITE_ZEROES -> submit(slot, Operation.WRITE_ZEROES, blockFlags(flags));
      default -> throw new IllegalStateException("unchecked " + Nbd.commandName(command));
    }
    return Lack.NOTHING;
  }

  private static int blockFlags(int flags) {
    return ((flags & Nbd.CMD_FLAG_FUA) != 0 ? Flags.FUA : 0)
        | ((flags & Nbd.CMD_FLAG_NO_HOLE) != 0 ? Flags.NO_HOLE : 0)
        | ((flags & Nbd.CMD_FLAG_FAST_ZERO) != 0 ? Flags.FAST_ZERO : 0);
  }

  /** Discards as much as the device takes at once; {@link #ended} goes on with the rest. */
  private void discardNext(Slot slot) {
    long at = slot.nextBytes;
    long left = slot.offsetBytes + slot.lengthBytes - at;
    long length = Math.min(left, device.limits().maxDiscardBytes());
    slot.nextBytes = at + length;
    device.submit(slot.request.range(Operation.DISCARD, at, length, blockFlags(slot.flags), slot));
  }

  /** What a request without payload of its own lacks to be let in; nothing: it has been let in. */
  private Lack lackToBegin(int command, int bufferBytes, long length) {
    if (!slots.canTake(bufferBytes)) {
      return Lack.SLOT;
    }
    return accounts.letIn(command, length) ? Lack.NOTHING : Lack.BUDGET;
  }

  private Slot takeSlot(
      int bufferBytes, int command, int flags, long cookie, long offset, long length) {
    Slot slot = slots.take(bufferBytes);
    slot.command = command;
    slot.flags = flags;
    slot.cookie = cookie;
    slot.offsetBytes = offset;
    slot.lengthBytes = length;
    slot.nextBytes = offset;
    slot.arrivedNanos = received.arrivedNanos();
    return slot;
  }

  private static IoBuffer buffer(Slot slot) {
    IoBuffer buffer = slot.buffer;
    if (buffer == null) {
      throw new IllegalStateException("a slot without a buffer");
    }
    return buffer;
  }

  private void submit(Slot slot, Operation operation, int flags) {
    MemorySegment data = slot.buffer == null ? MemorySegment.NULL : slot.buffer.segment();
    device.submit(
        slot.request.data(operation, slot.offsetBytes, data, 0, slot.lengthBytes, flags, slot));
  }

  /** Takes over what other threads have completed, in the order in which they did. */
  private void takeCompleted() {
    BlockRequest request = completed.takeAll();
    while (request != null) {
      BlockRequest following = request.next;
      request.next = null;
      if (request.context instanceof Slot slot) {
        ended(slot);
      }
      request = following;
    }
  }

  private void ended(Slot slot) {
    boolean isPiece =
        slot.command == Nbd.CMD_TRIM && slot.nextBytes < slot.offsetBytes + slot.lengthBytes;
    if (isPiece && slot.errno == Errno.OK && !isClosed) {
      discardNext(slot);
      return;
    }
    accounts.completed(slot);
    ended.add(slot);
  }

  private void answerEnded() {
    if (ended.isEmpty() && !accounts.hasUnsettled()) {
      return;
    }
    long now = System.nanoTime();
    accounts.settle(received.arrivedNanos(), now);
    for (Slot slot = ended.first(); slot != null; slot = ended.first()) {
      Slot following = slot.next;
      Replies.Outcome outcome = replies.add(slot);
      if (outcome == Replies.Outcome.NO_ROOM) {
        return;
      }
      ended.removeFirst(following);
      accounts.answered(slot, now);
      if (outcome == Replies.Outcome.ADDED) {
        slots.release(slot);
      }
    }
  }

  private void releaseSent() {
    for (Slot slot = replies.takeSent(); slot != null; slot = replies.takeSent()) {
      slots.release(slot);
    }
  }

  /** After the end of the stream: frees what comes back, and tells when all has. Always false. */
  private boolean dropEnded() {
    takeCompleted();
    releaseSent();
    for (Slot slot = ended.first(); slot != null; slot = ended.first()) {
      ended.removeFirst(slot.next);
      accounts.answered(slot, System.nanoTime());
      slots.release(slot);
    }
    if (slots.busy() == 0) {
      connection.ended();
    }
    return false;
  }

  private void receiveAhead() {
    boolean hasReceived = true;
    while (hasReceived) {
      hasReceived = receive();
    }
  }

  /** Receives what fits; true when bytes have come at once. */
  private boolean receive() {
    if (isReceiving || isDraining || isDisconnecting) {
      return false;
    }
    Slot slot = filling;
    if (slot != null) {
      fill(slot);
    }
    int length;
    isReceivingPayload = slot != null && filledBytes < slot.lengthBytes;
    if (slot != null && isReceivingPayload) {
      length = stream.receive(buffer(slot), filledBytes, (int) slot.lengthBytes - filledBytes);
    } else if (received.hasRoom()) {
      length = received.receiveFrom(stream);
    } else {
      return false;
    }
    isReceiving = length == 0;
    if (length > 0) {
      accept(length);
    }
    return length > 0;
  }

  /** A receive into the buffer may end when, since it began, a slot waits for its payload. */
  private void accept(int lengthBytes) {
    if (isReceivingPayload) {
      filledBytes += lengthBytes;
    } else {
      received.accept(lengthBytes);
    }
  }
}
