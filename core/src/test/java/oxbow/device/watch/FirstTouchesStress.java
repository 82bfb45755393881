package oxbow.device.watch;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import oxbow.block.Operation;

/** Two threads touch the same two blocks for the first time. Result: blocks that are told. */
@JCStressTest
@Outcome(id = "2", expect = Expect.ACCEPTABLE, desc = "each once")
@Outcome(expect = Expect.FORBIDDEN, desc = "a touch is lost, or told twice")
@State
public class FirstTouchesStress {
  private final FirstTouches touches = new FirstTouches(4096 * 64);

  @Actor
  public void read() {
    touches.accessed(Operation.READ, 4096 * 3, 4096 * 2);
  }

  @Actor
  public void write() {
    touches.accessed(Operation.WRITE, 4096 * 3, 4096 * 2);
  }

  @Arbiter
  public void look(I_Result r) {
    touches.drain((offset, length) -> r.r1 += (int) (length / 4096));
  }
}
