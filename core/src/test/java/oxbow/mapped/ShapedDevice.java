package oxbow.mapped;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.block.Reachability;
import oxbow.block.Reachability.State;
import oxbow.block.Remote;

/**
 * A device in front of another that decides when and how its requests end: at once, on another
 * thread, when the test says so, or with an error.
 */
final class ShapedDevice implements BlockDevice {
  /** What happens to a request. */
  private interface Way {
    void take(BlockRequest request, BlockDevice below);
  }

  private final BlockDevice below;
  private final boolean servesAtOnce;
  private final Way way;

  /** Requests that wait for the test; guarded by itself. */
  private final ArrayDeque<BlockRequest> held = new ArrayDeque<>();

  /** What has been submitted, in words; guarded by itself. */
  private final List<String> log = new ArrayList<>();

  private volatile Predicate<BlockRequest> fails = request -> false;
  private volatile int failure = Errno.EIO;
  private volatile Predicate<BlockRequest> holds = request -> true;
  private volatile boolean isHolding;
  private final FarEnd farEnd = new FarEnd();

  private ShapedDevice(BlockDevice below, boolean servesAtOnce, Way way) {
    this.below = below;
    this.servesAtOnce = servesAtOnce;
    this.way = way;
  }

  /** Everything ends before submit returns. */
  static ShapedDevice inline(BlockDevice below) {
    return new ShapedDevice(below, true, (request, device) -> device.submit(request));
  }

  /** Nothing is served at once; requests end inside submit all the same. */
  static ShapedDevice submitOnly(BlockDevice below) {
    return new ShapedDevice(below, false, (request, device) -> device.submit(request));
  }

  /** Nothing is served at once; requests end on threads of the executor. */
  static ShapedDevice elsewhere(BlockDevice below, Executor executor) {
    return new ShapedDevice(
        below, false, (request, device) -> executor.execute(() -> device.submit(request)));
  }

  /** From now on requests wait until {@link #release}. */
  ShapedDevice hold() {
    return hold(request -> true);
  }

  /** The same for requests for which this holds; the others end. */
  ShapedDevice hold(Predicate<BlockRequest> condition) {
    holds = condition;
    isHolding = true;
    return this;
  }

  /** The error that failing requests end with; EIO otherwise. */
  ShapedDevice failWith(int errno) {
    failure = errno;
    return this;
  }

  /** The far end cannot be reached: requests are held, or fail if nobody wants that. */
  void goAway(String why) {
    synchronized (held) {
      farEnd.now = new Reachability(State.AWAY, System.nanoTime(), why, farEnd.holdNanos != 0);
    }
  }

  /** It can be reached again. */
  void comeBack() {
    synchronized (held) {
      farEnd.now = FarEnd.PRESENT;
    }
    release();
  }

  /** It will not come back: all requests fail. */
  void go(String why) {
    synchronized (held) {
      farEnd.now = new Reachability(State.GONE, System.nanoTime(), why, false);
    }
    farEnd.failHeld();
  }

  /** Requests for which this holds end with an error. */
  void failWhen(Predicate<BlockRequest> condition) {
    fails = condition;
  }

  /** Lets all that waits go on, and nothing wait any more. */
  void release() {
    isHolding = false;
    while (releaseOne()) {}
  }

  /** Lets the oldest that waits go on; false if there is none. */
  boolean releaseOne() {
    BlockRequest request;
    synchronized (held) {
      request = held.poll();
    }
    if (request == null) {
      return false;
    }
    carryOut(request);
    return true;
  }

  int heldCount() {
    synchronized (held) {
      return held.size();
    }
  }

  List<String> log() {
    synchronized (log) {
      return List.copyOf(log);
    }
  }

  void forgetLog() {
    synchronized (log) {
      log.clear();
    }
  }

  @Override
  public void submit(BlockRequest request) {
    synchronized (log) {
      log.add(request.toString());
    }
    synchronized (held) {
      if ((isHolding && holds.test(request)) || (farEnd.now.isAway() && farEnd.now.isHolding())) {
        held.add(request);
        return;
      }
    }
    if (farEnd.now.state() == State.PRESENT) {
      carryOut(request);
    } else {
      request.complete(Errno.EIO);
    }
  }

  private void carryOut(BlockRequest request) {
    if (fails.test(request)) {
      request.complete(failure);
    } else {
      way.take(request, below);
    }
  }

  private boolean refuses(Operation operation, long offsetBytes, int lengthBytes) {
    return fails.test(
        new BlockRequest()
            .data(
                operation,
                offsetBytes,
                MemorySegment.NULL,
                0,
                lengthBytes,
                0,
                (request, errno) -> {}));
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    if (!servesAtOnce || isHolding) {
      return Errno.EAGAIN;
    }
    return refuses(Operation.READ, offsetBytes, lengthBytes)
        ? failure
        : below.readNow(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    if (!servesAtOnce || isHolding) {
      return Errno.EAGAIN;
    }
    return refuses(Operation.WRITE, offsetBytes, lengthBytes)
        ? failure
        : below.writeNow(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    below.extents(offsetBytes, lengthBytes, maxExtents, receiver);
  }

  @Override
  public Remote remote() {
    return farEnd;
  }

  @Override
  public String address() {
    return below.address();
  }

  @Override
  public long sizeBytes() {
    return below.sizeBytes();
  }

  @Override
  public Limits limits() {
    return below.limits();
  }

  @Override
  public void close() throws IOException {
    below.close();
  }

  private final class FarEnd implements Remote {
    private static final Reachability PRESENT = new Reachability(State.PRESENT, 0, "", true);

    /** Guarded by what is held, when it changes. */
    private volatile Reachability now = PRESENT;

    private volatile long holdNanos = FOREVER;

    @Override
    public Reachability reachability() {
      return now;
    }

    @Override
    public long holdNanos() {
      return holdNanos;
    }

    /** Nobody waits here for a limit to pass: what is held goes at once, or stays. */
    @Override
    public void holdNanos(long nanos) {
      holdNanos = nanos;
      if (now.isAway()) {
        goAway(now.why());
        if (nanos == 0) {
          failHeld();
        }
      }
    }

    private void failHeld() {
      while (true) {
        BlockRequest request;
        synchronized (held) {
          request = held.poll();
        }
        if (request == null) {
          return;
        }
        request.complete(Errno.EIO);
      }
    }

    @Override
    public void silenceNanos(long nanos) {
      throw new UnsupportedOperationException("never silent");
    }
  }
}
