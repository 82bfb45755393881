package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.Family;

/**
 * Aim: a ticket comes back exactly once, when its I/O has ended or turns out not to be sent, and
 * never to a target that is suspended. Method: a target that counts, on every way that a request
 * can take.
 */
class MappedTicketTest {
  private static final int LENGTH = 4096;

  private final Family family = new Family();
  private final ShapedDevice below = ShapedDevice.inline(new MemDevice(PeerTarget.SIZE));
  private final PeerTarget target = new PeerTarget(family, below);
  private final Arena arena = Arena.ofShared();
  private final MemorySegment data = arena.allocate(LENGTH);
  private MappedDevice device = mapped(target);

  MappedTicketTest() {
    PeerTarget peer = new PeerTarget(family, new MemDevice(PeerTarget.SIZE));
    target.meet(peer);
    mapped(peer);
    device.resume();
  }

  private static MappedDevice mapped(PeerTarget target) {
    return new MappedDevice(
        "tickets",
        target,
        new TimerLoop(),
        Runnable::run,
        new MappedDevice.Listener() {
          @Override
          public void event(long number, String why) {}

          @Override
          public void warning(String what) {}
        });
  }

  /** On another device underneath. */
  private PeerTarget over(ShapedDevice other) {
    PeerTarget made = new PeerTarget(null, other);
    made.mapsWrites = true;
    device = mapped(made);
    device.resume();
    return made;
  }

  @AfterEach
  void release() {
    arena.close();
  }

  private void assertGiven(PeerTarget by, int count) {
    assertThat(by.given).hasValue(count);
    assertThat(by.back).as("come back").hasValue(count);
  }

  @Test
  void whenItWasServedAtOnce() {
    target.mapsWrites = true;
    assertThat(device.readNow(0, data, 0, LENGTH)).isEqualTo(Errno.OK);
    assertGiven(target, 1);
    assertThat(device.writeNow(0, data, 0, LENGTH)).isEqualTo(Errno.OK);
    assertGiven(target, 2);
  }

  @Test
  void whenItCannotBeServedAtOnce() {
    PeerTarget made = over(ShapedDevice.submitOnly(new MemDevice(PeerTarget.SIZE)));
    assertThat(device.readNow(0, data, 0, LENGTH)).isEqualTo(Errno.EAGAIN);
    assertGiven(made, 1);
    assertThat(device.writeNow(0, data, 0, LENGTH)).isEqualTo(Errno.EAGAIN);
    assertGiven(made, 2);
  }

  @Test
  void whenTheMappingIsForLessThanWasAskedAbout() {
    target.mapsWrites = true;
    target.mostBytes = 512;
    assertThat(device.readNow(0, data, 0, LENGTH)).isEqualTo(Errno.EAGAIN);
    assertGiven(target, 1);
    assertThat(device.writeNow(0, data, 0, LENGTH)).isEqualTo(Errno.EAGAIN);
    assertGiven(target, 2);
  }

  @Test
  void whenTheAnswerIsKnown() {
    target.isInvalid = true;
    target.mostBytes = LENGTH / 2;
    assertThat(device.readNow(0, data, 0, LENGTH)).isEqualTo(Errno.EAGAIN);
    assertGiven(target, 1);
    assertThat(Requests.tryRead(device, 0, LENGTH, 0)).isEqualTo(Errno.ENOSPC);
    assertGiven(target, 1 + 2);
  }

  @Test
  void whenEachPieceHasEnded() {
    ShapedDevice held = ShapedDevice.submitOnly(new MemDevice(PeerTarget.SIZE)).hold();
    PeerTarget made = over(held);
    made.mostBytes = LENGTH / 4;
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .data(Operation.READ, 0, data, 0, LENGTH, 0, (request, errno) -> done.complete(errno)));
    for (int ended = 0; ended < 4; ended++) {
      assertThat(made.given).hasValue(4);
      assertThat(made.back).hasValue(ended);
      assertThat(done).isNotDone();
      held.releaseOne();
    }
    assertGiven(made, 4);
    assertThat(done).isCompletedWithValue(Errno.OK);
  }

  @Test
  void whenTheCoreSendsAPiece() {
    Requests.write(device, 0, new byte[LENGTH]);
    assertGiven(target, 1);
    below.failWhen(request -> true);
    assertThat(Requests.write(device, 0, new byte[LENGTH], 0)).isEqualTo(Errno.EIO);
    assertGiven(target, 2);
  }

  @Test
  void whenTheDeviceFails() {
    below.failWhen(request -> true);
    target.mapsWrites = true;
    assertThat(device.readNow(0, data, 0, LENGTH)).isEqualTo(Errno.EIO);
    assertThat(device.writeNow(0, data, 0, LENGTH)).isEqualTo(Errno.EIO);
    assertThat(Requests.tryRead(device, 0, LENGTH, 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.write(device, 0, new byte[LENGTH], 0)).isEqualTo(Errno.EIO);
    assertGiven(target, 4);
  }

  /** It was given by a target that cannot be trusted any more: nobody asks what became of it. */
  @Test
  void notWhenTheTargetHasFailed() {
    target.broken = "map";
    assertThat(device.readNow(0, data, 0, LENGTH)).isEqualTo(Errno.EIO);
    assertThat(Requests.tryRead(device, 0, LENGTH, 0)).isEqualTo(Errno.EIO);
    assertThat(target.given).hasValue(1);
    assertThat(target.back).hasValue(0);
  }

  @Test
  void aTargetThatThrowsWhenItComesBackFailsAndNoRequestIsLost() {
    target.broken = "endIo";
    assertThat(Requests.tryRead(device, 0, LENGTH, 0)).isIn(Errno.OK, Errno.EIO);
    assertThat(device.fault()).contains("a mistake in endIo");
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).as("drained").isTrue();
    over(below).broken = "endIo";
    assertThat(device.readNow(0, data, 0, LENGTH)).isEqualTo(Errno.OK);
    assertThat(device.fault()).contains("a mistake in endIo");
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).as("drained").isTrue();
  }

  @Test
  void aTicketThatIsWaitedForWakesTheCore() {
    Requests.read(device, 0, 512);
    device.readNow(0, data, 0, LENGTH);
    assertThat(target.told).doesNotContain("wake");
    target.wantsWake = true;
    Requests.read(device, 0, 512);
    assertThat(target.told).containsOnlyOnce("wake");
    device.readNow(0, data, 0, LENGTH);
    assertThat(target.told).endsWith("wake", "wake");
  }

  /** A read that is served at once is no request in flight, yet its ticket is waited for. */
  @Test
  void suspendWaitsForTickets() throws Exception {
    CountDownLatch isComingBack = new CountDownLatch(1);
    CountDownLatch mayComeBack = new CountDownLatch(1);
    target.wantsWake = true;
    target.whenTicketIsBack =
        () -> {
          isComingBack.countDown();
          awaitQuietly(mayComeBack);
        };
    Thread reader = Thread.ofPlatform().start(() -> device.readNow(0, data, 0, LENGTH));
    isComingBack.await();
    assertThat(device.suspend(0)).isFalse();
    mayComeBack.countDown();
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    assertThat(target.told).as("before the end of suspend").contains("wake");
    reader.join();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
