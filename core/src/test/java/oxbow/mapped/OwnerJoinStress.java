package oxbow.mapped;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import oxbow.device.zero.ZeroDevice;
import oxbow.target.Family;
import oxbow.target.TaskPlace;

/** A device is made while its family fails. Result: how often it is told of that. */
@JCStressTest
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "told by the other thread, or by its own")
@Outcome(expect = Expect.FORBIDDEN, desc = "its requests wait for ever, or it is told again")
@State
public class OwnerJoinStress {
  private static final EffectRunner RUNNER =
      new EffectRunner(
          List.of(),
          new Underlying(TaskPlace.NONE),
          new TransferPool(),
          Runnable::run,
          new SilentHost());

  private final Family family = new Family();
  private final AtomicInteger told = new AtomicInteger();
  private final Owner member = owner(() -> {});

  public OwnerJoinStress() {
    member.join();
  }

  private Owner owner(Runnable whenFailed) {
    return new Owner(
        new PeerTarget(family, new ZeroDevice(PeerTarget.SIZE)),
        new SuspendGate(),
        new AtomicLong(),
        RUNNER,
        new Split.Pool((request, errno, nanos) -> {}, ticket -> {}),
        why -> whenFailed.run());
  }

  @Actor
  public void join() {
    owner(told::incrementAndGet).join();
  }

  @Actor
  public void fail() {
    member.fail(new IllegalStateException());
  }

  @Arbiter
  public void look(I_Result r) {
    r.r1 = told.get();
  }
}
