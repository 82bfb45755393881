package oxbow.target.bow;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The bit is set first: a write may pass, and overwrite what has not been saved. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "a write passed before its block was saved")
@Outcome(expect = Expect.ACCEPTABLE, desc = "queued, or passed after the block was saved")
@State
public class BrokenBlockBitsStress {
  private static final int BLOCK = 65;

  private final BlockBits bits = new BlockBits(128);
  private int saved;

  @Actor
  public void own() {
    bits.put(true, BLOCK - 2, BLOCK + 2);
    saved = 1;
  }

  @Actor
  public void write(II_Result r) {
    r.r1 = bits.next(true, BLOCK, BLOCK + 1) == BLOCK ? 1 : 0;
    r.r2 = saved;
  }
}
