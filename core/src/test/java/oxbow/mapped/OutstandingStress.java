package oxbow.mapped;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** A request is submitted while a second passes. Result: how many have not ended. */
@JCStressTest
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "counted, in the old interval or the new")
@Outcome(expect = Expect.FORBIDDEN, desc = "nobody will ever see that it hangs")
@State
public class OutstandingStress {
  private final Outstanding outstanding = new Outstanding();

  @Actor
  public void submit() {
    outstanding.enter();
  }

  @Actor
  public void tick() {
    outstanding.tick(1);
  }

  @Arbiter
  public void look(I_Result r) {
    r.r1 = (int) outstanding.count();
  }
}
