package oxbow.mapped;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import oxbow.block.IoCounts;
import oxbow.target.Mapping;
import oxbow.target.Moment;

/**
 * Lets threads through while the device is resumed, and tells when none is inside any more. Each
 * thread announces itself in a cell of its own, so that passing costs no shared write.
 *
 * <p>Why it is safe: a thread writes its cell, then reads {@code isOpen}; suspend writes {@code
 * isOpen}, then reads the cells; all four are volatile, so at least one of the two sees the other.
 */
final class SuspendGate {
  /** What a thread keeps for its visits to one device. */
  static final class Visitor {
    private static final VarHandle DEPTH;

    static {
      try {
        DEPTH = MethodHandles.lookup().findVarHandle(Visitor.class, "depth", int.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    final Mapping mapping = new Mapping();
    final Moment moment = new Moment();

    /** Requests that this thread has answered; written by it only. */
    final IoCounts counts = new IoCounts();

    /** Visits now nested in this thread: a completion may come back in with a new request. */
    private int depth;

    /** Requests served; written by this thread only, read by others as a sign of life. */
    private long visits;

    void leave() {
      DEPTH.setRelease(this, depth - 1);
    }
  }

  /**
   * Weak: only its thread keeps a visitor, and threads come and go while a device stays. What they
   * have counted is kept.
   */
  private static final class Known extends WeakReference<Visitor> {
    final IoCounts counts;

    Known(Visitor visitor) {
      super(visitor);
      counts = visitor.counts;
    }
  }

  /** Changed under the lock of {@link #gone}. */
  private final List<Known> visitors = new CopyOnWriteArrayList<>();

  /** What threads have counted that are known no more; guarded by itself. */
  private final IoCounts gone = new IoCounts();

  private final ThreadLocal<Visitor> visitor;
  private volatile boolean isOpen;

  SuspendGate() {
    this.visitor = ThreadLocal.withInitial(this::admit);
  }

  private Visitor admit() {
    Visitor created = new Visitor();
    synchronized (gone) {
      List<Known> ended = visitors.stream().filter(each -> each.refersTo(null)).toList();
      ended.forEach(each -> each.counts.addTo(gone));
      visitors.removeAll(ended);
      visitors.add(new Known(created));
    }
    return created;
  }

  /** Adds what all threads have counted to a sum. */
  void addCounts(IoCounts sum) {
    synchronized (gone) {
      gone.addTo(sum);
      visitors.forEach(each -> each.counts.addTo(sum));
    }
  }

  /** The calling thread's visitor, without entering. */
  Visitor self() {
    return visitor.get();
  }

  /** Enters, or answers null while closed. Each entry is left again. */
  @Nullable Visitor enter() {
    Visitor self = visitor.get();
    Visitor.DEPTH.setVolatile(self, self.depth + 1);
    if (isOpen || self.depth > 1) {
      self.visits++;
      return self;
    }
    self.leave();
    return null;
  }

  void open() {
    isOpen = true;
  }

  /** From here on nobody enters; those inside may still be. */
  void close() {
    isOpen = false;
  }

  boolean isOpen() {
    return isOpen;
  }

  /** Whether a thread other than the caller is inside. Visits are short: memory and cached data. */
  boolean hasVisitors() {
    Visitor self = visitor.get();
    for (Known each : visitors) {
      Visitor other = each.get();
      if (other != null && other != self && (int) Visitor.DEPTH.getVolatile(other) != 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * Changes when anyone has entered since the last call, or a thread has gone; exact only for its
   * own thread.
   */
  long visits() {
    long sum = 0;
    for (Known each : visitors) {
      Visitor visitor = each.get();
      sum += visitor == null ? 0 : visitor.visits;
    }
    return sum;
  }

  /** Threads that have come by and may still live. */
  int visitorCount() {
    return visitors.size();
  }
}
