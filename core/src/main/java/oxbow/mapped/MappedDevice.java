package oxbow.mapped;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.engine.EventLoop;
import oxbow.mapped.SuspendGate.Visitor;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Target;

/**
 * A device made by a target out of others. It begins suspended; requests that come while suspended
 * are held, not refused.
 *
 * <p>The life of a request: hot ones are mapped and served in {@link #readNow} and {@link
 * #writeNow} on the caller's thread; the others are split where the target says so ({@link Split}),
 * and each piece goes to a device or to the target's core ({@link Owner}).
 */
public final class MappedDevice implements BlockDevice {
  /** Hears of events and warnings; must not block. */
  public interface Listener {
    /** The event number has grown. */
    void event(long number, String why);

    /** A line for the log. */
    void warning(String what);
  }

  private static final long NO_WAKE = Long.MIN_VALUE;

  private final String name;
  private final Target target;
  private final List<BlockDevice> devices;
  private final EventLoop loop;
  private final Listener listener;
  private final SuspendGate gate = new SuspendGate();
  private final AtomicLong requestsInFlight = new AtomicLong();
  private final AtomicLong events = new AtomicLong();
  private final TransferPool transfers = new TransferPool();
  private final Split.Pool splits = new Split.Pool(this::requestEnded);
  private final Owner owner;
  private volatile EventLoop.@Nullable Timer secondTimer;

  /** The time that a timer was last set for and is still to come, or {@link #NO_WAKE}. */
  private final AtomicLong wakeNanos = new AtomicLong(NO_WAKE);

  /** Requests that came while suspended, in order; guarded by the owner's lock. */
  private @Nullable BlockRequest heldFirst;

  private @Nullable BlockRequest heldLast;

  /**
   * A suspended device.
   *
   * @param loop runs its timers
   * @param blocking runs metadata commits
   */
  public MappedDevice(
      String name, Target target, EventLoop loop, Executor blocking, Listener listener) {
    this.name = name;
    this.target = target;
    this.devices = List.copyOf(target.devices());
    this.loop = loop;
    this.listener = listener;
    EffectRunner runner = new EffectRunner(devices, transfers, blocking, new EffectHost());
    this.owner = new Owner(target, gate, requestsInFlight, runner);
  }

  public String name() {
    return name;
  }

  @Override
  public String address() {
    return "oxbow:" + name;
  }

  @Override
  public long sizeBytes() {
    return target.lengthBytes();
  }

  @Override
  public Limits limits() {
    return target.limits();
  }

  // Requests.

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    Visitor self = gate.enter();
    if (self == null) {
      return Errno.EAGAIN;
    }
    try {
      Mapping mapping = self.mapping;
      target.map(Operation.READ, offsetBytes, lengthBytes, 0, mapping);
      if (mapping.isRemap() && mapping.lengthBytes() == lengthBytes) {
        BlockDevice device = devices.get(mapping.slot());
        return device.readNow(mapping.offsetBytes(), data, dataOffset, lengthBytes);
      }
      return Errno.EAGAIN;
    } finally {
      self.leave();
    }
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    Visitor self = gate.enter();
    if (self == null) {
      return Errno.EAGAIN;
    }
    try {
      Mapping mapping = self.mapping;
      target.map(Operation.WRITE, offsetBytes, lengthBytes, 0, mapping);
      if (mapping.isRemap() && mapping.lengthBytes() == lengthBytes) {
        BlockDevice device = devices.get(mapping.slot());
        return device.writeNow(mapping.offsetBytes(), data, dataOffset, lengthBytes);
      }
      return Errno.EAGAIN;
    } finally {
      self.leave();
    }
  }

  @Override
  public void submit(BlockRequest request) {
    if (!request.isWithin(sizeBytes())) {
      request.complete(Errno.EINVAL);
      return;
    }
    if (request.lengthBytes() == 0 && request.operation() != Operation.FLUSH) {
      // Targets are asked about bytes, and there are none.
      request.complete(Errno.OK);
      return;
    }
    Visitor self = gate.enter();
    if (self == null) {
      hold(request);
      return;
    }
    requestsInFlight.incrementAndGet();
    try {
      split(request, self.mapping);
    } finally {
      self.leave();
    }
  }

  private void split(BlockRequest request, Mapping mapping) {
    Split split = splits.take();
    split.begin(request);
    long at = request.offsetBytes();
    long end = request.endBytes();
    do {
      target.map(request.operation(), at, end - at, request.flags(), mapping);
      long length = mapping.lengthBytes();
      Split.SplitPiece piece = split.part(request, at, length);
      if (mapping.isQueue()) {
        owner.queue(piece);
      } else if (mapping.isRemap()) {
        piece.submit(devices.get(mapping.slot()), mapping.offsetBytes());
      } else {
        piece.pieceEnded(mapping.errno());
      }
      at += length;
    } while (at < end);
    split.ended(Errno.OK);
  }

  /** A request has been answered, just before its issuer hears of it. */
  private void requestEnded() {
    if (requestsInFlight.decrementAndGet() == 0 && !gate.isOpen()) {
      owner.signal();
    }
  }

  private void hold(BlockRequest request) {
    boolean isHeld =
        owner.ask(
            () -> {
              if (gate.isOpen()) {
                return false;
              }
              request.next = null;
              if (heldLast == null) {
                heldFirst = request;
              } else {
                heldLast.next = request;
              }
              heldLast = request;
              return true;
            });
    if (!isHeld) {
      submit(request);
    }
  }

  @Override
  public boolean isInMemory(long offsetBytes, long lengthBytes) {
    Mapping mapping = gate.self().mapping;
    target.locate(offsetBytes, lengthBytes, mapping);
    return mapping.isRemap()
        && mapping.lengthBytes() == lengthBytes
        && devices.get(mapping.slot()).isInMemory(mapping.offsetBytes(), lengthBytes);
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    new ExtentsWalk(target, devices, offsetBytes, lengthBytes, maxExtents, receiver).next();
  }

  // Control; these block.

  /** Begins, or goes on; held requests are taken up in their order. */
  public void resume() {
    stopTicking();
    tell(self -> target.resume(self.moment, self.effects));
    BlockRequest held =
        owner
            .ask(
                () -> {
                  gate.open();
                  BlockRequest all = heldFirst;
                  heldFirst = null;
                  heldLast = null;
                  return java.util.Optional.ofNullable(all);
                })
            .orElse(null);
    while (held != null) {
      BlockRequest following = held.next;
      held.next = null;
      submit(held);
      held = following;
    }
    secondTimer = loop.after(TimeUnit.SECONDS.toNanos(1), this::everySecond);
  }

  /**
   * Holds new requests, waits for those in flight and for the target's own work, and commits (Z1).
   *
   * @return false when that took longer than the limit; the device stays suspended, undrained
   */
  public boolean suspend(long timeoutNanos) {
    long deadline = System.nanoTime() + timeoutNanos;
    gate.close();
    stopTicking();
    keepNothingBack();
    boolean isDrained =
        owner.await(
            () -> !gate.hasVisitors() && requestsInFlight.get() == 0, deadline - System.nanoTime());
    tell(self -> target.suspend(self.moment, self.effects));
    return isDrained && owner.await(target::isSuspended, deadline - System.nanoTime());
  }

  /** Has what the target keeps back by choice (a delay, a hang) come out, until resumed again. */
  public void keepNothingBack() {
    tell(self -> target.presuspend(self.moment, self.effects));
  }

  private void stopTicking() {
    EventLoop.Timer timer = secondTimer;
    if (timer != null) {
      timer.cancel();
    }
  }

  public boolean isSuspended() {
    return !gate.isOpen();
  }

  /** The table line: start, length, target, arguments. */
  public String table() {
    return line(owner.ask(target::table));
  }

  /**
   * The status line.
   *
   * @param noFlush does not commit first; neither does a suspended device (M3, Z2)
   */
  public String status(boolean noFlush) {
    if (!noFlush && gate.isOpen() && target.hasUncommittedChanges()) {
      commit();
    }
    return line(owner.ask(target::status));
  }

  /** Waits for a commit, unless the device is suspended meanwhile: then suspend commits. */
  private void commit() {
    AtomicBoolean isDone = new AtomicBoolean();
    submit(
        new BlockRequest()
            .flush(
                (request, errno) -> {
                  isDone.set(true);
                  owner.signal();
                }));
    owner.await(() -> isDone.get() || !gate.isOpen(), Long.MAX_VALUE);
  }

  private String line(String rest) {
    return "0 " + Sectors.fromBytes(sizeBytes()) + " " + target.typeName() + " " + rest;
  }

  /** Sends the target a message; its answer may be empty. */
  public String message(List<String> words) throws MessageException {
    String[] answer = new String[1];
    owner.tell(self -> answer[0] = target.message(words, self.moment, self.effects));
    return answer[0];
  }

  /** The target's figures, consistent with each other. */
  public <T> T ask(Function<Target, T> question) {
    return owner.ask(() -> question.apply(target));
  }

  /** Events so far. */
  public long eventNumber() {
    return events.get();
  }

  /**
   * Blocks until the event number is above the given one.
   *
   * @return false when the time ran out first
   */
  public boolean awaitEvent(long after, long timeoutNanos) {
    return owner.await(() -> events.get() > after, timeoutNanos);
  }

  /**
   * Releases the target and the buffers, not the devices underneath. Only after a {@link #suspend}
   * that returned true.
   */
  @Override
  public void close() {
    target.close();
    transfers.close();
  }

  private void everySecond() {
    if (gate.isOpen()) {
      tell(self -> target.everySecond(self.moment, self.effects));
      secondTimer = loop.after(TimeUnit.SECONDS.toNanos(1), this::everySecond);
    }
  }

  private void wake(long atNanos) {
    wakeNanos.compareAndSet(atNanos, NO_WAKE);
    tell(self -> target.wake(self.moment, self.effects));
  }

  private void tell(Owner.Event event) {
    try {
      owner.tell(event);
    } catch (MessageException e) {
      throw new IllegalStateException("only messages are refused", e);
    }
  }

  private final class EffectHost implements EffectRunner.Host {
    /** A target asks for the same time again with each event until it has come: one timer does. */
    @Override
    public void wakeAt(long nanos) {
      if (wakeNanos.getAndSet(nanos) != nanos) {
        loop.after(Math.max(0, nanos - System.nanoTime()), () -> wake(nanos));
      }
    }

    @Override
    public void event(String why) {
      synchronized (events) {
        // Listeners hear of events in the order of their numbers.
        listener.event(events.incrementAndGet(), why);
      }
      owner.signal();
    }

    @Override
    public void warn(String what) {
      listener.warning(what);
    }
  }
}
