package oxbow.mapped;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Looks whether the family has failed, and counts the job afterwards. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "the job is waited for")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "nothing was begun")
@Outcome(id = "1, 1", expect = Expect.FORBIDDEN, desc = "answered while its memory is in use")
@Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "never answered")
@State
public class BrokenOwnerFaultStress {
  private final AtomicInteger jobs = new AtomicInteger();
  private final AtomicInteger answered = new AtomicInteger();
  private volatile boolean hasFailed;

  @Actor
  public void request() {
    if (!hasFailed) {
      jobs.incrementAndGet();
    }
    if (hasFailed) {
      afterFault();
    }
  }

  @Actor
  public void fail() {
    hasFailed = true;
    afterFault();
  }

  private void afterFault() {
    if (jobs.get() == 0) {
      answered.set(1);
    }
  }

  @Arbiter
  public void look(II_Result r) {
    r.r1 = jobs.get();
    r.r2 = answered.get();
  }
}
