package oxbow.nbd.server;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import oxbow.engine.Engine;
import oxbow.engine.Listener;
import oxbow.engine.Stream;

/**
 * Serves block devices over NBD, on Unix and TCP sockets, any number of exports on any number of
 * addresses. All methods may be called on any thread but an event loop's; those that say so block.
 */
public final class NbdServer implements AutoCloseable {
  private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(10);

  /** Who is interrupted while it waits for clients wants to wait no longer, but not in disorder. */
  private static final Duration AFTER_INTERRUPT = Duration.ofSeconds(1);

  private final Engine engine;
  private final ServerOptions options;
  private final ServerListener listener;
  private final AtomicLong connectionNumbers = new AtomicLong();
  private final ExportTable exports = new ExportTable();

  /** Guards all below. Loops hold it for moments only. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition connectionEnded = lock.newCondition();
  private final Set<Connection> connections = new HashSet<>();
  private final List<ListeningAddress> addresses = new ArrayList<>();
  private final List<Listener> listeners = new ArrayList<>();
  private final List<UnixSocketFile> socketFiles = new ArrayList<>();
  private boolean isAccepting = true;

  /** A server that has no exports and listens nowhere yet. The engine stays the caller's. */
  public NbdServer(Engine engine, ServerOptions options) {
    this(engine, options, ServerListener.NONE);
  }

  /** The same, which tells a listener. */
  public NbdServer(Engine engine, ServerOptions options, ServerListener listener) {
    this.engine = engine;
    this.options = options;
    this.listener = listener;
  }

  ServerListener listener() {
    return listener;
  }

  /**
   * Offers a device.
   *
   * @throws IllegalArgumentException if there is an export of that name
   */
  public void add(Export export) {
    exports.add(export);
  }

  /**
   * Says which export clients get under the empty name; it need not exist yet. Until this is said,
   * and after {@link #clearDefault}, they get the export whose name is empty, else the only one.
   * The default follows {@link #rename}; when it is removed, the empty name means nothing, lest
   * clients that come again get another device.
   */
  public void setDefault(String name) {
    exports.setDefault(name);
  }

  /** Undoes {@link #setDefault}. */
  public void clearDefault() {
    exports.setDefault(null);
  }

  /**
   * Gives an export another name: new clients find it under this one only; those it has go on
   * undisturbed, and its limits count them as before.
   *
   * @throws IllegalArgumentException if there is no export of the old name, or one of the new
   */
  public void rename(String oldName, String newName) {
    exports.rename(oldName, newName);
  }

  /**
   * Takes an export away: nobody finds it any more, its clients' requests in flight are answered,
   * then they are hung up on. Blocks; see {@link #close(Duration)} for the deadline.
   *
   * @return whether the device is no longer in use
   */
  public boolean remove(String name, Duration deadline) {
    Offer removed = exports.remove(name);
    return removed == null
        || end(
            connection -> connection.offer() == removed,
            () -> exports.connectionCount(removed) == 0,
            deadline);
  }

  /**
   * Listens on a Unix socket with mode 0600. A socket that a killed server left is replaced; a
   * served one, or another file, is not. Blocks for a moment.
   *
   * @throws BindException when something is in the way
   */
  public ListeningAddress listen(UnixDomainSocketAddress at) throws IOException {
    UnixSocketFile file = UnixSocketFile.listen(engine, at.getPath(), this::accepted);
    return remember(
        new ListeningAddress(UnixDomainSocketAddress.of(file.path())), () -> socketFiles.add(file));
  }

  /**
   * Listens on a TCP port; 0 picks one. Blocks for a moment.
   *
   * @throws BindException when the port is taken, or when others than this machine could connect
   *     and {@link ServerOptions#allows} says no
   */
  public ListeningAddress listen(InetSocketAddress at) throws IOException {
    if (at.isUnresolved()) {
      throw new BindException(at.getHostString() + ": unknown host");
    }
    if (!options.allows(at)) {
      throw new BindException(
          at.getHostString() + ": other machines could connect without being asked who they are");
    }
    Listener listener = engine.listen(at, this::accepted);
    // Under the host that was asked for, which a socket for all of them does not remember.
    int port = ((InetSocketAddress) listener.address()).getPort();
    return remember(
        new ListeningAddress(new InetSocketAddress(at.getAddress(), port)),
        () -> listeners.add(listener));
  }

  private ListeningAddress remember(ListeningAddress address, Runnable listener) {
    lock.lock();
    try {
      listener.run();
      addresses.add(address);
      return address;
    } finally {
      lock.unlock();
    }
  }

  /** Where it listens, in the order in which it began to. */
  public List<ListeningAddress> addresses() {
    lock.lock();
    try {
      return List.copyOf(addresses);
    } finally {
      lock.unlock();
    }
  }

  /** Clients that use an export now; 0 if there is none of that name. */
  public int clientCount(String name) {
    return exports.connectionCount(name);
  }

  /** Clients now connected, those still in negotiation included. */
  public int connectionCount() {
    lock.lock();
    try {
      return connections.size();
    } finally {
      lock.unlock();
    }
  }

  /** The traffic of each export, in the order in which they got their names. */
  public List<ExportStatistics> statistics() {
    return exports.all().stream().map(this::statistics).toList();
  }

  private ExportStatistics statistics(Offer offer) {
    return offer.traffic().statistics(offer.export().name(), exports.connectionCount(offer));
  }

  private void accepted(Stream stream) {
    Connection connection =
        new Connection(this, connectionNumbers.incrementAndGet(), exports, options, stream);
    lock.lock();
    try {
      if (!isAccepting || connections.size() >= options.maxConnections()) {
        connection.refuse();
        return;
      }
      connections.add(connection);
    } finally {
      lock.unlock();
    }
    connection.begin();
  }

  /** From a connection's loop: nothing of it is in use any more. */
  void ended(Connection connection) {
    lock.lock();
    try {
      connections.remove(connection);
      connectionEnded.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Accepts no more clients and removes the socket files; those connected stay. Blocks shortly. */
  public void stopAccepting() throws IOException {
    List<Listener> closingListeners;
    List<UnixSocketFile> closingFiles;
    lock.lock();
    try {
      isAccepting = false;
      closingListeners = List.copyOf(listeners);
      closingFiles = List.copyOf(socketFiles);
      listeners.clear();
      socketFiles.clear();
      addresses.clear();
    } finally {
      lock.unlock();
    }
    closingListeners.forEach(Listener::close);
    for (UnixSocketFile file : closingFiles) {
      file.close();
    }
  }

  /** {@link #close(Duration)} with ten seconds. */
  @Override
  public void close() throws IOException {
    if (!close(CLOSE_DEADLINE)) {
      throw new IOException("NBD server: devices have not completed all requests");
    }
  }

  /**
   * Stops accepting, lets requests in flight end and answers them, refuses new ones with ESHUTDOWN,
   * then hangs up. After the deadline it hangs up on whoever is left, and waits as long again for
   * devices to complete what they have. Blocks.
   *
   * @return true when no device is in use any more; false when one still holds requests, and must
   *     not be closed
   */
  public boolean close(Duration deadline) throws IOException {
    stopAccepting();
    exports.close();
    return end(connection -> true, connections::isEmpty, deadline);
  }

  private boolean end(
      Predicate<Connection> concerned, BooleanSupplier hasEnded, Duration deadline) {
    forEach(concerned, Connection::drain);
    if (await(hasEnded, deadline)) {
      return true;
    }
    forEach(concerned, connection -> connection.stream().close());
    return await(hasEnded, deadline);
  }

  private void forEach(Predicate<Connection> concerned, Consumer<Connection> action) {
    List<Connection> all;
    lock.lock();
    try {
      all = List.copyOf(connections);
    } finally {
      lock.unlock();
    }
    for (Connection connection : all) {
      connection.stream()
          .loop()
          .execute(
              () -> {
                if (concerned.test(connection)) {
                  action.accept(connection);
                }
              });
    }
  }

  private boolean await(BooleanSupplier hasEnded, Duration deadline) {
    long leftNanos = deadline.toNanos();
    boolean interrupted = false;
    lock.lock();
    try {
      while (!hasEnded.getAsBoolean()) {
        if (leftNanos <= 0) {
          return false;
        }
        try {
          leftNanos = connectionEnded.awaitNanos(leftNanos);
        } catch (InterruptedException e) {
          interrupted = true;
          leftNanos = Math.min(leftNanos, AFTER_INTERRUPT.toNanos());
        }
      }
      return true;
    } finally {
      lock.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
