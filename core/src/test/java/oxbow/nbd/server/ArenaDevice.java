package oxbow.nbd.server;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;

/**
 * Native memory as a device, with what tests of a server need: it can decline to do things at once,
 * hold requests until the test lets them go, in any order, and fail. Contract breaches of the
 * server (a range outside, a request completed while its data are gone) end in an exception.
 */
final class ArenaDevice implements BlockDevice {
  private final MemorySegment memory;
  private final Limits limits;
  private final List<String> log = new ArrayList<>();
  private final LinkedBlockingQueue<BlockRequest> held = new LinkedBlockingQueue<>();
  private volatile boolean isImmediate = true;
  private volatile boolean isHolding;
  private volatile boolean isLogging;
  private volatile int failure = Errno.OK;
  private volatile long[][] extents = {};

  ArenaDevice(long sizeBytes) {
    this(sizeBytes, Limits.FILE);
  }

  ArenaDevice(long sizeBytes, Limits limits) {
    this.memory = Arena.ofAuto().allocate(sizeBytes, 4096);
    this.limits = limits;
  }

  /** Answers EAGAIN to readNow and writeNow from now on. */
  ArenaDevice declining() {
    isImmediate = false;
    return this;
  }

  /** Also keeps what is submitted until {@link #takeHeld} and complete. */
  ArenaDevice holding() {
    isHolding = true;
    return declining();
  }

  /** Fails everything that is begun from now on. */
  void failWith(int errno) {
    failure = errno;
  }

  /** Notes what is submitted, for {@link #log}. */
  ArenaDevice logging() {
    isLogging = true;
    return this;
  }

  /** Answers to questions for extents: pairs of length and state. */
  void extents(long[]... lengthsAndStates) {
    extents = lengthsAndStates;
  }

  List<String> log() {
    synchronized (log) {
      return List.copyOf(log);
    }
  }

  /** The next request that is held; waits for it. */
  BlockRequest takeHeld() throws InterruptedException {
    BlockRequest request = held.poll(10, TimeUnit.SECONDS);
    if (request == null) {
      throw new AssertionError("no request has been submitted");
    }
    return request;
  }

  int heldCount() {
    return held.size();
  }

  /** Carries a held request out and completes it, on the calling thread. */
  void carryOut(BlockRequest request) {
    if (failure == Errno.OK) {
      execute(request);
    }
    request.complete(failure);
  }

  void letGo() {
    isHolding = false;
    for (BlockRequest each = held.poll(); each != null; each = held.poll()) {
      carryOut(each);
    }
  }

  MemorySegment memory() {
    return memory;
  }

  @Override
  public String address() {
    return "arena:" + memory.byteSize();
  }

  @Override
  public long sizeBytes() {
    return memory.byteSize();
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    if (!isImmediate) {
      return Errno.EAGAIN;
    }
    if (failure == Errno.OK) {
      MemorySegment.copy(memory, offsetBytes, data, dataOffset, lengthBytes);
    }
    return failure;
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    if (!isImmediate) {
      return Errno.EAGAIN;
    }
    if (failure == Errno.OK) {
      MemorySegment.copy(data, dataOffset, memory, offsetBytes, lengthBytes);
    }
    return failure;
  }

  @Override
  public void submit(BlockRequest request) {
    if (isLogging) {
      synchronized (log) {
        log.add(request + (request.flags() > 1 ? " flags " + request.flags() : ""));
      }
    }
    if (isHolding) {
      held.add(request);
    } else {
      carryOut(request);
    }
  }

  private void execute(BlockRequest request) {
    long at = request.offsetBytes();
    long length = request.lengthBytes();
    switch (request.operation()) {
      case READ -> MemorySegment.copy(memory, at, request.data(), request.dataOffset(), length);
      case WRITE -> MemorySegment.copy(request.data(), request.dataOffset(), memory, at, length);
      case DISCARD, WRITE_ZEROES -> memory.asSlice(at, length).fill((byte) 0);
      case FLUSH, CACHE -> {}
    }
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    long[][] known = extents;
    if (known.length == 0) {
      receiver.extent(lengthBytes, 0);
    }
    for (int i = 0; i < Math.min(maxExtents, known.length); i++) {
      receiver.extent(known[i][0], (int) known[i][1]);
    }
    receiver.end(failure);
  }

  @Override
  public void close() {}
}
