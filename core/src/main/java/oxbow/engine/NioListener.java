package oxbow.engine;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A listening socket on one loop that spreads its connections over all. */
final class NioListener implements Listener, NioLoop.Ready {
  /** After a failed accept, e.g. for want of file descriptors, others may have closed some. */
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final NioLoop loop;
  private final Supplier<NioLoop> nextLoop;
  private final ServerSocketChannel channel;
  private final SocketAddress address;
  private final Acceptor acceptor;
  private @Nullable SelectionKey key;

  NioListener(
      NioLoop loop, Supplier<NioLoop> nextLoop, ServerSocketChannel channel, Acceptor acceptor)
      throws IOException {
    this.loop = loop;
    this.nextLoop = nextLoop;
    this.channel = channel;
    this.address = channel.getLocalAddress();
    this.acceptor = acceptor;
    channel.configureBlocking(false);
    loop.execute(this::open);
  }

  private void open() {
    try {
      if (channel.isOpen()) {
        key = loop.register(channel, SelectionKey.OP_ACCEPT, this);
      }
    } catch (IOException e) {
      loop.fault(e);
    }
  }

  @Override
  public SocketAddress address() {
    return address;
  }

  @Override
  public void ready(int readyOps) {
    try {
      for (SocketChannel peer = channel.accept(); peer != null; peer = channel.accept()) {
        SocketChannel accepted = peer;
        NioLoop owner = nextLoop.get();
        owner.execute(() -> open(owner, accepted));
      }
    } catch (IOException e) {
      if (channel.isOpen()) {
        loop.fault(e);
        pause();
      }
    }
  }

  private void pause() {
    SelectionKey registered = key;
    if (registered != null) {
      registered.interestOps(0);
      loop.after(
          PAUSE_NANOS,
          () -> {
            if (registered.isValid()) {
              registered.interestOps(SelectionKey.OP_ACCEPT);
            }
          });
    }
  }

  private void open(NioLoop owner, SocketChannel peer) {
    try {
      peer.configureBlocking(false);
      NioStream stream = new NioStream(owner, peer, name(peer));
      stream.open();
      acceptor.accepted(stream);
    } catch (IOException e) {
      // The peer has gone again, which is its own affair.
      NioLoop.closeQuietly(peer);
    } catch (RuntimeException | Error fault) {
      NioLoop.closeQuietly(peer);
      throw fault;
    }
  }

  private static String name(SocketChannel peer) throws IOException {
    String remote = String.valueOf(peer.getRemoteAddress());
    return remote.isEmpty() ? String.valueOf(peer.getLocalAddress()) : remote;
  }

  @Override
  public void abandon(String why) {
    close();
  }

  @Override
  public void close() {
    NioLoop.closeQuietly(channel);
    // The selector lets go of the socket at its next turn; until then the address stays taken.
    if (!loop.isCurrent()) {
      loop.awaitTurn();
    }
  }
}
