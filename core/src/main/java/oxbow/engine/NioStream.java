package oxbow.engine;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A stream over a non-blocking {@link SocketChannel}; used by its loop's thread only.
 *
 * <p>Interest in readability is kept while nobody receives, since each change costs a system call;
 * it is given up when bytes arrive that nobody wants, and a receive brings it back.
 */
final class NioStream implements Stream, NioLoop.Ready {
  private static final int KEEP_ALIVE_IDLE_SECONDS = 30;
  private static final int KEEP_ALIVE_INTERVAL_SECONDS = 10;
  private static final int KEEP_ALIVE_COUNT = 3;

  private final NioLoop loop;
  private final SocketChannel channel;
  private final String peer;
  private @Nullable SelectionKey key;
  private @Nullable Handler handler;
  private EventLoop.@Nullable Connector connector;

  /** Where the outstanding receive puts its bytes; null when there is none. */
  private @Nullable ByteBuffer receiving;

  /** Whether the last receive filled its buffer, so that more is likely to wait in the socket. */
  private boolean isMoreLikely;

  private final Pieces single = new Pieces(1);

  /** What the outstanding send has still to send; null when there is none. */
  private @Nullable Pieces sending;

  private int sendingIndex;

  private long signsOfLife;
  private boolean isClosed;
  private String whyClosed = "";
  private final LoopTask tellClosed =
      new LoopTask() {
        @Override
        protected void run() {
          if (handler != null) {
            handler.closed(whyClosed);
          }
        }
      };

  NioStream(NioLoop loop, SocketChannel channel, String peer) {
    this.loop = loop;
    this.channel = channel;
    this.peer = peer;
  }

  /** Begins to connect; the connector is told later, or now if this fails at once. */
  void connect(SocketAddress to, EventLoop.Connector whenConnected) throws IOException {
    if (channel.connect(to)) {
      open();
      whenConnected.connected(this);
    } else {
      connector = whenConnected;
      key = loop.register(channel, SelectionKey.OP_CONNECT, this);
    }
  }

  /** Makes a connected channel known to the loop. */
  void open() throws IOException {
    if (channel.getLocalAddress() instanceof InetSocketAddress) {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      keepAlive();
    }
    if (key == null) {
      key = loop.register(channel, 0, this);
    }
  }

  /**
   * Asks the system to look after the peer in silence: a machine that was switched off says
   * nothing, and whoever waits for its answer would wait for ever. It counts as gone after about a
   * minute, not after the two hours that systems take by themselves.
   */
  private void keepAlive() throws IOException {
    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
    for (SocketOption<?> option : channel.supportedOptions()) {
      // By name: the constants for these three lie outside of java.base.
      switch (option.name()) {
        case "TCP_KEEPIDLE" -> setNumber(option, KEEP_ALIVE_IDLE_SECONDS);
        case "TCP_KEEPINTERVAL" -> setNumber(option, KEEP_ALIVE_INTERVAL_SECONDS);
        case "TCP_KEEPCOUNT" -> setNumber(option, KEEP_ALIVE_COUNT);
        default -> {}
      }
    }
  }

  @SuppressWarnings("unchecked") // Whatever says that its type is Integer takes integers.
  private void setNumber(SocketOption<?> option, int value) throws IOException {
    if (option.type() == Integer.class) {
      channel.setOption((SocketOption<Integer>) option, value);
    }
  }

  @Override
  public EventLoop loop() {
    return loop;
  }

  @Override
  public String peer() {
    return peer;
  }

  @Override
  public long signsOfLife() {
    return signsOfLife;
  }

  @Override
  public void handler(Handler newHandler) {
    if (handler != null) {
      throw new IllegalStateException("the stream has a handler");
    }
    handler = newHandler;
  }

  @Override
  public int receive(IoBuffer into, int at, int length) {
    if (receiving != null || length <= 0) {
      throw new IllegalStateException("receive of " + length + " bytes, or a second one");
    }
    if (isClosed) {
      return 0;
    }
    ByteBuffer buffer = into.transferred(at, at + length);
    if (isMoreLikely) {
      int received = readInto(buffer);
      if (received != 0) {
        return Math.max(0, received);
      }
    }
    receiving = buffer;
    want(SelectionKey.OP_READ);
    return 0;
  }

  /** Reads what is there: 0 for nothing, -1 when the stream has been closed by that. */
  private int readInto(ByteBuffer buffer) {
    int room = buffer.remaining();
    try {
      int received = channel.read(buffer);
      if (received < 0) {
        close("");
        return -1;
      }
      isMoreLikely = received == room;
      signsOfLife += received;
      return received;
    } catch (IOException e) {
      close("receive failed: " + e.getMessage());
      return -1;
    }
  }

  @Override
  public boolean send(IoBuffer from, int at, int length) {
    single.clear();
    single.add(from, at, length);
    return send(single);
  }

  @Override
  public boolean send(Pieces pieces) {
    if (sending != null) {
      throw new IllegalStateException("a second send");
    }
    if (isClosed) {
      return false;
    }
    sending = pieces;
    sendingIndex = 0;
    if (sendMore()) {
      return true;
    }
    if (!isClosed) {
      want(SelectionKey.OP_WRITE);
    }
    return false;
  }

  /**
   * Sends what the socket takes, a call for each piece: the JDK's gathering write makes garbage for
   * each buffer, and users add a piece only when it is too large to be worth copying.
   */
  private boolean sendMore() {
    Pieces pieces = sending;
    if (pieces == null) {
      return false;
    }
    try {
      for (; sendingIndex < pieces.count(); sendingIndex++) {
        ByteBuffer bytes = pieces.select(sendingIndex);
        while (bytes.hasRemaining()) {
          if (channel.write(bytes) == 0) {
            pieces.advance(sendingIndex);
            return false;
          }
        }
      }
    } catch (IOException e) {
      close("send failed: " + e.getMessage());
      return false;
    }
    sending = null;
    return true;
  }

  private void want(int op) {
    SelectionKey registered = key;
    if (registered != null) {
      int ops = registered.interestOps();
      if ((ops & op) == 0) {
        registered.interestOps(ops | op);
      }
    }
  }

  private void dontWant(int op) {
    SelectionKey registered = key;
    if (registered != null && registered.isValid()) {
      registered.interestOps(registered.interestOps() & ~op);
    }
  }

  @Override
  public void ready(int readyOps) {
    if ((readyOps & SelectionKey.OP_CONNECT) != 0) {
      finishConnecting();
      return;
    }
    Handler listening = handler;
    if (listening == null) {
      return;
    }
    if ((readyOps & SelectionKey.OP_WRITE) != 0) {
      signsOfLife++;
      if (sendMore()) {
        dontWant(SelectionKey.OP_WRITE);
        listening.sent();
      }
    }
    if ((readyOps & SelectionKey.OP_READ) != 0 && !isClosed) {
      ByteBuffer buffer = receiving;
      if (buffer == null) {
        dontWant(SelectionKey.OP_READ);
        return;
      }
      int received = readInto(buffer);
      if (received > 0) {
        receiving = null;
        listening.received(received);
      }
    }
  }

  private void finishConnecting() {
    EventLoop.Connector waiting = connector;
    connector = null;
    if (waiting == null) {
      return;
    }
    try {
      channel.finishConnect();
      dontWant(SelectionKey.OP_CONNECT);
      open();
    } catch (IOException e) {
      NioLoop.closeQuietly(channel);
      waiting.failed(e);
      return;
    }
    waiting.connected(this);
  }

  @Override
  public void abandon(String why) {
    EventLoop.Connector waiting = connector;
    connector = null;
    if (waiting != null) {
      NioLoop.closeQuietly(channel);
      waiting.failed(new IOException(why));
    } else {
      close(why);
    }
  }

  @Override
  public void close() {
    close("");
  }

  private void close(String why) {
    if (!isClosed) {
      isClosed = true;
      whyClosed = why;
      receiving = null;
      sending = null;
      NioLoop.closeQuietly(channel);
      loop.post(tellClosed);
    }
  }
}
