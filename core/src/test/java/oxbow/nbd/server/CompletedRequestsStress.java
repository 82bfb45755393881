package oxbow.nbd.server;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import oxbow.block.BlockRequest;

/**
 * Two requests complete while the loop takes what is there. None is lost or taken twice, and of
 * each batch exactly one wakes the loop. Results: wake-ups, taken by the loop, left for its next
 * turn.
 */
@JCStressTest
@Outcome(id = "1, 0, 2", expect = Expect.ACCEPTABLE, desc = "both after the loop had looked")
@Outcome(id = "1, 2, 0", expect = Expect.ACCEPTABLE, desc = "both before")
@Outcome(id = "2, 1, 1", expect = Expect.ACCEPTABLE, desc = "one before, one after")
@Outcome(expect = Expect.FORBIDDEN, desc = "lost, taken twice, or not told")
@State
public class CompletedRequestsStress {
  private final CompletedRequests completed = new CompletedRequests();
  private final BlockRequest first = new BlockRequest();
  private final BlockRequest second = new BlockRequest();
  private boolean hasFirstWoken;
  private boolean hasSecondWoken;

  @Actor
  public void complete() {
    hasFirstWoken = completed.push(first);
    hasSecondWoken = completed.push(second);
  }

  @Actor
  public void take(III_Result r) {
    r.r2 = count(completed.takeAll());
  }

  @Arbiter
  public void next(III_Result r) {
    r.r1 = (hasFirstWoken ? 1 : 0) + (hasSecondWoken ? 1 : 0);
    r.r3 = count(completed.takeAll());
  }

  static int count(@Nullable BlockRequest oldestFirst) {
    int count = 0;
    for (BlockRequest request = oldestFirst; request != null; request = request.next) {
      count++;
    }
    return count;
  }
}
