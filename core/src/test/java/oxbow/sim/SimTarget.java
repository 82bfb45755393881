package oxbow.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.sim.SimRequest.SimPiece;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Target;

/**
 * A target as a device, and a user who sends it requests. It begins suspended; requests that come
 * while it is suspended are held. What takes time, a suspend or a removal, too, goes on as what is
 * in flight in the {@link SimFrame} ends.
 */
public final class SimTarget {
  /** Where its life stands; see {@code oxbow.mapped.MappedDevice}. */
  private enum State {
    RESUMED,
    /** Requests are held, those in flight are waited for. */
    DRAINING,
    /** The target has been told to end its own work. */
    SUSPENDING,
    SUSPENDED,
    /** The target leaves its family and ends what is left. */
    REMOVING,
    REMOVED
  }

  private final SimFrame frame;
  private final String name;
  private final Target target;
  private final SimEffects effects;
  private final Mapping mapping = new Mapping();
  private final List<SimRequest> held = new ArrayList<>();
  private final TreeSet<Long> wakes = new TreeSet<>();
  private final List<String> events = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private State state = State.SUSPENDED;
  private int requestsInFlight;
  private int jobsInFlight;

  SimTarget(SimFrame frame, String name, Target target) {
    this.frame = frame;
    this.name = name;
    this.target = target;
    effects = new SimEffects(frame, this);
    target.attach(effects);
  }

  public String name() {
    return name;
  }

  public Target target() {
    return target;
  }

  public int sectors() {
    return Math.toIntExact(target.lengthBytes() / SimFrame.SECTOR);
  }

  public String status() {
    return target.status();
  }

  /** Why events were raised, in order. */
  public List<String> events() {
    return events;
  }

  public List<String> warnings() {
    return warnings;
  }

  @Override
  public String toString() {
    return name;
  }

  // The user.

  /** Sends a WRITE with new stamps. */
  public SimRequest write(int firstSector, int sectors) {
    return submit(Operation.WRITE, firstSector, sectors, 0);
  }

  public SimRequest writeFua(int firstSector, int sectors) {
    return submit(Operation.WRITE, firstSector, sectors, Flags.FUA);
  }

  public SimRequest read(int firstSector, int sectors) {
    return submit(Operation.READ, firstSector, sectors, 0);
  }

  public SimRequest zero(int firstSector, int sectors) {
    return submit(Operation.WRITE_ZEROES, firstSector, sectors, 0);
  }

  public SimRequest discard(int firstSector, int sectors) {
    return submit(Operation.DISCARD, firstSector, sectors, 0);
  }

  public SimRequest flush() {
    return submit(Operation.FLUSH, 0, 0, 0);
  }

  /** Sends a request; the device must not be removed. */
  public SimRequest submit(Operation operation, int firstSector, int sectors, int flags) {
    if (state == State.REMOVED || state == State.REMOVING) {
      throw new IllegalStateException(name + " has been removed");
    }
    int stamp = operation == Operation.WRITE ? frame.takeStamps(sectors) : 0;
    SimRequest request = new SimRequest(this, operation, firstSector, sectors, stamp, flags);
    frame.listener().sending(request);
    frame.log().add("> " + request);
    if (state == State.RESUMED) {
      begin(request);
    } else {
      held.add(request);
    }
    return request;
  }

  /** The frame's work: maps, splits, and sends what memory can decide. */
  private void begin(SimRequest request) {
    requestsInFlight++;
    long at = request.offsetBytes();
    long end = request.endBytes();
    do {
      target.map(request.operation(), at, end - at, request.flags(), mapping);
      long length = mapping.lengthBytes();
      if (length > end - at || (length < 1 && request.operation() != Operation.FLUSH)) {
        throw new AssertionError(name + " accepts " + length + " bytes of " + request);
      }
      SimPiece piece = request.piece(at, length);
      if (mapping.isRemap()) {
        effects.send(piece, mapping.slot(), mapping.offsetBytes(), mapping.ticket());
      } else if (mapping.isQueue()) {
        queue(piece);
      } else {
        end(piece, mapping.errno());
      }
      at += length;
    } while (at < end);
    if (request.ended(Errno.OK)) {
      answer(request);
    }
  }

  private void queue(SimPiece piece) {
    piece.giveToTarget();
    if (frame.decides()) {
      frame.startStep(name + ": queue " + piece, () -> enter(piece));
    } else {
      enter(piece);
    }
  }

  private void enter(SimPiece piece) {
    frame.tell(now -> target.queue(piece, now, effects));
  }

  /** A piece has ended, and perhaps its request with it. */
  void end(SimPiece piece, int errno) {
    if (piece.request().ended(piece, errno)) {
      answer(piece.request());
    }
  }

  private void answer(SimRequest request) {
    requestsInFlight--;
    frame.log().add("< " + request);
    frame.listener().answering(request);
  }

  // Its life.

  /** Begins, or goes on; held requests are taken up in their order. */
  public void resume() {
    if (state != State.SUSPENDED) {
      throw new IllegalStateException(name + " is " + state);
    }
    frame.log().add(name + ": resume");
    frame.tell(now -> target.resume(now, effects));
    state = State.RESUMED;
    List<SimRequest> all = List.copyOf(held);
    held.clear();
    all.forEach(this::begin);
  }

  /** Begins to suspend; {@link #isSuspended} tells when that has ended. */
  public void suspend() {
    if (state != State.RESUMED) {
      throw new IllegalStateException(name + " is " + state);
    }
    frame.log().add(name + ": suspend");
    state = State.DRAINING;
    frame.tell(now -> target.presuspend(now, effects));
  }

  public boolean isResumed() {
    return state == State.RESUMED;
  }

  public boolean isSuspended() {
    return state == State.SUSPENDED;
  }

  /** Begins to remove the device, which must be suspended; no request may be held. */
  public void remove() {
    if (state != State.SUSPENDED || !held.isEmpty()) {
      throw new IllegalStateException(name + " is " + state + ", held: " + held);
    }
    frame.log().add(name + ": remove");
    state = State.REMOVING;
    frame.tell(now -> target.remove(now, effects));
  }

  public boolean isRemoved() {
    return state == State.REMOVED;
  }

  /** Takes the next step of a suspend or a removal if it is due; whether it has. */
  boolean advance() {
    if (state == State.DRAINING && requestsInFlight == 0) {
      state = State.SUSPENDING;
      frame.tell(now -> target.suspend(now, effects));
      return true;
    }
    if (state == State.SUSPENDING && target.isSuspended()) {
      state = State.SUSPENDED;
    }
    if (state == State.REMOVING && target.isRemoved() && jobsInFlight == 0) {
      state = State.REMOVED;
      wakes.clear();
      target.close();
    }
    return false;
  }

  /** Sends a message, whose answer is returned. */
  public String message(String... words) throws MessageException {
    String[] answer = {""};
    MessageException[] refusal = new MessageException[1];
    frame.tell(
        now -> {
          try {
            answer[0] = target.message(List.of(words), now, effects);
          } catch (MessageException refused) {
            refusal[0] = refused;
          }
        });
    if (refusal[0] != null) {
      throw refusal[0];
    }
    return answer[0];
  }

  // What the frame tells.

  void second() {
    if (state == State.RESUMED) {
      frame.tell(now -> target.everySecond(now, effects));
    }
  }

  void wakeAt(long nanos) {
    wakes.add(nanos);
  }

  /** The next time it wants to be woken at; Long.MAX_VALUE for never. */
  long wakeNanos() {
    return wakes.isEmpty() ? Long.MAX_VALUE : wakes.first();
  }

  /** The next of these times has come. */
  void wake() {
    wakes.pollFirst();
    wakeNow();
  }

  private void wakeNow() {
    frame.tell(now -> target.wake(now, effects));
  }

  /** I/O that was sent with a ticket has ended. */
  void giveBack(int ticket) {
    if (ticket != Mapping.NO_TICKET && target.endIo(ticket)) {
      wakeNow();
    }
  }

  void jobBegins() {
    jobsInFlight++;
  }

  /** Tells the core of a job's end. */
  void ended(Job job, int errno) {
    jobsInFlight--;
    frame.tell(now -> target.ended(job, errno, now, effects));
  }

  void raise(String why) {
    events.add(why);
    frame.log().add("event of " + name + ": " + why);
    frame.listener().raised(this, why);
  }

  /** The disk in a slot. */
  SimDevice device(int slot) {
    return (SimDevice) target.devices().get(slot);
  }
}
