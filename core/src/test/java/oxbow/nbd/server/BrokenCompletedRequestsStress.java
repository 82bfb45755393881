package oxbow.nbd.server;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import oxbow.block.BlockRequest;

/** The loop looks what is there, then forgets all that is: also what has come in between. */
@JCStressTest
@Outcome(id = "1, 0, 2", expect = Expect.ACCEPTABLE, desc = "both after the loop had looked")
@Outcome(id = "1, 2, 0", expect = Expect.ACCEPTABLE, desc = "both before")
@Outcome(id = "2, 1, 1", expect = Expect.ACCEPTABLE, desc = "one before, one after")
@Outcome(expect = Expect.FORBIDDEN, desc = "lost, taken twice, or not told")
@State
public class BrokenCompletedRequestsStress {
  private final AtomicReference<@Nullable BlockRequest> newest = new AtomicReference<>();
  private final BlockRequest first = new BlockRequest();
  private final BlockRequest second = new BlockRequest();
  private boolean hasFirstWoken;
  private boolean hasSecondWoken;

  @Actor
  public void complete() {
    hasFirstWoken = push(first);
    hasSecondWoken = push(second);
  }

  private boolean push(BlockRequest request) {
    BlockRequest before;
    do {
      before = newest.get();
      request.next = before;
    } while (!newest.compareAndSet(before, request));
    return before == null;
  }

  @Actor
  public void take(III_Result r) {
    BlockRequest taken = newest.get();
    r.r2 = CompletedRequestsStress.count(taken);
    newest.set(null);
  }

  @Arbiter
  public void next(III_Result r) {
    r.r1 = (hasFirstWoken ? 1 : 0) + (hasSecondWoken ? 1 : 0);
    r.r3 = CompletedRequestsStress.count(newest.get());
  }
}
