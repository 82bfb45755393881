package oxbow.control;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketImpl;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A connected channel as the kind of socket that HttpCore takes: the JDK has none over Unix
 * sockets. Reads wait as long as {@link #setSoTimeout} says, writes for {@link
 * #WRITE_TIMEOUT_MILLIS}. Used by one thread; any thread may close it, which ends what waits.
 */
final class ChannelSocket extends Socket {
  /** A peer that takes nothing for so long is lost. */
  private static final int WRITE_TIMEOUT_MILLIS = 30_000;

  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private int readTimeoutMillis;

  ChannelSocket(SocketChannel channel) throws IOException {
    super((SocketImpl) null);
    this.channel = channel;
    channel.configureBlocking(false);
    this.selector = channel.provider().openSelector();
    this.key = channel.register(selector, 0);
  }

  private int read(ByteBuffer into) throws IOException {
    int count = channel.read(into);
    while (count == 0 && into.hasRemaining()) {
      await(SelectionKey.OP_READ, readTimeoutMillis);
      count = channel.read(into);
    }
    return count;
  }

  private void write(ByteBuffer from) throws IOException {
    while (from.hasRemaining()) {
      if (channel.write(from) == 0) {
        await(SelectionKey.OP_WRITE, WRITE_TIMEOUT_MILLIS);
      }
    }
  }

  /**
   * @param timeoutMillis 0 for no end
   */
  private void await(int operation, int timeoutMillis) throws IOException {
    try {
      key.interestOps(operation);
      if (selector.select(ready -> {}, timeoutMillis) == 0 && selector.isOpen()) {
        throw new SocketTimeoutException("the peer is silent");
      }
    } catch (ClosedSelectorException | CancelledKeyException closed) {
      throw closed(closed);
    }
  }

  private static IOException closed(RuntimeException cause) {
    ClosedChannelException closed = new ClosedChannelException();
    closed.initCause(cause);
    return closed;
  }

  @Override
  public InputStream getInputStream() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        return ChannelSocket.this.read(ByteBuffer.wrap(into, offset, length));
      }
    };
  }

  @Override
  public OutputStream getOutputStream() {
    return new OutputStream() {
      @Override
      public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
      }

      @Override
      public void write(byte[] from, int offset, int length) throws IOException {
        ChannelSocket.this.write(ByteBuffer.wrap(from, offset, length));
      }
    };
  }

  @Override
  public void setSoTimeout(int millis) {
    readTimeoutMillis = millis;
  }

  @Override
  public int getSoTimeout() {
    return readTimeoutMillis;
  }

  /** Means nothing here: what has been written is sent when it can be. */
  @Override
  public void setSoLinger(boolean isOn, int seconds) {}

  @Override
  public void shutdownInput() throws IOException {
    channel.shutdownInput();
  }

  @Override
  public void shutdownOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public boolean isConnected() {
    return true;
  }

  @Override
  public boolean isClosed() {
    return !channel.isOpen();
  }

  @Override
  public @Nullable SocketAddress getRemoteSocketAddress() {
    return null;
  }

  @Override
  public @Nullable SocketAddress getLocalSocketAddress() {
    return null;
  }

  /** The channel first: its descriptor goes with the selector. */
  @Override
  public void close() throws IOException {
    channel.close();
    selector.close();
  }

  @Override
  public String toString() {
    return channel.toString();
  }
}
