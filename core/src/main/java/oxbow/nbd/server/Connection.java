package oxbow.nbd.server;

import java.lang.System.Logger;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import oxbow.engine.EventLoop;
import oxbow.engine.IoBuffer;
import oxbow.engine.Stream;
import oxbow.nbd.wire.Nbd;

/**
 * One client: first the {@link Negotiation}, which it feeds from the socket, then the {@link
 * Transmission}. Used by its loop only.
 */
final class Connection implements Stream.Handler {
  private static final Logger LOG = System.getLogger("oxbow.nbd.server");
  private static final int HANDSHAKE_BUFFER_BYTES = 16 << 10;

  private final NbdServer server;
  private final long number;
  private final ExportTable exports;
  private final ServerOptions options;
  private final Stream stream;
  private final EventLoop.Timer handshakeTimer;
  private final Negotiation negotiation;

  private final IoBuffer sending;
  private final IoBuffer receiving;
  private ByteBuffer output = ByteBuffer.allocate(0);
  private int start;
  private int end;

  /** Null until the client has chosen its export. */
  private @Nullable Transmission transmission;

  /** The same, for other threads to look at. */
  private volatile @Nullable Offer offer;

  private boolean isClosed;
  private boolean isEnded;

  /**
   * @param number one that no other connection of the server has
   */
  Connection(
      NbdServer server, long number, ExportTable exports, ServerOptions options, Stream stream) {
    this.server = server;
    this.number = number;
    this.exports = exports;
    this.options = options;
    this.stream = stream;
    this.negotiation = new Negotiation(exports, options);
    this.sending = stream.loop().buffers().take(HANDSHAKE_BUFFER_BYTES);
    this.receiving = stream.loop().buffers().take(HANDSHAKE_BUFFER_BYTES);
    this.handshakeTimer =
        stream
            .loop()
            .after(
                options.handshakeTimeout().toNanos(),
                () -> fail("no export chosen within " + options.handshakeTimeout()));
  }

  Stream stream() {
    return stream;
  }

  /** The export that the client uses; null before it has chosen one. On any thread. */
  @Nullable Offer offer() {
    return offer;
  }

  void begin() {
    stream.handler(this);
    negotiate();
  }

  /** One client too many: hangs up before it was greeted. */
  void refuse() {
    stream.handler(this);
    isEnded = true;
    fail("one connection too many");
  }

  /** Finishes what is in flight, then ends. */
  void drain() {
    if (transmission != null) {
      transmission.drain();
    } else {
      stream.close();
    }
  }

  /** The peer has broken the rules: hangs up. */
  void fail(String why) {
    LOG.log(Logger.Level.DEBUG, () -> stream.peer() + ": " + why);
    stream.close();
  }

  /** We have broken the rules: says so, and hangs up. */
  void fault(Throwable fault) {
    LOG.log(Logger.Level.ERROR, "NBD connection " + stream.peer(), fault);
    stream.close();
  }

  /** Nothing of the connection is in use any more. */
  void ended() {
    if (!isEnded) {
      isEnded = true;
      try {
        if (transmission != null) {
          transmission.ended();
          server.listener().disconnected(client());
        }
      } finally {
        // Even if the client went before it could be told that it has the export.
        if (negotiation.state() == Negotiation.State.TRANSMISSION) {
          exports.detach(negotiation.chosen());
        }
        server.ended(this);
      }
    }
  }

  private ServerListener.Client client() {
    return new ServerListener.Client(number, stream.peer(), negotiation.chosen().export().name());
  }

  /** A request has failed, for whatever reason. */
  void requestFailed(int command, long cookie, long offset, long length, int errno) {
    server
        .listener()
        .requestFailed(
            new ServerListener.FailedRequest(
                client(), Nbd.commandName(command), cookie, offset, length, errno));
  }

  @Override
  public void received(int lengthBytes) {
    if (transmission != null) {
      transmission.received(lengthBytes);
    } else {
      end += lengthBytes;
      negotiate();
    }
  }

  @Override
  public void sent() {
    if (transmission != null) {
      transmission.sent();
    } else {
      negotiate();
    }
  }

  @Override
  public void closed(String why) {
    handshakeTimer.cancel();
    isClosed = true;
    if (!why.isEmpty()) {
      LOG.log(Logger.Level.DEBUG, () -> stream.peer() + ": " + why);
    }
    if (transmission != null) {
      transmission.closed();
    } else {
      releaseBuffers();
      ended();
    }
  }

  private void releaseBuffers() {
    stream.loop().buffers().give(sending);
    stream.loop().buffers().give(receiving);
  }

  /** Goes as far as it gets without waiting. */
  private void negotiate() {
    boolean goesOn = true;
    while (goesOn && !isClosed) {
      if (!output.hasRemaining() && negotiation.hasOutput()) {
        output = negotiation.takeOutput();
      }
      if (output.hasRemaining()) {
        goesOn = sendOutput();
        continue;
      }
      goesOn =
          switch (negotiation.state()) {
            case CLIENT_FLAGS, OPTION_HEADER, OPTION_DATA, SKIPPING -> eat();
            case TRANSMISSION -> {
              beginTransmission();
              yield false;
            }
            case ABORTED -> {
              stream.close();
              yield false;
            }
            case FAILED -> {
              fail(negotiation.failure());
              yield false;
            }
          };
    }
  }

  private boolean sendOutput() {
    int length = Math.min(output.remaining(), sending.capacity());
    sending.bytes().put(0, output, output.position(), length);
    output.position(output.position() + length);
    return stream.send(sending, 0, length);
  }

  private boolean eat() {
    if (start == end) {
      start = 0;
      end = stream.receive(receiving, 0, receiving.capacity());
      return end > 0;
    }
    ByteBuffer in = receiving.bytes().slice(start, end - start);
    negotiation.eat(in);
    start += in.position();
    return true;
  }

  private void beginTransmission() {
    handshakeTimer.cancel();
    ByteBuffer early = receiving.bytes().slice(start, end - start);
    Transmission begun = new Transmission(this, negotiation, options, early);
    transmission = begun;
    offer = negotiation.chosen();
    releaseBuffers();
    server.listener().connected(client());
    if (exports.isOffered(negotiation.chosen())) {
      begun.begin();
    } else {
      // Removed since the client was attached; whoever removed it may have missed this connection.
      stream.close();
    }
  }
}
