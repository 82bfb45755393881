package oxbow.target.snapshot;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Epochs that a wait exchanges without seeing first that the other one is empty: a read that was
 * late to enter, and is in the epoch that was not current, is missed.
 */
@JCStressTest
@Outcome(id = "1, 1", expect = Expect.FORBIDDEN, desc = "a read of the origin was not waited for")
@Outcome(expect = Expect.ACCEPTABLE, desc = "waited for, or read from the store")
@State
public class BrokenInFlightEpochsStress {
  private final AtomicIntegerArray counts = new AtomicIntegerArray(2);
  private final AtomicInteger current = new AtomicInteger();
  private volatile int stored;

  @Actor
  public void own(II_Result r) {
    boolean isFirstOver = isOverAtOnce();
    stored = 1;
    r.r1 = isOverAtOnce() && isFirstOver ? 1 : 0;
  }

  @Actor
  public void read(II_Result r) {
    counts.incrementAndGet(current.get());
    r.r2 = stored == 0 ? 1 : 0;
  }

  private boolean isOverAtOnce() {
    int former = current.get();
    current.set(1 - former);
    return counts.get(former) == 0;
  }
}
