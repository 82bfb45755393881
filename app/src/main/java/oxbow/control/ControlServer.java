package oxbow.control;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/**
 * Where a process is asked about its devices: accepts connections of its own user and of root, and
 * has each served on a thread of its own. A connection that misbehaves is told why and closed; the
 * others do not notice.
 */
public final class ControlServer implements AutoCloseable {
  private static final int MAX_CONNECTIONS = 64;
  private static final String ROOT = "root";

  private static final Duration LAST_ANSWERS = Duration.ofSeconds(1);

  private final Answering answering = new Answering();
  private final ServerSocketChannel server;
  private final Routes routes;
  private final Consumer<String> faults;
  private final @Nullable UserPrincipal owner;
  private final @Nullable Path removedAtEnd;
  private final boolean isOurs;
  private final Set<ChannelSocket> connections = ConcurrentHashMap.newKeySet();
  private final Thread acceptor = thread("control", this::acceptAll);
  private volatile boolean isClosed;

  /**
   * @param owner who may connect, besides root; null for everybody
   * @param removedAtEnd the socket's file if it is ours
   * @param isOurs whether the channel is closed at the end
   */
  private ControlServer(
      ServerSocketChannel server,
      Routes routes,
      Consumer<String> faults,
      @Nullable UserPrincipal owner,
      @Nullable Path removedAtEnd,
      boolean isOurs) {
    this.server = server;
    this.routes = routes;
    this.faults = faults;
    this.owner = owner;
    this.removedAtEnd = removedAtEnd;
    this.isOurs = isOurs;
  }

  /**
   * Listens at a path that only the owner may use, and answers until it is closed.
   *
   * @param faults takes a line about each fault in the program; called on any thread
   * @throws java.net.BindException when another process answers there
   */
  public static ControlServer listen(Path path, Routes routes, Consumer<String> faults)
      throws IOException {
    ServerSocketChannel server = ControlSocket.listen(path);
    return new ControlServer(server, routes, faults, Files.getOwner(path), path, true).started();
  }

  /**
   * Answers at a Unix socket that somebody else listens on and has handed over. Its file stays when
   * this is closed.
   *
   * @param server stays open, and whoever comes later is hung up on: the JDK takes standard output
   *     and error away with an inherited channel, and much may be left to be said
   */
  public static ControlServer adopt(
      ServerSocketChannel server, Routes routes, Consumer<String> faults) throws IOException {
    if (!(server.getLocalAddress() instanceof UnixDomainSocketAddress unix)) {
      throw new IOException(server.getLocalAddress() + " is no Unix socket");
    }
    UserPrincipal owner = Files.getOwner(unix.getPath());
    return new ControlServer(server, routes, faults, owner, null, false).started();
  }

  /**
   * Answers {@code GET /metrics} and nothing else at a TCP port of this machine: who asks there
   * cannot be told.
   *
   * @param address of the loopback interface; port 0 picks one
   */
  public static ControlServer listenForMetrics(
      InetSocketAddress address, Routes routes, Consumer<String> faults) throws IOException {
    if (address.isUnresolved() || !address.getAddress().isLoopbackAddress()) {
      throw new IOException(address + " is not on the loopback interface");
    }
    ServerSocketChannel server = ServerSocketChannel.open();
    try {
      server.bind(address);
    } catch (IOException failed) {
      server.close();
      throw failed;
    }
    return new ControlServer(server, routes.only(Route.METRICS), faults, null, null, true)
        .started();
  }

  private ControlServer started() {
    acceptor.start();
    return this;
  }

  /** Where it listens. */
  public SocketAddress address() throws IOException {
    return server.getLocalAddress();
  }

  /**
   * Few and short-lived, so threads of the platform serve as well. Virtual ones would cost every
   * process 300 ms at its end: the JVM then waits for the thread that polls sockets for them.
   */
  private static Thread thread(String name, Runnable task) {
    return Thread.ofPlatform().daemon().name(name).unstarted(task);
  }

  private void acceptAll() {
    while (true) {
      try {
        SocketChannel channel = server.accept();
        if (!admit(channel)) {
          channel.close();
        }
      } catch (ClosedChannelException closed) {
        return;
      } catch (IOException failedConnection) {
        // One that broke while it was being accepted; the next may be good.
      }
    }
  }

  private boolean admit(SocketChannel channel) {
    try {
      if (isClosed || connections.size() >= MAX_CONNECTIONS || !isWelcome(channel)) {
        return false;
      }
      ChannelSocket socket = new ChannelSocket(channel);
      connections.add(socket);
      thread("control connection", () -> serve(socket)).start();
      if (isClosed) {
        // Whoever closed all connections has missed this one.
        socket.close();
      }
      return true;
    } catch (IOException broken) {
      return false;
    }
  }

  /** The socket's mode says the same, but only after it has existed for a moment without it. */
  private boolean isWelcome(SocketChannel channel) throws IOException {
    if (owner == null) {
      return true;
    }
    UserPrincipal peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    return peer.equals(owner) || ROOT.equals(peer.getName());
  }

  private void serve(ChannelSocket socket) {
    try (socket) {
      HttpConnection.serve(socket, routes, faults, () -> isClosed, answering);
    } catch (IOException broken) {
      // The peer is gone; nobody else is concerned.
    } finally {
      connections.remove(socket);
    }
  }

  /**
   * Stops answering and removes the socket if it is ours. Requests that wait are refused; answers
   * that are under way have a second to end. Blocks that long at most.
   */
  @Override
  public void close() throws IOException {
    isClosed = true;
    if (removedAtEnd != null) {
      // The name goes first: a newcomer then finds no socket rather than a dead one.
      Files.deleteIfExists(removedAtEnd);
    }
    if (isOurs) {
      server.close();
    }
    answering.awaitNone(LAST_ANSWERS);
    for (ChannelSocket connection : connections) {
      connection.close();
    }
  }
}
