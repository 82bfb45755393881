package oxbow.mapped;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** Who joins looks whether the family has failed, and becomes a member afterwards. */
@JCStressTest
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "told by the other thread, or by its own")
@Outcome(expect = Expect.FORBIDDEN, desc = "its requests wait for ever, or it is told again")
@State
public class BrokenOwnerJoinStress {
  private final List<AtomicInteger> members = new CopyOnWriteArrayList<>();
  private final AtomicInteger told = new AtomicInteger();
  private volatile boolean hasFailed;

  @Actor
  public void join() {
    if (hasFailed) {
      told.set(1);
    }
    members.add(told);
  }

  @Actor
  public void fail() {
    hasFailed = true;
    members.forEach(member -> member.set(1));
  }

  @Arbiter
  public void look(I_Result r) {
    r.r1 = told.get();
  }
}
