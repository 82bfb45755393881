package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.Family;
import oxbow.target.MessageException;

/**
 * Aim: targets that decide together: each acts by its own device, in the order of the decisions;
 * they fail together; what one does for others ends before it is closed. Method: two targets of one
 * family, each of which has its peer zero what it is about to write.
 */
class MappedFamilyTest {
  private static final int SIZE = PeerTarget.SIZE;
  private static final byte[] ONES = {1, 1, 1, 1};

  private final List<String> events = Collections.synchronizedList(new ArrayList<>());
  private final TimerLoop timers = new TimerLoop();
  private final Family family = new Family();
  private final ShapedDevice below = ShapedDevice.inline(new MemDevice(SIZE));
  private final ShapedDevice belowPeer = ShapedDevice.inline(new MemDevice(SIZE));
  private final PeerTarget target = new PeerTarget(family, below);
  private final PeerTarget peerTarget = new PeerTarget(family, belowPeer);
  private final MappedDevice device = mapped("a", target);
  private final MappedDevice peer = mapped("b", peerTarget);

  MappedFamilyTest() {
    target.meet(peerTarget);
  }

  private MappedDevice mapped(String name, PeerTarget made) {
    return new MappedDevice(
        name,
        made,
        timers,
        Runnable::run,
        new MappedDevice.Listener() {
          @Override
          public void event(long number, String why) {
            events.add(name + ": " + why);
          }

          @Override
          public void warning(String what) {}
        });
  }

  private void resume() {
    device.resume();
    peer.resume();
  }

  private static CompletableFuture<Integer> start(MappedDevice on, Operation operation) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    on.submit(
        new BlockRequest().range(operation, 0, 512, 0, (request, errno) -> done.complete(errno)));
    return done;
  }

  // Effects.

  @Test
  void whatAPeerAsksForIsDoneByThePeersDevice() {
    Requests.write(belowPeer, 0, ONES);
    resume();
    Requests.write(device, 0, ONES);
    assertThat(Requests.read(below, 0, 4)).isEqualTo(ONES);
    assertThat(Requests.read(belowPeer, 0, 4)).isEqualTo(new byte[4]);
    assertThat(peerTarget.told).containsOnlyOnce("ended");
    assertThat(target.told).doesNotContain("ended");
  }

  /** Also where a job ends while the thread is at it: what follows is decided later. */
  @Test
  void effectsAreCarriedOutInTheOrderOfDecisionsWhoseverTheyAre() {
    resume();
    Requests.write(device, 0, ONES);
    assertThat(events)
        .containsExactly("a: mine, first", "b: zeroing", "a: mine, then", "b: zeroed");
  }

  /** A member that is suspended, or was never resumed, works for its peers all the same. */
  @Test
  void aSuspendedPeerWorksForOthersAndIsWatched() {
    device.resume();
    int timersOfOne = timers.pendingCount();
    peer.resume();
    assertThat(peer.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    assertThat(timers.pendingCount()).as("both are watched").isEqualTo(2 * timersOfOne);
    belowPeer.hold();
    Requests.write(device, 0, ONES);
    timers.fire();
    timers.fire();
    assertThat(peer.health().getFirst().held()).isEqualTo(1);
    belowPeer.release();
    assertThat(peerTarget.told).contains("ended");
  }

  @Test
  void whatWasNotedBeforeAMessageWasRefusedIsDone() {
    resume();
    assertThatThrownBy(() -> device.message(List.of("any")))
        .isInstanceOf(MessageException.class)
        .hasMessage("refused");
    assertThat(events).containsExactly("a: refused");
  }

  @Test
  void aTargetThatCannotBeResumedSaysWhy() {
    target.problem = "not now";
    assertThatThrownBy(device::resume)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("not now");
    assertThat(device.isSuspended()).isTrue();
    assertThat(target.told).doesNotContain("resume");
    assertThat(timers.pendingCount()).isZero();
    target.problem = null;
    device.resume();
    assertThat(device.isSuspended()).isFalse();
  }

  // Faults.

  @Test
  void aMistakeOfOneFailsAllAndWhoeverComesLater() throws Exception {
    resume();
    peerTarget.broken = "zero";
    assertThat(Requests.write(device, 0, ONES, 0)).isEqualTo(Errno.EIO);
    MappedDevice late = mapped("c", new PeerTarget(family, new MemDevice(SIZE)));
    for (MappedDevice each : List.of(device, peer, late)) {
      each.resume();
      assertThat(each.fault()).contains("a mistake in zero");
      assertThat(Requests.tryRead(each, 0, 4, 0)).isEqualTo(Errno.EIO);
      assertThat(each.isInMemory(0, 4)).isFalse();
      assertThat(each.status(true)).endsWith("Fail");
      assertThat(each.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      each.close();
    }
    events.removeIf(event -> !event.contains("device failed"));
    assertThat(events).hasSize(3).map(event -> event.charAt(0)).containsExactly('a', 'b', 'c');
    assertThat(target.told).containsExactly("attach", "resume", "close");
  }

  @Test
  void aTargetThatThrowsWhenItIsAskedToResumeFails() {
    target.broken = "resumeProblem";
    device.resume();
    assertThat(device.fault()).contains("a mistake in resumeProblem");
    assertThat(peer.fault()).contains("a mistake in resumeProblem");
  }

  /** The second device's requests wait in its gate, not in the family's lock. */
  @Test
  void aMistakeAnswersWhatThePeersHold() {
    device.resume();
    CompletableFuture<Integer> held = start(peer, Operation.FLUSH);
    assertThat(held).isNotDone();
    peerTarget.broken = "zero";
    assertThat(Requests.write(device, 0, ONES, 0)).isEqualTo(Errno.EIO);
    assertThat(held).isCompletedWithValue(Errno.EIO);
  }

  /** Requests wait only for the jobs of their own device. */
  @Test
  void requestsOfTheFamilyAreAnsweredWhenTheJobsOfTheirDeviceHaveEnded() throws Exception {
    resume();
    belowPeer.hold();
    final CompletableFuture<Integer> kept = start(device, Operation.DISCARD);
    final CompletableFuture<Integer> keptByPeer = start(peer, Operation.DISCARD);
    final CompletableFuture<Integer> inFlight = start(peer, Operation.WRITE_ZEROES);
    target.broken = "map";
    assertThat(Requests.tryRead(device, 0, 4, 0)).isEqualTo(Errno.EIO);
    assertThat(kept).isCompletedWithValue(Errno.EIO);
    assertThat(keptByPeer).isNotDone();
    assertThat(inFlight).isNotDone();
    assertThat(peer.suspend(0)).isFalse();
    belowPeer.release();
    assertThat(keptByPeer).isCompletedWithValue(Errno.EIO);
    assertThat(inFlight).isCompletedWithValue(Errno.EIO);
    assertThat(peerTarget.told).as("not entered again").doesNotContain("ended");
    assertThat(peer.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    peer.close();
  }

  @Test
  void aStrangersMistakeConcernsNobody() {
    PeerTarget stranger = new PeerTarget(new Family(), new MemDevice(SIZE));
    MappedDevice other = mapped("s", stranger);
    resume();
    other.resume();
    stranger.broken = "map";
    assertThat(Requests.tryRead(other, 0, 4, 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.write(device, 0, ONES, 0)).isEqualTo(Errno.OK);
    assertThat(device.fault()).isNull();
  }

  // The end.

  @Test
  void closingWaitsUntilTheTargetHasLeft() throws Exception {
    CountDownLatch asked = new CountDownLatch(3);
    target.isRemoved =
        () -> {
          assertThat(target.told).contains("remove").doesNotContain("close");
          asked.countDown();
          return asked.getCount() == 0;
        };
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    device.close();
    assertThat(asked.getCount()).as("asked until it was so").isZero();
    assertThat(target.told).endsWith("remove", "close");
  }

  /** The peer's device has a job that it does for the other one. */
  @Test
  void closingWaitsForJobsAndMayBeTriedAgain() throws Exception {
    device.resume();
    belowPeer.hold();
    Requests.write(device, 0, ONES);
    assertThat(peer.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    assertThatThrownBy(() -> peer.close(TimeUnit.MILLISECONDS.toNanos(1)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("b: ");
    assertThat(peerTarget.told).doesNotContain("close");
    belowPeer.release();
    peer.close();
    assertThat(peerTarget.told).endsWith("ended", "remove", "close");
  }

  @Test
  void aTimerThatComesAfterTheEndTellsNobody() throws Exception {
    device.resume();
    assertThatThrownBy(() -> device.message(List.of("any"))).hasMessage("refused");
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    device.close();
    assertThat(timers.fire()).isEqualTo(1);
    assertThat(target.told).endsWith("close");
  }

  /** Whoever has been closed is no part of the family: it hears of no fault. */
  @Test
  void whoHasLeftIsNotToldOfAFault() throws Exception {
    peer.close();
    target.broken = "map";
    device.resume();
    AtomicInteger answer = new AtomicInteger(-1);
    device.submit(new BlockRequest().range(Operation.READ, 0, 512, 0, (r, e) -> answer.set(e)));
    assertThat(answer).hasValue(Errno.EIO);
    assertThat(events).hasSize(1).first().asString().startsWith("a: device failed");
  }
}
