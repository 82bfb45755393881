package oxbow.mapped;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.IoCounts;
import oxbow.block.IoStatistics;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.engine.EventLoop;
import oxbow.mapped.SuspendGate.Visitor;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Target;
import oxbow.target.TaskPlace;

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
  private static final long REMOVE_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long COMMIT_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final String name;
  private final Target target;
  private final List<BlockDevice> devices;

  /** The same, with an account of what was submitted to them. */
  private final List<Underlying> underlying;

  private final EventLoop loop;
  private final Listener listener;
  private final SuspendGate gate = new SuspendGate();
  private final AtomicLong requestsInFlight = new AtomicLong();
  private final AtomicLong events = new AtomicLong();
  private final TransferPool transfers = new TransferPool();
  private final Split.Pool splits = new Split.Pool(this::requestEnded, this::ticketEnded);
  private final Owner owner;
  private final Owner.Event wake;
  private final Watch watch;
  private final Ticker seconds;

  /** The time that a timer was last set for and is still to come, or {@link #NO_WAKE}. */
  private final AtomicLong wakeNanos = new AtomicLong(NO_WAKE);

  /** Requests that came while suspended; guarded by the owner's lock. */
  private final HeldRequests held = new HeldRequests();

  /** Where requests go once the device has been replaced; set once, under the owner's lock. */
  private volatile @Nullable Consumer<BlockRequest> successor;

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
    this.seconds = new Ticker(loop, this::everySecond);
    this.listener = listener;
    List<Underlying> places = new ArrayList<>();
    for (int slot = 0; slot < devices.size(); slot++) {
      places.add(new Underlying(target.role(slot), devices.get(slot)));
    }
    this.underlying = List.copyOf(places);
    Underlying tasks = new Underlying(target.taskPlace());
    if (!target.taskPlace().equals(TaskPlace.NONE)) {
      places.add(tasks);
    }
    EffectHost host = new EffectHost();
    this.watch = new Watch(places, host::event);
    EffectRunner runner = new EffectRunner(underlying, tasks, transfers, blocking, host);
    this.owner = new Owner(target, gate, requestsInFlight, runner, splits, this::failed);
    this.wake = self -> target.wake(self.moment, owner.effects());
    owner.join();
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
    return serveNow(Operation.READ, offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return serveNow(Operation.WRITE, offsetBytes, data, dataOffset, lengthBytes);
  }

  private int serveNow(
      Operation readOrWrite, long offsetBytes, MemorySegment data, long dataOffset, int length) {
    if (length == 0) {
      return Errno.OK; // Targets are asked about bytes, and there are none.
    }
    Visitor self = gate.enter();
    if (self == null) {
      return Errno.EAGAIN;
    }
    int ticket = Mapping.NO_TICKET;
    long begun = self.counts.begin(readOrWrite);
    try {
      Mapping mapping = self.mapping;
      target.map(readOrWrite, offsetBytes, length, 0, mapping);
      ticket = mapping.ticket();
      if (!mapping.isRemap() || mapping.lengthBytes() != length) {
        return Errno.EAGAIN;
      }
      BlockDevice device = devices.get(mapping.slot());
      int errno =
          readOrWrite == Operation.READ
              ? device.readNow(mapping.offsetBytes(), data, dataOffset, length)
              : device.writeNow(mapping.offsetBytes(), data, dataOffset, length);
      if (errno != Errno.EAGAIN) {
        self.counts.countNow(readOrWrite, length, errno, begun);
      }
      return errno;
    } catch (RuntimeException broken) {
      self.counts.countNow(readOrWrite, length, Errno.EIO, begun);
      owner.fail(broken);
      return Errno.EIO;
    } finally {
      ticketEnded(ticket); // Before leaving: a suspended target is not told of any more.
      self.leave();
    }
  }

  @Override
  public void submit(BlockRequest request) {
    if (!request.isWithin(sizeBytes())) {
      refuse(request, Errno.EINVAL);
      return;
    }
    if (request.lengthBytes() == 0 && request.operation() != Operation.FLUSH) {
      // Targets are asked about bytes, and there are none.
      request.complete(Errno.OK);
      return;
    }
    if (!isTakenUp(request)) {
      holdOrFail(request);
    }
  }

  /** Takes a request up, unless the device is suspended or has failed. */
  private boolean isTakenUp(BlockRequest request) {
    Visitor self = gate.enter();
    if (self == null) {
      return false;
    }
    requestsInFlight.incrementAndGet();
    try {
      split(request, self.mapping);
    } finally {
      self.leave();
    }
    return true;
  }

  private void split(BlockRequest request, Mapping mapping) {
    Split split = splits.take();
    split.begin(request);
    long at = request.offsetBytes();
    long end = request.endBytes();
    do {
      try {
        target.map(request.operation(), at, end - at, request.flags(), mapping);
      } catch (RuntimeException broken) {
        owner.fail(broken);
        split.ended(Errno.EIO);
        return;
      }
      long length = mapping.lengthBytes();
      Split.SplitPiece piece = split.part(request, at, length);
      if (mapping.isQueue()) {
        owner.queue(piece);
      } else if (mapping.isRemap()) {
        piece.track(mapping.ticket());
        piece.submit(underlying.get(mapping.slot()), mapping.offsetBytes());
      } else {
        piece.track(mapping.ticket());
        piece.ioEnded(mapping.errno());
      }
      at += length;
    } while (at < end);
    split.ended(Errno.OK);
  }

  /** It was not let in. */
  private void refuse(BlockRequest request, int errno) {
    gate.self().counts.count(request.operation(), request.lengthBytes(), errno);
    request.complete(errno);
  }

  /** A request has been answered, just before its issuer hears of it. */
  private void requestEnded(BlockRequest request, int errno, long tookNanos) {
    gate.self().counts.count(request.operation(), request.lengthBytes(), errno, tookNanos);
    if (requestsInFlight.decrementAndGet() == 0 && !gate.isOpen()) {
      owner.signal();
    }
  }

  /** I/O that the target may have to wait for has ended, if there is a ticket that says so. */
  private void ticketEnded(int ticket) {
    if (ticket == Mapping.NO_TICKET || owner.fault() != null) {
      return;
    }
    boolean isAwaited = false;
    try {
      isAwaited = target.endIo(ticket);
    } catch (RuntimeException broken) {
      owner.fail(broken);
    }
    if (isAwaited) {
      owner.tellAlways(wake);
    }
  }

  private void holdOrFail(BlockRequest request) {
    boolean isHeld =
        owner.ask(
            () -> {
              if (gate.isOpen() || owner.fault() != null || successor != null) {
                return false;
              }
              held.add(request);
              return true;
            });
    if (isHeld) {
      return;
    }
    Consumer<BlockRequest> elsewhere = successor;
    if (elsewhere != null) {
      elsewhere.accept(request);
    } else if (owner.fault() == null) {
      submit(request);
    } else {
      refuse(request, Errno.EIO);
    }
  }

  /** The target has thrown: all requests are answered with EIO from now on, for good. */
  private void failed(String why) {
    owner.ask(held::take).forEach(request -> refuse(request, Errno.EIO));
    EffectHost host = new EffectHost();
    host.warn("the device has failed, all requests to it fail from now on: " + why);
    host.event("device failed: " + why);
  }

  @Override
  public boolean isInMemory(long offsetBytes, long lengthBytes) {
    if (owner.fault() != null) {
      return false;
    }
    Mapping mapping = gate.self().mapping;
    try {
      target.locate(offsetBytes, lengthBytes, mapping);
    } catch (RuntimeException broken) {
      owner.fail(broken);
      return false;
    }
    return mapping.isRemap()
        && mapping.lengthBytes() == lengthBytes
        && devices.get(mapping.slot()).isInMemory(mapping.offsetBytes(), lengthBytes);
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    if (owner.fault() != null) {
      receiver.end(Errno.EIO);
      return;
    }
    new ExtentsWalk(target, underlying, offsetBytes, lengthBytes, maxExtents, receiver, owner::fail)
        .next();
  }

  // Control; these block.

  /**
   * Begins, or goes on; held requests are taken up in their order.
   *
   * @throws IllegalStateException with the target's sentence if it cannot be resumed now
   */
  public void resume() {
    resumeTarget();
    letIn();
  }

  /**
   * The first half of {@link #resume}: the target goes on, but requests are held as before.
   *
   * @throws IllegalStateException with the target's sentence if it cannot be resumed now
   */
  void resumeTarget() {
    String[] problem = {""};
    owner.tellAlways(
        self -> {
          String why = target.resumeProblem();
          if (why == null) {
            target.resume(self.moment, owner.effects());
          } else {
            problem[0] = why;
          }
        });
    if (!problem[0].isEmpty()) {
      throw new IllegalStateException(problem[0]);
    }
  }

  /** The second half of {@link #resume}. */
  void letIn() {
    seconds.stop();
    HeldRequests waiting =
        owner.ask(
            () -> {
              if (owner.fault() == null) {
                gate.open();
              }
              return held.take();
            });
    waiting.forEach(this::submit);
    seconds.start();
  }

  /**
   * Goes on after a suspend that led to nothing. The target is not asked whether it can: it may
   * wait for a successor by now, and would be suspended for ever.
   */
  void takeBackSuspend() {
    owner.tellAlways(self -> target.resume(self.moment, owner.effects()));
    letIn();
  }

  /**
   * The device has been replaced: what it holds goes there, in order, and so does whatever still
   * comes from a thread that has not noticed. Only while suspended, and for good.
   */
  void retire(Consumer<BlockRequest> replacement) {
    HeldRequests waiting =
        owner.ask(
            () -> {
              successor = replacement;
              return held.take();
            });
    waiting.forEach(replacement);
  }

  /**
   * Holds new requests, waits for those in flight and for the target's own work, and commits (Z1).
   *
   * @return false when that took longer than the limit; the device stays suspended, undrained
   */
  public boolean suspend(long timeoutNanos) {
    long deadline = System.nanoTime() + timeoutNanos;
    gate.close();
    keepNothingBack();
    boolean isDrained =
        owner.await(
            () -> !gate.hasVisitors() && requestsInFlight.get() == 0, deadline - System.nanoTime());
    owner.tellAlways(self -> target.suspend(self.moment, owner.effects()));
    boolean isSuspended =
        isDrained
            && owner.await(
                () -> owner.fault() == null ? target.isSuspended() : owner.hasNoJobs(),
                deadline - System.nanoTime());
    if (isSuspended && target.family() == null) {
      // Not before: whatever keeps it from draining has to be seen. In a family a suspended target
      // works on for others, until it is closed.
      seconds.stop();
    }
    return isSuspended;
  }

  /** Has what the target keeps back by choice (a delay, a hang) come out, until resumed again. */
  public void keepNothingBack() {
    owner.tellAlways(self -> target.presuspend(self.moment, owner.effects()));
  }

  public boolean isSuspended() {
    return !gate.isOpen() && owner.fault() == null;
  }

  /** Why the device has failed, all requests with it; null while it has not. */
  public @Nullable String fault() {
    return owner.fault();
  }

  /**
   * What has become of the requests that came here; a commit for the status is a flush. Latencies
   * do not include the time for which a suspended device holds a request.
   */
  public IoStatistics statistics() {
    IoCounts sum = new IoCounts();
    addCounts(sum);
    return sum.statistics();
  }

  void addCounts(IoCounts sum) {
    gate.addCounts(sum);
  }

  /** The devices underneath, each once. */
  List<BlockDevice> below() {
    return devices.stream().distinct().toList();
  }

  /** How the devices underneath are, and where metadata is kept. */
  public List<DeviceHealth> health() {
    return watch.health();
  }

  /** The table line: start, length, target, arguments. */
  public String table() {
    return line(owner.ask(target::table));
  }

  /**
   * The status line. Words of Oxbow's own follow the target's while a device underneath does not
   * answer.
   *
   * @param noFlush does not commit first; neither does a suspended device (M3, Z2), nor one above a
   *     device that does not answer
   */
  public String status(boolean noFlush) {
    boolean isWell = watch.statusWords().isEmpty();
    if (!noFlush && isWell && gate.isOpen() && target.hasUncommittedChanges()) {
      commit();
    }
    String words = owner.fault() == null ? owner.ask(target::status) : "Fail";
    return line(words + watch.statusWords());
  }

  /**
   * Waits for a commit, unless the device is suspended meanwhile: then suspend commits. Not for
   * long: whoever asks for the status of a device that hangs must be told.
   */
  private void commit() {
    AtomicBoolean isDone = new AtomicBoolean();
    BlockRequest flush =
        new BlockRequest()
            .flush(
                (request, errno) -> {
                  isDone.set(true);
                  owner.signal();
                });
    if (isTakenUp(flush)) {
      owner.await(() -> isDone.get() || !gate.isOpen(), COMMIT_PATIENCE_NANOS);
    }
  }

  private String line(String rest) {
    return "0 " + Sectors.fromBytes(sizeBytes()) + " " + target.typeName() + " " + rest;
  }

  /** Sends the target a message; its answer may be empty. */
  public String message(List<String> words) throws MessageException {
    String[] answer = {""};
    owner.tell(self -> answer[0] = target.message(words, self.moment, owner.effects()));
    String why = owner.fault();
    if (why != null) {
      throw new MessageException("the device has failed: " + why);
    }
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
   * that returned true. Blocks until the target has ended what it does for others of its family.
   *
   * @throws IOException if that takes too long: then nothing has been released
   */
  @Override
  public void close() throws IOException {
    close(REMOVE_PATIENCE_NANOS);
  }

  void close(long patienceNanos) throws IOException {
    owner.tellAlways(self -> target.remove(self.moment, owner.effects()));
    boolean isRemoved =
        owner.await(
            () -> (owner.fault() != null || target.isRemoved()) && owner.hasNoJobs(),
            patienceNanos);
    if (!isRemoved) {
      throw new IOException(name + ": what it does for other devices has not ended");
    }
    seconds.stop();
    owner.leave();
    target.close();
    transfers.close();
  }

  /** The target's tick ends with suspend; the watch goes on while there may be work. */
  private void everySecond() {
    if (gate.isOpen()) {
      owner.tellAlways(self -> target.everySecond(self.moment, owner.effects()));
    }
    watch.tick(System.nanoTime());
  }

  private void wake(long atNanos) {
    wakeNanos.compareAndSet(atNanos, NO_WAKE);
    owner.tellAlways(wake);
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
