package oxbow.target.snapshot;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import oxbow.target.InFlightEpochs;

/**
 * R2: a read enters, then looks into the table; the core puts an exception, then waits, as it has
 * done before. Results: whether the wait was over although the read never left; whether the read
 * goes to the origin.
 */
@JCStressTest
@Outcome(id = "1, 1", expect = Expect.FORBIDDEN, desc = "a read of the origin was not waited for")
@Outcome(expect = Expect.ACCEPTABLE, desc = "waited for, or read from the store")
@State
public class InFlightEpochsStress {
  private final ExceptionTable table = new ExceptionTable(1);
  private final InFlightEpochs epochs = new InFlightEpochs();

  @Actor
  public void own(II_Result r) {
    epochs.await();
    table.put(0, 1, 1);
    r.r1 = epochs.isOver(epochs.await()) ? 1 : 0;
  }

  @Actor
  public void read(II_Result r) {
    epochs.enter();
    r.r2 = table.get(0) == ExceptionTable.NONE ? 1 : 0;
  }
}
