package oxbow.mapped;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The gate with a release where it needs a volatile write: the look at the gate overtakes it. */
@JCStressTest
@Outcome(
    id = {"0, 0", "0, 1", "1, 1"},
    expect = Expect.ACCEPTABLE,
    desc = "as with the gate")
@Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "inside, and not seen")
@State
public class BrokenSuspendGateStress {
  private static final VarHandle DEPTH;

  static {
    try {
      DEPTH =
          MethodHandles.lookup().findVarHandle(BrokenSuspendGateStress.class, "depth", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("UnusedVariable") // Read and written by the handle.
  private int depth;

  private volatile boolean isOpen = true;

  @Actor
  public void enter(II_Result r) {
    DEPTH.setRelease(this, 1);
    r.r1 = isOpen ? 1 : 0;
    if (r.r1 == 0) {
      DEPTH.setRelease(this, 0);
    }
  }

  @Actor
  public void suspend(II_Result r) {
    isOpen = false;
    r.r2 = (int) DEPTH.getVolatile(this) != 0 ? 1 : 0;
  }
}
