package oxbow.mapped;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import oxbow.mapped.EffectQueue.Effect;
import oxbow.mapped.SuspendGate.Visitor;
import oxbow.target.Job;
import oxbow.target.MessageException;
import oxbow.target.Piece;
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

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Target target;
  private final SuspendGate gate;
  private final AtomicLong requestsInFlight;
  private final EffectRunner runner;

  /** Guarded by {@link #lock}. */
  private long visitsSeen;

  /** Guarded by {@link #lock}. */
  private long lastVisitNanos = System.nanoTime() - BUSY_NANOS;

  Owner(Target target, SuspendGate gate, AtomicLong requestsInFlight, EffectRunner runner) {
    this.target = target;
    this.gate = gate;
    this.requestsInFlight = requestsInFlight;
    this.runner = runner;
  }

  void queue(Piece piece) {
    Visitor self = gate.self();
    lock.lock();
    try {
      look(self);
      target.queue(piece, self.moment, self.effects);
    } finally {
      lock.unlock();
    }
    carryOut(self.effects);
  }

  void ended(Job job, int errno) {
    Visitor self = gate.self();
    lock.lock();
    try {
      look(self);
      target.ended(job, errno, self.moment, self.effects);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    carryOut(self.effects);
  }

  /**
   * Runs a step on this thread: now, or, while the thread carries effects out, after those, so that
   * a step which leads to the next one does not call it ever deeper.
   */
  void step(Runnable step) {
    EffectQueue effects = gate.self().effects;
    effects.step(step);
    carryOut(effects);
  }

  /** For events that are rare. */
  void tell(Event event) throws MessageException {
    Visitor self = gate.self();
    lock.lock();
    try {
      look(self);
      event.tell(self);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    carryOut(self.effects);
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

  private void carryOut(EffectQueue effects) {
    if (effects.isRunning) {
      return;
    }
    effects.isRunning = true;
    try {
      for (Effect effect = effects.poll(); effect != null; effect = effects.poll()) {
        runner.run(effect, this);
        effects.recycle(effect);
      }
    } finally {
      effects.isRunning = false;
    }
  }
}
