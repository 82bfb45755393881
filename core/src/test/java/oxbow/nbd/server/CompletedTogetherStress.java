package oxbow.nbd.server;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import oxbow.block.BlockRequest;

/** Two requests complete at once. Results: wake-ups, taken by the loop. */
@JCStressTest
@Outcome(id = "1, 2", expect = Expect.ACCEPTABLE, desc = "one wakes the loop for both")
@Outcome(expect = Expect.FORBIDDEN, desc = "lost, or not told once")
@State
public class CompletedTogetherStress {
  private final CompletedRequests completed = new CompletedRequests();
  private boolean hasFirstWoken;
  private boolean hasSecondWoken;

  @Actor
  public void complete() {
    hasFirstWoken = completed.push(new BlockRequest());
  }

  @Actor
  public void completeToo() {
    hasSecondWoken = completed.push(new BlockRequest());
  }

  @Arbiter
  public void take(II_Result r) {
    r.r1 = (hasFirstWoken ? 1 : 0) + (hasSecondWoken ? 1 : 0);
    r.r2 = CompletedRequestsStress.count(completed.takeAll());
  }
}
