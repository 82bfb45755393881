package oxbow.device.watch;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import oxbow.block.Operation;

/** Marks that are set when the write has ended. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "a user's write is taken for damage")
@Outcome(expect = Expect.ACCEPTABLE, desc = "the copy, or a write that is known")
@State
public class BrokenWriteMarksStress {
  private final WriteMarks marks = new WriteMarks(4096 * 64, 4096);
  private volatile int contents;

  @Actor
  public void write() {
    contents = 1;
    marks.accessed(Operation.WRITE, 4096 * 3, 4096);
  }

  @Actor
  public void verify(II_Result r) {
    r.r1 = contents;
    r.r2 = marks.isMarked(3) ? 1 : 0;
  }
}
