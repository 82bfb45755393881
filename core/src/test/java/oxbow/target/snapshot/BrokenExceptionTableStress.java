package oxbow.target.snapshot;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * A table that takes a run apart in its place: single exceptions first, then the run goes. Who
 * looked among the single ones before, and at runs afterwards, finds neither.
 */
@JCStressTest
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "found, in the old place or the new")
@Outcome(id = "1", expect = Expect.FORBIDDEN, desc = "an exception that was there was missed")
@State
public class BrokenExceptionTableStress {
  private static final int SLOTS = 256;

  private final AtomicLong run = new AtomicLong(1);
  private final AtomicLongArray singles = new AtomicLongArray(SLOTS);

  @Actor
  public void own() {
    singles.set(0, 1);
    run.set(0);
  }

  @Actor
  public void ask(I_Result r) {
    r.r1 = isAmongSingles() || run.get() != 0 ? 0 : 1;
  }

  private boolean isAmongSingles() {
    for (int slot = 0; slot < SLOTS; slot++) {
      if (singles.get(slot) != 0) {
        return true;
      }
    }
    return false;
  }
}
