package oxbow.mapped;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A thread that came in is seen by whoever has closed the gate. */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "closed first")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "seen while it was turned away")
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "inside, and seen")
@Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "inside, and not seen")
@State
public class SuspendGateStress {
  private final SuspendGate gate = new SuspendGate();

  /** Keeps the visitor when its thread ends: no real thread ends inside. */
  private SuspendGate.@Nullable Visitor inside;

  public SuspendGateStress() {
    gate.open();
  }

  @Actor
  public void enter(II_Result r) {
    inside = gate.enter();
    r.r1 = inside == null ? 0 : 1;
  }

  @Actor
  public void suspend(II_Result r) {
    gate.close();
    r.r2 = gate.hasVisitors() ? 1 : 0;
  }
}
