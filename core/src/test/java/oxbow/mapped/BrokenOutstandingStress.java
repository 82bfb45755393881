package oxbow.mapped;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** An account that keeps an interval only if somebody is in it already: who comes late is lost. */
@JCStressTest
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "counted, in the old interval or the new")
@Outcome(expect = Expect.FORBIDDEN, desc = "nobody will ever see that it hangs")
@State
public class BrokenOutstandingStress {
  private volatile AtomicInteger current = new AtomicInteger();
  private final ArrayDeque<AtomicInteger> earlier = new ArrayDeque<>();

  @Actor
  public void submit() {
    current.incrementAndGet();
  }

  @Actor
  public void tick() {
    AtomicInteger last = current;
    if (last.get() > 0) {
      earlier.add(last);
    }
    current = new AtomicInteger();
  }

  @Arbiter
  public void look(I_Result r) {
    r.r1 = current.get() + earlier.stream().mapToInt(AtomicInteger::get).sum();
  }
}
