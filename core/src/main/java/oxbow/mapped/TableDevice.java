package oxbow.mapped;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.IoCounts;
import oxbow.block.IoStatistics;
import oxbow.block.Limits;
import oxbow.block.Operation;

/**
 * What device-mapper calls a mapped device: a name, an event number, and a live table, which can be
 * replaced while the device is in use. Requests that come while it is suspended are held by the
 * targets' gates; when the table has been replaced they come back from there and go to the new one.
 * So there is no gate of its own in the way of a request, only the look at which table is live.
 *
 * <p>Requests and questions may come on any thread. Control ({@link #suspend}, {@link #resume},
 * {@link #close}) is one thread's at a time, and blocks.
 */
public final class TableDevice implements BlockDevice {
  private static final Limits NOTHING = new Limits(true, 1, false, 0, false, false, false);

  private volatile String name;
  private final boolean isReadOnly;
  private final MappedDevice.Listener listener;
  private final Spread.Pool spreads = new Spread.Pool();

  /** Null until the first resume. */
  private volatile @Nullable Table live;

  private volatile Limits limits = NOTHING;

  /** Whether a former table could discard: clients may still think so, and a discard is a hint. */
  private volatile boolean couldDiscard;

  /** A flush that no client asked for has failed: the next one of a client must tell. */
  private final AtomicBoolean hasLostWrites = new AtomicBoolean();

  /**
   * Of the tables before the live one; guarded by {@link #countsLock}, as that is when it changes.
   */
  private IoCounts formerCounts = new IoCounts();

  /** Guards both. */
  private final Object countsLock = new Object();

  private volatile boolean isSuspended = true;
  private boolean isFlushed = true;

  private final AtomicLong events = new AtomicLong();
  private final ReentrantLock eventLock = new ReentrantLock();
  private final Condition eventRaised = eventLock.newCondition();

  /**
   * A device without a table, suspended.
   *
   * @param isReadOnly whether it refuses to be written whatever its table
   * @param listener hears of the events of all its tables, by the device's own numbers
   */
  public TableDevice(String name, boolean isReadOnly, MappedDevice.Listener listener) {
    this.name = name;
    this.isReadOnly = isReadOnly;
    this.listener = listener;
  }

  public String name() {
    return name;
  }

  public void rename(String newName) {
    name = newName;
  }

  @Override
  public String address() {
    return "oxbow:" + name;
  }

  /** 0 while it has no table. */
  @Override
  public long sizeBytes() {
    Table table = live;
    return table == null ? 0 : table.sizeBytes();
  }

  @Override
  public Limits limits() {
    return limits;
  }

  /** The live table; null until there is one. */
  public @Nullable Table live() {
    return live;
  }

  public boolean isSuspended() {
    return isSuspended;
  }

  // Requests.

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    Table.Segment to = segment(offsetBytes, lengthBytes);
    return to == null
        ? Errno.EAGAIN
        : to.target().readNow(offsetBytes - to.startBytes(), data, dataOffset, lengthBytes);
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    if (isReadOnly) {
      return Errno.EPERM;
    }
    Table.Segment to = segment(offsetBytes, lengthBytes);
    return to == null
        ? Errno.EAGAIN
        : to.target().writeNow(offsetBytes - to.startBytes(), data, dataOffset, lengthBytes);
  }

  /** The target that a range belongs to; null if it belongs to no one alone. */
  private Table.@Nullable Segment segment(long offsetBytes, int lengthBytes) {
    Table table = live;
    if (table == null) {
      return null;
    }
    Table.Segment segment = table.at(offsetBytes);
    return offsetBytes + lengthBytes <= segment.endBytes() ? segment : null;
  }

  @Override
  public void submit(BlockRequest request) {
    Table table = live;
    if (table == null || !request.isWithin(table.sizeBytes())) {
      request.complete(table == null ? Errno.EIO : Errno.EINVAL);
      return;
    }
    int known = answerOf(request.operation(), table);
    if (known != Errno.EAGAIN) {
      request.complete(known);
    } else if (table.isSingle()) {
      table.segments().getFirst().target().submit(request);
    } else if (request.lengthBytes() == 0 && request.operation() != Operation.FLUSH) {
      request.complete(Errno.OK);
    } else {
      spreads.submit(request, table);
    }
  }

  /** What the device answers itself; EAGAIN where the targets are to be asked. */
  private int answerOf(Operation operation, Table table) {
    if (isReadOnly && operation.changesData()) {
      return Errno.EPERM;
    }
    if (operation == Operation.FLUSH && hasLostWrites.compareAndSet(true, false)) {
      return Errno.EIO;
    }
    boolean isIdle = operation == Operation.DISCARD && couldDiscard && !table.limits().canDiscard();
    return isIdle ? Errno.OK : Errno.EAGAIN;
  }

  /** A target that was replaced gives back what it held: a part of a request, or all of it. */
  private void sendAgain(BlockRequest request) {
    if (!(request.context instanceof Spread.Part part && part.isOf(spreads))) {
      submit(request);
      return;
    }
    Table table = live;
    int known = table == null ? Errno.EIO : answerOf(request.operation(), table);
    if (table == null || known != Errno.EAGAIN) {
      part.end(known);
    } else {
      part.sendTo(table);
    }
  }

  @Override
  public boolean isInMemory(long offsetBytes, long lengthBytes) {
    Table table = ask();
    if (table == null) {
      return false;
    }
    try {
      Table.Segment at = table.at(offsetBytes);
      return offsetBytes + lengthBytes <= at.endBytes()
          && at.target().isInMemory(offsetBytes - at.startBytes(), lengthBytes);
    } finally {
      table.answered();
    }
  }

  /** Answers up to the end of the first target that is asked about. */
  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    Table table = ask();
    if (table == null) {
      receiver.end(Errno.EIO);
      return;
    }
    Table.Segment at = table.at(offsetBytes);
    long length = Math.min(lengthBytes, at.endBytes() - offsetBytes);
    Extents counted =
        new Extents() {
          @Override
          public void extent(long extentBytes, int state) {
            receiver.extent(extentBytes, state);
          }

          @Override
          public void end(int errno) {
            table.answered();
            receiver.end(errno);
          }
        };
    at.target().extents(offsetBytes - at.startBytes(), length, maxExtents, counted);
  }

  /** The live table with a question counted, so that it is not closed before the answer. */
  private @Nullable Table ask() {
    while (true) {
      Table table = live;
      if (table == null) {
        return null;
      }
      table.asked();
      if (table == live) {
        return table;
      }
      table.answered();
    }
  }

  // Control; these block.

  /**
   * Holds new requests, waits for those in flight and for the targets' own work, which they commit
   * (Z1). Without a table, or suspended already, there is nothing to do.
   *
   * @param isFlushing whether what was written is made durable too, below this device
   * @throws IOException when something does not end in time, or cannot be made durable; the device
   *     then goes on as if nothing had been asked
   */
  public void suspend(Duration patience, boolean isFlushing) throws IOException {
    Table table = live;
    if (table == null || isSuspended) {
      return;
    }
    long deadline = System.nanoTime() + patience.toNanos();
    isSuspended = true;
    List<MappedDevice> suspended = new ArrayList<>();
    try {
      for (Table.Segment each : table.segments()) {
        suspended.add(each.target());
        if (!each.target().suspend(deadline - System.nanoTime())) {
          throw new IOException(unfinished(each.target()));
        }
      }
      isFlushed = false;
      if (isFlushing) {
        new Durability(deadline, () -> hasLostWrites.set(true)).flush(table.below());
        isFlushed = true;
      }
    } catch (IOException failed) {
      isSuspended = false;
      suspended.forEach(MappedDevice::takeBackSuspend);
      throw failed;
    }
  }

  private static String unfinished(MappedDevice target) {
    for (DeviceHealth each : target.health()) {
      if (each.state() != DeviceHealth.State.GOOD) {
        return "requests have not ended: " + each.toSentence();
      }
    }
    return "requests have not ended";
  }

  /**
   * Why a table cannot take the live one's place while the device is in use: what its users were
   * told about it when they opened it must stay true. Null if it can.
   */
  public @Nullable String obstacle(Table next) {
    Table table = live;
    if (table == null) {
      return null;
    }
    if (next.sizeBytes() != table.sizeBytes()) {
      return "it is in use, and its size would change from %d to %d bytes"
          .formatted(table.sizeBytes(), next.sizeBytes());
    }
    if (next.limits().blockSizeBytes() > table.limits().blockSizeBytes()) {
      return "it is in use, and would take only blocks of %d bytes"
          .formatted(next.limits().blockSizeBytes());
    }
    if (next.limits().isReadOnly() && !limits.isReadOnly()) {
      return "it is in use, and would become read-only";
    }
    return null;
  }

  /**
   * Gives the device its first table without beginning: requests are held until {@link #resume}.
   *
   * @param first suspended
   */
  public void lay(Table first) {
    if (live != null) {
      throw new IllegalStateException(name + ": has a table");
    }
    makeLive(first, formerCounts);
    limits = limitsWith(first);
  }

  /**
   * Goes on, or begins.
   *
   * @param next the table that takes the live one's place, or null to keep that; suspended
   * @return the table that was replaced, retired and suspended, the caller's to close; null if none
   *     was
   * @throws IllegalStateException with a target's sentence if it cannot be resumed now; then the
   *     former table is the live one again, the device still suspended, and the other the caller's
   */
  public @Nullable Table resume(@Nullable Table next) {
    Table former = live;
    if (next == null) {
      if (former != null) {
        begin(former);
        isSuspended = false;
      }
      return null;
    }
    if (former != null && !isSuspended) {
      throw new IllegalStateException(name + ": not suspended");
    }
    if (former != null && !isFlushed) {
      keepPromises(former);
    }
    couldDiscard |= former != null && former.limits().canDiscard();
    IoCounts counts = formerCounts;
    makeLive(next, sum(counts, former));
    try {
      begin(next);
    } catch (IllegalStateException refused) {
      makeLive(former, counts);
      retire(next);
      throw refused;
    }
    limits = limitsWith(next);
    isSuspended = false;
    if (former != null) {
      retire(former);
    }
    return former;
  }

  private void makeLive(@Nullable Table table, IoCounts counts) {
    synchronized (countsLock) {
      live = table;
      formerCounts = counts;
    }
  }

  private static IoCounts sum(IoCounts counts, @Nullable Table table) {
    IoCounts sum = new IoCounts();
    counts.addTo(sum);
    if (table != null) {
      table.addCounts(sum);
    }
    return sum;
  }

  /**
   * What has become of the requests of all its tables. One that several targets had to do with
   * counts once for each; what the device answered itself counts nowhere.
   */
  public IoStatistics statistics() {
    synchronized (countsLock) {
      return sum(formerCounts, live).statistics();
    }
  }

  /** All targets, or none: not before all have been resumed is a request let in. */
  private static void begin(Table table) {
    List<MappedDevice> begun = new ArrayList<>();
    try {
      for (Table.Segment each : table.segments()) {
        each.target().resumeTarget();
        begun.add(each.target());
      }
    } catch (IllegalStateException refused) {
      // They have just begun: nothing of theirs takes long.
      begun.forEach(target -> target.suspend(TimeUnit.SECONDS.toNanos(10)));
      throw refused;
    }
    begun.forEach(MappedDevice::letIn);
  }

  private void retire(Table table) {
    table.segments().forEach(each -> each.target().retire(this::sendAgain));
  }

  /**
   * What was written below the former table and not flushed: a flush of the next table will not
   * reach it, and its clients may rely on that flush.
   */
  private void keepPromises(Table former) {
    try {
      long deadline = System.nanoTime() + Durability.PATIENCE_NANOS;
      new Durability(deadline, () -> {}).flush(former.below());
    } catch (IOException failed) {
      hasLostWrites.set(true);
      listener.warning(
          "what was written before the table was replaced may not be durable: "
              + failed.getMessage());
    }
  }

  /** What users may rely on: those who were told that they may discard go on doing so. */
  private Limits limitsWith(Table table) {
    Limits of = table.limits();
    boolean mayDiscard = !isReadOnly && (of.canDiscard() || couldDiscard);
    return new Limits(
        isReadOnly || of.isReadOnly(),
        of.blockSizeBytes(),
        mayDiscard,
        !mayDiscard ? 0 : of.canDiscard() ? of.maxDiscardBytes() : Long.MAX_VALUE,
        of.discardReadsZeros(),
        of.canWriteZeroesFast(),
        of.hasVolatileCache());
  }

  /**
   * Answers what a suspended device holds with ESHUTDOWN, and whatever still comes: it will not be
   * resumed any more. Nothing of it reaches what lies below.
   */
  public void refuseHeld() {
    Table table = live;
    if (table != null && isSuspended) {
      for (Table.Segment each : table.segments()) {
        each.target().retire(request -> request.complete(Errno.ESHUTDOWN));
      }
    }
  }

  // Events.

  /** What the targets of its tables tell their events to. */
  public MappedDevice.Listener targetListener() {
    return new MappedDevice.Listener() {
      @Override
      public void event(long number, String why) {
        raise(why);
      }

      @Override
      public void warning(String what) {
        listener.warning(what);
      }
    };
  }

  private void raise(String why) {
    eventLock.lock();
    try {
      // Listeners hear of events in the order of their numbers.
      listener.event(events.incrementAndGet(), why);
      eventRaised.signalAll();
    } finally {
      eventLock.unlock();
    }
  }

  /** Events so far, of all its tables. */
  public long eventNumber() {
    return events.get();
  }

  /**
   * Blocks until the event number is above the given one.
   *
   * @return false when the time ran out first
   */
  public boolean awaitEvent(long after, long timeoutNanos) {
    long left = timeoutNanos;
    eventLock.lock();
    try {
      while (events.get() <= after) {
        if (left <= 0) {
          return false;
        }
        left = eventRaised.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      eventLock.unlock();
    }
  }

  /**
   * Closes the live table. Only after {@link #suspend}, and when nobody uses the device any more.
   */
  @Override
  public void close() throws IOException {
    Table table = live;
    if (table != null) {
      makeLive(null, sum(formerCounts, table));
      table.close();
    }
  }
}
