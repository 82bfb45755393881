package oxbow.mapped;

import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.mapped.EffectQueue.Effect;
import oxbow.mapped.Split.SplitPiece;
import oxbow.mapped.SuspendGate.Visitor;
import oxbow.target.Job;
import oxbow.target.MessageException;
import oxbow.target.Target;

/**
 * The one way into a target's core: takes the lock, tells the event, releases the lock, and carries
 * out what the core wants done. The lock is held for as long as a decision takes, never across I/O.
 *
 * <p>A thread that is told of a job's end while it carries out effects (I/O that ended at once)
 * enters the core again, but its new effects join the queue it is working on: depth stays bounded
 * and the order of one thread's effects is the order in which they were decided.
 */
final class Owner {
  /** One event for the core. */
  @FunctionalInterface
  interface Event {
    void tell(Visitor self) throws MessageException;
  }

  /** A user counts as busy until this long after the last request. */
  private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final OwnerFamily family;
  private final DeviceEffects effects = new DeviceEffects(this);
  private final ReentrantLock lock;
  private final Condition changed;
  private final Target target;
  private final SuspendGate gate;
  private final AtomicLong requestsInFlight;
  private final EffectRunner runner;
  private final Split.Pool splits;
  private final Consumer<String> whenFailed;

  /** Guarded by {@link #lock}. */
  private long visitsSeen;

  /** Guarded by {@link #lock}. */
  private boolean hasLeft;

  /** Guarded by {@link #lock}. */
  private long lastVisitNanos = System.nanoTime() - BUSY_NANOS;

  private final AtomicBoolean isFaultTold = new AtomicBoolean();

  /** Work that the frame does for the target; what was skipped after a fault is no part of it. */
  private final AtomicInteger jobs = new AtomicInteger();

  /**
   * @param splits has all pieces that the target may have
   * @param whenFailed told once, and why, when the target has thrown; no lock is held
   */
  Owner(
      Target target,
      SuspendGate gate,
      AtomicLong requestsInFlight,
      EffectRunner runner,
      Split.Pool splits,
      Consumer<String> whenFailed) {
    this.family = OwnerFamily.of(target.family());
    this.lock = family.lock;
    this.changed = family.changed;
    this.target = target;
    this.gate = gate;
    this.requestsInFlight = requestsInFlight;
    this.runner = runner;
    this.splits = splits;
    this.whenFailed = whenFailed;
  }

  /**
   * Begins: the family knows the owner, the target its effects. Not before whoever is told of a
   * fault can hear of it: another thread may fail the family at any time, or has.
   */
  void join() {
    family.add(this);
    tellAlways(self -> target.attach(effects));
  }

  OwnerFamily family() {
    return family;
  }

  /** What the target calls, on any thread that is in its core. */
  DeviceEffects effects() {
    return effects;
  }

  /** The end: nobody enters the core from here on, a timer that is late for one. */
  void leave() {
    lock.lock();
    try {
      hasLeft = true;
      family.remove(this);
    } finally {
      lock.unlock();
    }
  }

  void queue(SplitPiece piece) {
    Visitor self = gate.self();
    piece.giveToTarget();
    lock.lock();
    try {
      if (fault() == null) {
        look(self);
        target.queue(piece, self.moment, effects);
      }
    } catch (RuntimeException | Error broken) {
      note(broken);
    } finally {
      lock.unlock();
    }
    carryOut(family.queue());
  }

  void ended(Job job, int errno) {
    Visitor self = gate.self();
    lock.lock();
    try {
      if (fault() == null) {
        look(self);
        target.ended(job, errno, self.moment, effects);
      }
    } catch (RuntimeException | Error broken) {
      note(broken);
    } finally {
      jobs.decrementAndGet(); // Not before the target knows: close() waits for both.
      changed.signalAll();
      lock.unlock();
    }
    if (fault() != null) {
      drop(job);
    }
    carryOut(family.queue());
  }

  /**
   * Runs a step on this thread: now, or, while the thread carries effects out, after those, so that
   * a step which leads to the next one does not call it ever deeper.
   */
  void step(Runnable step) {
    EffectQueue queue = family.queue();
    queue.step(this, step);
    carryOut(queue);
  }

  /** For events that are rare. A target that has failed, or whose device is closed, is not told. */
  void tell(Event event) throws MessageException {
    Visitor self = gate.self();
    try {
      enter(event, self);
    } finally {
      carryOut(family.queue()); // Also what was noted before a message was refused.
    }
  }

  /** The same for events that are not messages: nothing refuses them. */
  void tellAlways(Event event) {
    try {
      tell(event);
    } catch (MessageException e) {
      throw new IllegalStateException("only messages are refused", e);
    }
  }

  private void enter(Event event, Visitor self) throws MessageException {
    lock.lock();
    try {
      if (fault() == null && !hasLeft) {
        look(self);
        event.tell(self);
      }
    } catch (RuntimeException | Error broken) {
      note(broken);
    } finally {
      changed.signalAll();
      lock.unlock();
    }
  }

  // A target that throws: what it knows cannot be trusted any more, nor what its family makes of
  // it, so none of them is ever entered again. Nothing new is begun for them. What is in flight
  // for one of them ends first, since it uses its requests' memory; then all its requests are
  // answered with an error.

  /** The target has thrown where the caller was not in its core. */
  void fail(Throwable broken) {
    note(broken);
    family.members().forEach(Owner::afterFault);
  }

  /** Why the device has failed; null while it has not. */
  @Nullable String fault() {
    return family.fault();
  }

  /** Whether nothing is in flight for the target any more. */
  boolean hasNoJobs() {
    return jobs.get() <= 0;
  }

  private void note(Throwable broken) {
    lock.lock();
    try {
      if (fault() == null) {
        StackTraceElement[] trace = broken.getStackTrace();
        family.setFault(broken + (trace.length == 0 ? "" : " at " + trace[0]));
        family.members().forEach(member -> member.gate.close());
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private void afterFault() {
    String why = fault();
    if (why != null) {
      if (isFaultTold.compareAndSet(false, true)) {
        whenFailed.accept(why);
      }
      if (hasNoJobs()) {
        splits.failWithTarget(Errno.EIO);
      }
    }
  }

  /** A merge keeps its buffer between its two halves; now there will be no second one. */
  private static void drop(Job job) {
    if (job.frame instanceof Transfer transfer) {
      transfer.drop();
    }
  }

  /** Wakes whoever waits for a condition of the device. */
  void signal() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A view of the target's state, consistent with itself. */
  <T> T ask(java.util.function.Supplier<T> question) {
    lock.lock();
    try {
      return question.get();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Blocks until the condition, looked at under the lock after each event, holds.
   *
   * @return false when the time ran out first
   */
  boolean await(java.util.function.BooleanSupplier condition, long timeoutNanos) {
    long deadline = System.nanoTime() + timeoutNanos;
    lock.lock();
    try {
      while (!condition.getAsBoolean()) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        // Not every change is signalled (a visitor leaves without a lock): look again soon.
        changed.awaitNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(20)));
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void look(Visitor self) {
    long now = System.nanoTime();
    long visits = gate.visits();
    if (visits != visitsSeen) {
      visitsSeen = visits;
      lastVisitNanos = now;
    }
    boolean isBusy = requestsInFlight.get() > 0 || now - lastVisitNanos < BUSY_NANOS;
    self.moment.set(now, isBusy);
  }

  /** Works off what this thread has noted; each effect is carried out by its own device. */
  private void carryOut(EffectQueue queue) {
    if (queue.isRunning) {
      return;
    }
    queue.isRunning = true;
    try {
      for (Effect effect = queue.poll(); effect != null; effect = queue.poll()) {
        Objects.requireNonNull(effect.owner).carryOut(effect);
        queue.recycle(effect);
      }
    } finally {
      queue.isRunning = false;
    }
    if (fault() != null) {
      family.members().forEach(Owner::afterFault);
    }
  }

  /**
   * The job is counted before the fault is looked at, and a fault is noted before the jobs are
   * counted: so nobody's request is answered while a job with its memory begins.
   */
  private void carryOut(Effect effect) {
    boolean isJob = effect.kind.isJob();
    if (isJob) {
      jobs.incrementAndGet();
    }
    if (fault() != null && effect.kind != EffectQueue.Kind.STEP) {
      if (isJob) {
        jobs.decrementAndGet();
        drop(Objects.requireNonNull(effect.job));
      }
      return;
    }
    try {
      runner.run(effect, this);
    } catch (RuntimeException | Error broken) {
      if (isJob) {
        jobs.decrementAndGet();
      }
      note(broken);
    }
  }
}
