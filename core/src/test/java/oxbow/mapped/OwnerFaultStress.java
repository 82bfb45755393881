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
import org.openjdk.jcstress.infra.results.II_Result;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.zero.ZeroDevice;
import oxbow.target.Family;
import oxbow.target.TaskPlace;

/**
 * A request comes to a device, whose target begins a job with it, while another of the family
 * throws. Results: whether the job has begun, which never ends here; whether the request was
 * answered.
 */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "the job is waited for")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "nothing was begun")
@Outcome(id = "1, 1", expect = Expect.FORBIDDEN, desc = "answered while its memory is in use")
@Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "never answered")
@State
public class OwnerFaultStress {
  private static final TransferPool TRANSFERS = new TransferPool();

  private final Family family = new Family();
  private final ShapedDevice below =
      ShapedDevice.submitOnly(new ZeroDevice(PeerTarget.SIZE)).hold();
  private final Split.Pool splits = new Split.Pool((request, errno, nanos) -> {}, ticket -> {});
  private final AtomicInteger answered = new AtomicInteger();
  private final Owner device = owner(splits);
  private final Owner other = owner(new Split.Pool((request, errno, nanos) -> {}, ticket -> {}));

  public OwnerFaultStress() {
    device.join();
    other.join();
  }

  private Owner owner(Split.Pool pieces) {
    return new Owner(
        new PeerTarget(family, below),
        new SuspendGate(),
        new AtomicLong(),
        new EffectRunner(
            List.of(new Underlying("below", below)),
            new Underlying(TaskPlace.NONE),
            TRANSFERS,
            Runnable::run,
            new SilentHost()),
        pieces,
        why -> {});
  }

  @Actor
  public void request() {
    BlockRequest request =
        new BlockRequest()
            .range(Operation.WRITE_ZEROES, 0, 512, 0, (ended, errno) -> answered.incrementAndGet());
    Split split = splits.take();
    split.begin(request);
    device.queue(split.part(request, 0, 512));
    split.ended(Errno.OK);
  }

  @Actor
  public void fail() {
    other.fail(new IllegalStateException());
  }

  @Arbiter
  public void look(II_Result r) {
    r.r1 = below.heldCount();
    r.r2 = answered.get();
  }
}
