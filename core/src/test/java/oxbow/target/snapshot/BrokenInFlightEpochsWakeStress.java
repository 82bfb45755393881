package oxbow.target.snapshot;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Who leaves looks whether somebody waits, and subtracts afterwards. */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "the core sleeps for ever")
@Outcome(expect = Expect.ACCEPTABLE, desc = "over at once, or woken")
@State
public class BrokenInFlightEpochsWakeStress {
  private final AtomicInteger count = new AtomicInteger(1);
  private volatile boolean isAwaited;

  @Actor
  public void end(II_Result r) {
    boolean mustWake = isAwaited;
    r.r1 = count.decrementAndGet() == 0 && mustWake ? 1 : 0;
  }

  @Actor
  public void own(II_Result r) {
    isAwaited = true;
    r.r2 = count.get() == 0 ? 1 : 0;
  }
}
