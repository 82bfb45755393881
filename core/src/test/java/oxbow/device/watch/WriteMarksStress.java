package oxbow.device.watch;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import oxbow.block.Operation;

/**
 * A user's write is marked, then done, while the block is read back, and then asked about. Results:
 * whether the read met the change, whether there is a mark.
 */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "a user's write is taken for damage")
@Outcome(expect = Expect.ACCEPTABLE, desc = "the copy, or a write that is known")
@State
public class WriteMarksStress {
  private final WriteMarks marks = new WriteMarks(4096 * 64, 4096);
  private int contents;

  @Actor
  public void write() {
    marks.accessed(Operation.WRITE, 4096 * 3, 4096);
    contents = 1;
  }

  @Actor
  public void verify(II_Result r) {
    r.r1 = contents;
    r.r2 = marks.isMarked(3) ? 1 : 0;
  }
}
