package oxbow.nbd.server;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import oxbow.block.BlockRequest;

/** The stack without its compare-and-set: a request that completes meanwhile is lost. */
@JCStressTest
@Outcome(id = "2", expect = Expect.ACCEPTABLE, desc = "both are there")
@Outcome(expect = Expect.FORBIDDEN, desc = "one is lost")
@State
public class BrokenCompletedTogetherStress {
  private volatile @Nullable BlockRequest newest;

  private void push(BlockRequest request) {
    request.next = newest;
    newest = request;
  }

  @Actor
  public void complete() {
    push(new BlockRequest());
  }

  @Actor
  public void completeToo() {
    push(new BlockRequest());
  }

  @Arbiter
  public void count(I_Result r) {
    r.r1 = CompletedRequestsStress.count(newest);
  }
}
