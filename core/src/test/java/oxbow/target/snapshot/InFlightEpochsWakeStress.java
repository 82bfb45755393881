package oxbow.target.snapshot;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import oxbow.target.InFlightEpochs;

/**
 * The last I/O leaves while the core begins to wait. Results: whether the core is woken; whether
 * its wait was over at once.
 */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "the core sleeps for ever")
@Outcome(expect = Expect.ACCEPTABLE, desc = "over at once, or woken")
@State
public class InFlightEpochsWakeStress {
  private final InFlightEpochs epochs = new InFlightEpochs();
  private final int ticket = epochs.enter();

  @Actor
  public void end(II_Result r) {
    r.r1 = epochs.leave(ticket) ? 1 : 0;
  }

  @Actor
  public void own(II_Result r) {
    r.r2 = epochs.isOver(epochs.await()) ? 1 : 0;
  }
}
