package oxbow.target.bow;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * B3: what a block held has been saved before its bit says that writes may pass. Results: what a
 * write without a lock finds of the bit; of what was done before.
 */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "a write passed before its block was saved")
@Outcome(expect = Expect.ACCEPTABLE, desc = "queued, or passed after the block was saved")
@State
public class BlockBitsStress {
  private static final int BLOCK = 65;

  private final BlockBits bits = new BlockBits(128);
  private int saved;

  @Actor
  public void own() {
    saved = 1;
    bits.put(true, BLOCK - 2, BLOCK + 2);
  }

  @Actor
  public void write(II_Result r) {
    r.r1 = bits.next(true, BLOCK, BLOCK + 1) == BLOCK ? 1 : 0;
    r.r2 = saved;
  }
}
