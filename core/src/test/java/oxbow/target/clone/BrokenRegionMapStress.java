package oxbow.target.clone;

import java.util.concurrent.atomic.AtomicLongArray;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** A map whose count is told before its bits are: complete while regions are missing. */
@JCStressTest
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "complete, or said not to be")
@Outcome(id = "1", expect = Expect.FORBIDDEN, desc = "said to be complete, and is not")
@State
public class BrokenRegionMapStress {
  private static final int WORDS = 64;

  private volatile int count;
  private final AtomicLongArray words = new AtomicLongArray(WORDS);

  @Actor
  public void own() {
    count = WORDS * Long.SIZE;
    for (int i = 0; i < WORDS; i++) {
      words.set(i, -1L);
    }
  }

  @Actor
  public void ask(I_Result r) {
    r.r1 = count == WORDS * Long.SIZE && words.get(WORDS - 1) != -1L ? 1 : 0;
  }
}
