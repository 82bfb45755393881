package oxbow.mapped;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import oxbow.block.BlockDevice;
import oxbow.block.IoCounts;
import oxbow.block.Limits;

/**
 * What a device is made of: targets laid end to end. Fixed; a device gets another table instead.
 *
 * <p>The targets' own gates say when requests may pass; questions that pass no gate are counted
 * here, so that nothing is closed under them.
 */
public final class Table {
  /** A target and where it begins. */
  public record Segment(long startBytes, MappedDevice target) {
    long endBytes() {
      return startBytes + target.sizeBytes();
    }
  }

  private static final long QUESTION_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final List<Segment> segments;
  private final Limits limits;
  private final AtomicInteger questions = new AtomicInteger();

  /**
   * @param targets suspended, at least one; they are the table's to close
   */
  public Table(List<MappedDevice> targets) {
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("a table without targets");
    }
    List<Segment> laid = new ArrayList<>();
    long at = 0;
    for (MappedDevice target : targets) {
      laid.add(new Segment(at, target));
      at += target.sizeBytes();
    }
    this.segments = List.copyOf(laid);
    this.limits = targets.stream().map(MappedDevice::limits).reduce(Table::both).orElseThrow();
  }

  /** What holds for both parts of a device. */
  private static Limits both(Limits a, Limits b) {
    return new Limits(
        a.isReadOnly() || b.isReadOnly(),
        Math.max(a.blockSizeBytes(), b.blockSizeBytes()),
        a.canDiscard() && b.canDiscard(),
        Math.min(a.maxDiscardBytes(), b.maxDiscardBytes()),
        a.discardReadsZeros() && b.discardReadsZeros(),
        a.canWriteZeroesFast() && b.canWriteZeroesFast(),
        a.hasVolatileCache() || b.hasVolatileCache());
  }

  /** In order; they touch. */
  public List<Segment> segments() {
    return segments;
  }

  public long sizeBytes() {
    return segments.getLast().endBytes();
  }

  public Limits limits() {
    return limits;
  }

  /** Whether one target is the whole device. */
  boolean isSingle() {
    return segments.size() == 1;
  }

  /**
   * The target that a byte belongs to.
   *
   * @param offsetBytes within the device
   */
  public Segment at(long offsetBytes) {
    int low = 0;
    int high = segments.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (segments.get(middle).startBytes() <= offsetBytes) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return segments.get(low);
  }

  /** The devices underneath, each once. */
  List<BlockDevice> below() {
    return segments.stream().flatMap(each -> each.target().below().stream()).distinct().toList();
  }

  /** Adds what has become of its targets' requests so far; all of them once it is suspended. */
  void addCounts(IoCounts sum) {
    segments.forEach(each -> each.target().addCounts(sum));
  }

  /**
   * A question begins; ended with {@link #answered}. Who asks makes sure that the table is live.
   */
  void asked() {
    questions.incrementAndGet();
  }

  void answered() {
    if (questions.decrementAndGet() == 0) {
      synchronized (this) {
        notifyAll();
      }
    }
  }

  /**
   * Closes the targets, not the devices underneath. Only while suspended, or when it never was
   * live, and nobody asks it anything new. Blocks until what was asked is answered.
   *
   * @throws IOException when something does not end; then what it needs has not been released
   */
  public void close() throws IOException {
    awaitAnswers();
    IOException failure = null;
    for (Segment each : segments.reversed()) {
      try {
        each.target().close();
      } catch (IOException unfinished) {
        failure = unfinished;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private synchronized void awaitAnswers() throws IOException {
    long deadline = System.nanoTime() + QUESTION_PATIENCE_NANOS;
    while (questions.get() > 0) {
      long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (leftMillis <= 0) {
        throw new IOException("questions about extents have not been answered");
      }
      try {
        wait(leftMillis);
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", stopped);
      }
    }
  }
}
