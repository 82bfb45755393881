package oxbow.device.watch;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** Touches of which each thread looks whether it is the first, and only then says so. */
@JCStressTest
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "told once")
@Outcome(expect = Expect.FORBIDDEN, desc = "a touch is lost, or told twice")
@State
public class BrokenFirstTouchesStress {
  private final AtomicLong touched = new AtomicLong();
  private final AtomicInteger told = new AtomicInteger();

  private void touch() {
    if (touched.get() == 0) {
      touched.set(1);
      told.incrementAndGet();
    }
  }

  @Actor
  public void read() {
    touch();
  }

  @Actor
  public void write() {
    touch();
  }

  @Arbiter
  public void look(I_Result r) {
    r.r1 = told.get();
  }
}
