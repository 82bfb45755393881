package oxbow.engine;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Work is noted, then the task is posted, while an earlier post is about to run. Either the run
 * sees the work, or the post counts. Results: whether it counted, whether the run saw the work.
 */
@JCStressTest
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "the run that was due sees the work")
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "too late for that run: another one")
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "seen, and another run for nothing")
@Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "nobody will ever see the work")
@State
public class LoopTaskStress {
  private int work;
  private int seen;

  private final LoopTask task =
      new LoopTask() {
        @Override
        protected void run() {
          seen = work;
        }
      };

  public LoopTaskStress() {
    task.markPosted();
  }

  @Actor
  public void post(II_Result r) {
    work = 1;
    r.r1 = task.markPosted() ? 1 : 0;
  }

  @Actor
  public void run(II_Result r) {
    task.begin();
    r.r2 = seen;
  }
}
