package oxbow.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.ObjIntConsumer;
import oxbow.block.Errno;
import oxbow.target.Moment;
import oxbow.target.Target;

/**
 * What {@code oxbow.mapped} does for targets, without threads and without time: any number of
 * targets, of one family, of several, or alone, over simulated disks. Cores are entered one at a
 * time; what they want done is carried out after the core has been left, in the order of their
 * decisions, over all of them. Whatever takes time is in flight until the test, or a seed, ends it,
 * in any order, well or badly:
 *
 * <pre>{@code
 * SimFrame frame = new SimFrame();
 * SimTarget origin = frame.add("origin", target);    // its devices are SimDevices
 * origin.resume();
 * SimRequest write = origin.write(3, 2);             // two sectors, with stamps of their own
 * frame.finish("origin: write");                     // or finish(random.nextInt(frame.inFlight()))
 * }</pre>
 *
 * <p>It knows no target, and carries everything out as it should. A test that wants a defect puts a
 * defective {@link Target} around a sound one.
 */
public final class SimFrame {
  static final int SECTOR = SimDisk.SECTOR_BYTES;

  private static final int MOST_STEPS = 100_000;
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final long STEP_NANOS = 1000;

  /** Hears of all requests. */
  public interface Listener {
    /** A user is about to send a request: nobody has seen it yet. */
    default void sending(SimRequest request) {}

    /** The last piece of a request has ended: the user is about to hear of it. */
    default void answering(SimRequest request) {}

    /** A target raises an event. */
    default void raised(SimTarget target, String why) {}
  }

  /** Copies are made in parts of at most so many bytes. */
  public int copyPartBytes = 1 << 20;

  /** So many of the next reads that would be written elsewhere, too, find no free buffer. */
  public int missingBuffers;

  public boolean isUserBusy = true;

  private final List<SimTarget> targets = new ArrayList<>();
  private final List<SimIo> inFlight = new ArrayList<>();
  private final ArrayDeque<Runnable> effects = new ArrayDeque<>();
  private final List<String> log = new ArrayList<>();
  private final Moment moment = new Moment();
  private Listener listener = new Listener() {};
  private BooleanSupplier whim = () -> false;
  private long nowNanos = SECOND_NANOS;
  private int nextStamp = 1;
  private boolean isInCore;
  private boolean isCarryingOut;

  /** Who hears of requests from now on. */
  public SimFrame listen(Listener next) {
    listener = next;
    return this;
  }

  /**
   * Decides what may be so or otherwise: whether a read finds what is there when it begins, or when
   * it ends; whether a thread that has mapped a request comes to the core at once, or later, as
   * something in flight.
   */
  public SimFrame decideBy(BooleanSupplier next) {
    whim = next;
    return this;
  }

  /** The stamps that are given out from now on begin here; after a crash, say. */
  public SimFrame stampsFrom(int stamp) {
    nextStamp = stamp;
    return this;
  }

  /** A target as a device; suspended. Its devices must be {@link SimDevice}s. */
  public SimTarget add(String name, Target target) {
    SimTarget added = new SimTarget(this, name, target);
    targets.add(added);
    return added;
  }

  /** All that were added and are not removed, in that order. */
  public List<SimTarget> targets() {
    return List.copyOf(targets);
  }

  /** What has happened, one line each, as a failure shows it. */
  public List<String> log() {
    return log;
  }

  // Cores.

  /** Enters a core, and carries out what it and others want done. */
  void tell(Consumer<Moment> event) {
    if (isInCore) {
      throw new AssertionError("a core is entered while another one decides");
    }
    isInCore = true;
    try {
      event.accept(moment.set(nowNanos, isUserBusy));
    } finally {
      isInCore = false;
    }
    carryOut();
  }

  /** Something that a core wants done. */
  void note(Runnable effect) {
    if (!isInCore) {
      throw new AssertionError("effects are noted in a core only");
    }
    effects.add(effect);
  }

  /** Events of what ends at once come behind, not in between. */
  private void carryOut() {
    if (isCarryingOut) {
      return;
    }
    isCarryingOut = true;
    try {
      for (Runnable effect = effects.poll(); effect != null; effect = effects.poll()) {
        effect.run();
      }
    } finally {
      isCarryingOut = false;
    }
    settle();
  }

  /** Whoever waits to be suspended or removed may have come a step further. */
  private void settle() {
    for (SimTarget target : targets()) {
      if (target.advance()) {
        // The step has entered a core, and all was looked at again then.
        return;
      }
    }
    targets.removeIf(SimTarget::isRemoved);
  }

  Listener listener() {
    return listener;
  }

  boolean decides() {
    return whim.getAsBoolean();
  }

  int takeStamps(int count) {
    int first = nextStamp;
    nextStamp += count;
    return first;
  }

  // What is in flight.

  /** How many things are in flight. */
  public int inFlight() {
    return inFlight.size();
  }

  /** What is in flight, in the order in which it began. */
  public List<String> whatIsInFlight() {
    return inFlight.stream().map(SimIo::what).toList();
  }

  /** Whether something whose description begins so is in flight. */
  public boolean isInFlight(String what) {
    return inFlight.stream().anyMatch(io -> io.what().startsWith(what));
  }

  /** Ends what is in flight, by its place; well, unless its disk is to fail. */
  public void finish(int index) {
    SimIo io = inFlight.remove(index);
    end(io, io.result().getAsInt());
  }

  /** Ends the first that is in flight and whose description begins so. */
  public void finish(String what) {
    finish(indexOf(what));
  }

  /** Whether {@link #fail} can make what is in flight fail. */
  public boolean canFail(int index) {
    return inFlight.get(index).faults() != null;
  }

  /** Ends what is in flight with EIO; a write has written its first half all the same. */
  public void fail(int index) {
    SimIo io = inFlight.remove(index);
    end(io, Objects.requireNonNull(io.faults(), io::what).happened(Errno.EIO));
  }

  /** Ends the first that is in flight and whose description begins so with EIO. */
  public void fail(String what) {
    fail(indexOf(what));
  }

  private int indexOf(String what) {
    for (int i = 0; i < inFlight.size(); i++) {
      if (inFlight.get(i).what().startsWith(what)) {
        return i;
      }
    }
    throw new IllegalStateException("not in flight: " + what + " but " + inFlight);
  }

  private void end(SimIo io, int errno) {
    log.add(io.what() + (errno == Errno.OK ? "" : " fails with " + errno));
    nowNanos += STEP_NANOS;
    io.end().accept(errno);
    settle();
  }

  /** Ends everything in flight, and what follows from it, oldest first. */
  public void finishAll() {
    for (int i = 0; !inFlight.isEmpty(); i++) {
      if (i > MOST_STEPS) {
        throw new IllegalStateException("does not come to rest: " + inFlight);
      }
      finish(0);
    }
  }

  /** Ends everything, and lets time pass up to whatever a target waits for; no ticks. */
  public void runToRest() {
    for (int i = 0; i < MOST_STEPS; i++) {
      finishAll();
      if (!wake()) {
        return;
      }
    }
    throw new IllegalStateException("does not come to rest");
  }

  // What takes time. Each ends with a result: an error number.

  void startRead(
      String what,
      SimDevice device,
      long offsetBytes,
      long lengthBytes,
      ObjIntConsumer<byte[]> end) {
    int length = Math.toIntExact(lengthBytes);
    byte[] atFirst = decides() ? device.disk().bytes(offsetBytes, length) : null;
    SimFaults faults = device.faults();
    inFlight.add(
        new SimIo(
            what + place(device, offsetBytes, lengthBytes),
            faults,
            () -> faults.read(offsetBytes, lengthBytes),
            errno -> {
              byte[] found = atFirst == null ? device.disk().bytes(offsetBytes, length) : atFirst;
              end.accept(found, errno);
            }));
  }

  void startWrite(
      String what,
      SimDevice device,
      long offsetBytes,
      byte[] bytes,
      boolean isFua,
      IntConsumer end) {
    SimDisk.Write write = device.submitWrite(offsetBytes, bytes, isFua);
    inFlight.add(
        new SimIo(
            what + place(device, offsetBytes, bytes.length) + (isFua ? " FUA" : ""),
            device.faults(),
            device.faults()::write,
            errno -> end.accept(device.endWrite(write, bytes.length, errno))));
  }

  void startFlush(String what, SimDevice device, IntConsumer end) {
    SimDisk.Flush flush = device.disk().submitFlush();
    inFlight.add(
        new SimIo(
            what + " " + device,
            device.faults(),
            device.faults()::flush,
            errno -> end.accept(device.endFlush(flush, errno))));
  }

  void startQuestion(String what, SimDevice device, IntConsumer end) {
    SimFaults faults = device.faults();
    inFlight.add(new SimIo(what + " " + device, faults, faults::extents, end));
  }

  /** Something that takes time but does not fail by itself. */
  void startStep(String what, Runnable end) {
    inFlight.add(new SimIo(what, null, () -> Errno.OK, errno -> end.run()));
  }

  private static String place(SimDevice device, long offsetBytes, long lengthBytes) {
    return " " + device + " " + offsetBytes / SECTOR + "+" + lengthBytes / SECTOR;
  }

  // Time.

  /** A second passes: whoever is resumed gets its tick. */
  public void second() {
    log.add("a second passes");
    nowNanos += SECOND_NANOS;
    targets().forEach(SimTarget::second);
  }

  /** Lets time pass up to the first moment that a target wants to be woken at; false if none. */
  public boolean wake() {
    long next = Long.MAX_VALUE;
    for (SimTarget target : targets) {
      next = Math.min(next, target.wakeNanos());
    }
    if (next == Long.MAX_VALUE) {
      return false;
    }
    nowNanos = Math.max(nowNanos, next);
    for (SimTarget target : targets()) {
      if (target.wakeNanos() <= nowNanos) {
        target.wake();
      }
    }
    return true;
  }
}
