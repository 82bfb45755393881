package oxbow.engine;

import java.io.IOException;
import java.lang.System.Logger;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Everything that runs: the event loops, the pool for disk calls that wait, and threads for
 * blocking work of the control plane (metadata, name look-ups, opening and closing devices).
 */
public final class Engine implements AutoCloseable {
  private static final Logger LOG = System.getLogger("oxbow.engine");
  private static final int BACKLOG = 128;

  private final List<NioLoop> loops = new ArrayList<>();
  private final AtomicInteger nextLoop = new AtomicInteger();
  private final DiskPool disks;
  private final ExecutorService blocking;

  /**
   * Starts the loops.
   *
   * @param loopCount at least 1; one for each core is plenty
   * @param disks stays the caller's, who closes it after the engine
   */
  public Engine(int loopCount, DiskPool disks) throws IOException {
    if (loopCount < 1) {
      throw new IllegalArgumentException("an engine of " + loopCount + " loops");
    }
    this.disks = disks;
    ThreadFactory threads = Thread.ofPlatform().name("oxbow-control-", 0).daemon().factory();
    this.blocking = Executors.newCachedThreadPool(threads);
    for (int i = 0; i < loopCount; i++) {
      loops.add(new NioLoop("oxbow-loop-" + i, Engine::fault));
    }
    loops.forEach(NioLoop::start);
  }

  private static void fault(Throwable fault) {
    LOG.log(Logger.Level.ERROR, "event loop", fault);
  }

  /** All loops; as many as were asked for. */
  public List<EventLoop> loops() {
    return List.copyOf(loops);
  }

  /** A loop for the next connection; in turn, so that they are spread evenly. */
  public EventLoop nextLoop() {
    return next();
  }

  private NioLoop next() {
    return loops.get(Math.floorMod(nextLoop.getAndIncrement(), loops.size()));
  }

  public DiskPool disks() {
    return disks;
  }

  /** Threads for control-plane work that may block. Tasks on them are never interrupted. */
  public ExecutorService blocking() {
    return blocking;
  }

  /**
   * Listens on a Unix or internet address; the connections are spread over the loops. Whether the
   * address is a wise one is the caller's to decide.
   */
  public Listener listen(SocketAddress at, Listener.Acceptor acceptor) throws IOException {
    ServerSocketChannel channel =
        at instanceof UnixDomainSocketAddress
            ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
            : ServerSocketChannel.open();
    try {
      channel.bind(at, BACKLOG);
      return new NioListener(loops.getFirst(), this::next, channel, acceptor);
    } catch (IOException | RuntimeException e) {
      NioLoop.closeQuietly(channel);
      throw e;
    }
  }

  /**
   * Closes all streams, ends the loops and waits for them. Not called on a loop. Blocking tasks
   * that have begun run to their end.
   */
  @Override
  public void close() {
    blocking.shutdown();
    loops.forEach(NioLoop::close);
    boolean interrupted = false;
    for (NioLoop loop : loops) {
      while (true) {
        try {
          loop.join();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
