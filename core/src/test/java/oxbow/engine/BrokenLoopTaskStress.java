package oxbow.engine;

import java.util.concurrent.atomic.AtomicBoolean;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A task that lets posts count only after it has run: what comes meanwhile is never seen. */
@JCStressTest
@Outcome(
    id = {"0, 1", "1, 0", "1, 1"},
    expect = Expect.ACCEPTABLE,
    desc = "as with the task")
@Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "nobody will ever see the work")
@State
public class BrokenLoopTaskStress {
  private final AtomicBoolean isPosted = new AtomicBoolean(true);
  private int work;

  @Actor
  public void post(II_Result r) {
    work = 1;
    r.r1 = isPosted.compareAndSet(false, true) ? 1 : 0;
  }

  @Actor
  public void run(II_Result r) {
    r.r2 = work;
    isPosted.set(false);
  }
}
