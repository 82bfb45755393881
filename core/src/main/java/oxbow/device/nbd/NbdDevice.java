package oxbow.device.nbd;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.block.Reachability;
import oxbow.block.Remote;
import oxbow.engine.Engine;
import oxbow.engine.EventLoop;
import oxbow.engine.LoopTask;
import oxbow.nbd.client.Export;
import oxbow.nbd.client.NbdAddress;

/**
 * An NBD export as a block device. Everything happens on one event loop: requests are queued from
 * any thread without allocation, leave in batches, and are completed on the loop.
 *
 * <p>Any number of requests may be submitted. What the server cannot take at once is cut or waits;
 * reads need no alignment, writes must keep to the export's minimum block.
 *
 * <p>When the connection is lost the device goes on trying to get it back, and requests are held
 * for as long as {@link #holdNanos} allows; see {@link Session} for what is sent again and {@link
 * FlushLedger} for flushes, which fail from then on if completed writes may have been lost. A
 * server that comes back with a smaller export, or one that can do less, fails the device for good.
 */
public final class NbdDevice implements BlockDevice, Remote {
  private static final long CLOSE_PATIENCE_SECONDS = 10;
  private static final VarHandle SUBMITTED;

  static {
    try {
      SUBMITTED =
          MethodHandles.lookup().findVarHandle(NbdDevice.class, "submitted", BlockRequest.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  private final NbdAddress address;
  private final EventLoop loop;
  private final Session session;
  private final LoopTask pump =
      new LoopTask() {
        @Override
        protected void run() {
          takeSubmitted();
          session.pump();
        }
      };

  /** Requests from any thread, the newest first; taken all at once by the loop. */
  @SuppressWarnings("UnusedVariable") // Read and written by the handle.
  private volatile @Nullable BlockRequest submitted;

  private final ConcurrentLinkedQueue<ExtentsQuery> queries = new ConcurrentLinkedQueue<>();

  /** What the first handshake told; set by {@link #open} before anyone else sees the device. */
  private @Nullable Export export;

  private NbdDevice(
      NbdAddress address,
      EventLoop loop,
      Executor blocking,
      NbdOptions options,
      NbdState.Listener listener) {
    this.address = address;
    this.loop = loop;
    ServerAddress server = new ServerAddress(address, blocking);
    this.session = new Session(server, loop, options, listener, () -> loop.post(pump));
  }

  /** {@link #open(NbdAddress, EventLoop, Executor, NbdOptions, NbdState.Listener)} on an engine. */
  public static NbdDevice open(NbdAddress address, Engine engine, NbdOptions options)
      throws IOException {
    return open(address, engine.nextLoop(), engine.blocking(), options, state -> {});
  }

  /**
   * Connects and shakes hands. Blocks, at most as long as the options say for each of the host's
   * addresses; never on a loop.
   *
   * @param blocking where the look-up of host names may wait
   * @param listener told of each change of {@link #state}, from the first connection on
   * @throws IOException says in one line what is wrong: no such host or socket, no answer, not an
   *     NBD server, no such export, TLS wanted
   */
  public static NbdDevice open(
      NbdAddress address,
      EventLoop loop,
      Executor blocking,
      NbdOptions options,
      NbdState.Listener listener)
      throws IOException {
    NbdDevice device = new NbdDevice(address, loop, blocking, options, listener);
    loop.execute(device.session::open);
    try {
      device.export = device.session.opened().get();
      return device;
    } catch (ExecutionException e) {
      device.close();
      Throwable cause = e.getCause();
      throw new IOException(address + ": " + (cause == null ? e : cause).getMessage(), e);
    } catch (InterruptedException e) {
      device.close();
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(address + ": interrupted while it was opened");
    }
  }

  @Override
  public String address() {
    return address.toString();
  }

  @Override
  public long sizeBytes() {
    return export().sizeBytes();
  }

  @Override
  public Limits limits() {
    Export offered = export();
    boolean isWritable = !offered.isReadOnly();
    boolean canTrim = isWritable && offered.canTrim();
    return new Limits(
        offered.isReadOnly(),
        offered.minBlockBytes(),
        canTrim,
        canTrim ? Long.MAX_VALUE : 0,
        false, // The protocol says nothing about what a trimmed range reads as.
        isWritable && offered.canWriteZeroes(),
        offered.canFlush());
  }

  /** What the server told about the export when the device was opened. */
  public Export export() {
    Export told = export;
    if (told == null) {
      throw new IllegalStateException("not open");
    }
    return told;
  }

  /** How the device is doing; from any thread, does not block. */
  public NbdState state() {
    return session.state();
  }

  @Override
  public Remote remote() {
    return this;
  }

  @Override
  public Reachability reachability() {
    return session.reachability();
  }

  @Override
  public long holdNanos() {
    return session.holdNanos();
  }

  @Override
  public void silenceNanos(long nanos) {
    if (nanos <= 0) {
      throw new IllegalArgumentException("silence of " + nanos + " ns");
    }
    session.silenceNanos(nanos);
    loop.execute(session::listenAnew);
  }

  /** Requests submitted afterwards see the change. */
  @Override
  public void holdNanos(long nanos) {
    if (nanos < 0) {
      throw new IllegalArgumentException("hold for " + nanos + " ns");
    }
    session.holdNanos(nanos);
    loop.post(pump);
  }

  @Override
  public void submit(BlockRequest request) {
    BlockRequest newest;
    do {
      newest = submitted;
      request.next = newest;
    } while (!SUBMITTED.compareAndSet(this, newest, request));
    if (newest == null) {
      loop.post(pump); // Who found others there knows that they have posted it, or are about to.
    }
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    if (offsetBytes < 0 || lengthBytes <= 0 || lengthBytes > sizeBytes() - offsetBytes) {
      receiver.end(Errno.EINVAL);
    } else if (!export().hasAllocation()) {
      BlockDevice.super.extents(offsetBytes, lengthBytes, maxExtents, receiver);
    } else {
      queries.add(new ExtentsQuery(offsetBytes, lengthBytes, maxExtents, receiver));
      loop.post(pump);
    }
  }

  /** Fails what is pending with ESHUTDOWN and ends the connections. Blocks; not on the loop. */
  @Override
  public void close() throws IOException {
    if (loop.isCurrent()) {
      throw new IllegalStateException("close() blocks and must not be called on the loop");
    }
    loop.execute(
        () -> {
          takeSubmitted();
          session.close();
        });
    boolean wasInterrupted = false;
    try {
      while (true) {
        try {
          session.closed().get(CLOSE_PATIENCE_SECONDS, TimeUnit.SECONDS);
          return;
        } catch (InterruptedException e) {
          wasInterrupted = true;
        }
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException(address + ": cannot close: its event loop does not answer", e);
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void takeSubmitted() {
    BlockRequest request = oldestFirst((BlockRequest) SUBMITTED.getAndSet(this, null));
    session.adoptHold(); // After the taking: what was submitted after a change meets the change.
    while (request != null) {
      BlockRequest following = request.next;
      request.next = null;
      session.add(request);
      request = following;
    }
    for (ExtentsQuery query = queries.poll(); query != null; query = queries.poll()) {
      session.add(query);
    }
  }

  private static @Nullable BlockRequest oldestFirst(@Nullable BlockRequest newestFirst) {
    BlockRequest oldest = null;
    BlockRequest request = newestFirst;
    while (request != null) {
      BlockRequest following = request.next;
      request.next = oldest;
      oldest = request;
      request = following;
    }
    return oldest;
  }
}
