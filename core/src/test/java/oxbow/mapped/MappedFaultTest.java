package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.mapped.FaultyTarget.Place;
import oxbow.target.MessageException;
import oxbow.target.TargetException;
import oxbow.target.clone.CloneOptions;
import oxbow.target.clone.CloneTargetType;

/**
 * Aim: a mistake in a target costs its device, loudly, and nothing else: every request is answered,
 * the device can be suspended, nothing writes on. Method: a clone that throws where the test wants,
 * with requests in every stage of their lives.
 */
class MappedFaultTest {
  private static final int REGION = 64 << 10;
  private static final int SIZE = 16 * REGION;

  private final ShapedDevice source = ShapedDevice.submitOnly(TestClone.random(SIZE, 1));
  private final ShapedDevice destination = ShapedDevice.submitOnly(TestClone.random(SIZE, 2));
  private final List<String> events = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private final TimerLoop timers = new TimerLoop();
  private final FaultyTarget target;
  private final MappedDevice device;
  private boolean refusesTasks;

  MappedFaultTest() throws TargetException {
    Map<String, BlockDevice> devices =
        Map.of("meta", new MemDevice(4 << 20), "dest", destination, "source", source);
    target =
        new FaultyTarget(
            CloneTargetType.construct(
                Sectors.fromBytes(SIZE),
                List.of("meta", "dest", "source", "128", "1", "no_hydration"),
                CloneOptions.TABLE,
                (address, isWritable) -> Objects.requireNonNull(devices.get(address))));
    device =
        new MappedDevice(
            "c",
            target,
            timers,
            this::execute,
            new MappedDevice.Listener() {
              @Override
              public void event(long number, String why) {
                events.add(why);
              }

              @Override
              public void warning(String what) {
                warnings.add(what);
              }
            });
    device.resume();
  }

  private void execute(Runnable task) {
    if (refusesTasks) {
      throw new RejectedExecutionException("no thread for this");
    }
    task.run();
  }

  private CompletableFuture<Integer> start(Operation operation, long at, long length) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .range(operation, at, length, 0, (request, errno) -> done.complete(errno)));
    return done;
  }

  /** Whatever happened, the device can be drained and released. */
  @AfterEach
  void theDeviceCanBeSuspendedAndClosed() throws IOException {
    source.release();
    destination.release();
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    assertThat(timers.pendingCount()).isZero();
    device.close();
  }

  private void assertHasFailed() {
    assertThat(device.fault()).contains("IllegalStateException: a mistake in");
    assertThat(events).hasSize(1).first().asString().startsWith("device failed: java.lang.Illegal");
    assertThat(warnings).hasSize(1).first().asString().contains("a mistake in");
    assertThat(device.status(false)).isEqualTo("0 2048 clone Fail");
    for (Operation operation : Operation.values()) {
      if (operation != Operation.READ && operation != Operation.WRITE) {
        assertThat(Requests.run(device, operation, 0, 512, 0)).isEqualTo(Errno.EIO);
      }
    }
    assertThat(Requests.tryRead(device, 0, 512, 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.write(device, 0, new byte[512], 0)).isEqualTo(Errno.EIO);
    assertThatThrownBy(() -> Requests.extents(device, 0, SIZE, 1));
    assertThatThrownBy(() -> device.message(List.of("enable_hydration")))
        .isInstanceOf(MessageException.class);
    assertThat(device.isSuspended()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(
      value = Place.class,
      names = {"MAP", "QUEUE", "QUEUED"})
  void aTargetThatThrowsWhenARequestComesFailsTheDevice(Place place) {
    target.throwAt(place);
    assertThat(start(Operation.WRITE_ZEROES, 5, 7)).isCompletedWithValue(Errno.EIO);
    assertHasFailed();
  }

  @Test
  void aTargetThatThrowsWhenIoEndsFailsTheDevice() {
    target.throwAt(Place.ENDED);
    assertThat(start(Operation.WRITE_ZEROES, 0, REGION)).isCompletedWithValue(Errno.EIO);
    assertHasFailed();
  }

  @Test
  void aTargetThatThrowsInItsTickFailsTheDevice() {
    target.throwAt(Place.TICK);
    timers.fire();
    assertHasFailed();
    timers.fire();
    assertThat(events).as("once").hasSize(1);
  }

  @Test
  void aTargetThatThrowsInSuspendFailsTheDeviceAndSuspendEnds() {
    target.throwAt(Place.SUSPEND);
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    assertHasFailed();
    device.resume();
    assertThat(Requests.tryRead(device, 0, 512, 0)).as("for good").isEqualTo(Errno.EIO);
  }

  @Test
  void aCommitThatFindsNoThreadFailsTheDevice() {
    Requests.write(device, 0, new byte[REGION]);
    refusesTasks = true;
    assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
    assertThat(device.fault()).contains("no thread for this");
  }

  /** Its memory is in use until then: answered sooner, it would be the next request's. */
  @Test
  void aRequestWhoseIoIsInFlightIsAnsweredWhenThatHasEnded() {
    source.hold();
    destination.hold();
    final CompletableFuture<Integer> merge = start(Operation.WRITE_ZEROES, 1, 9);
    final CompletableFuture<Integer> waiting = start(Operation.WRITE_ZEROES, 100, 9);
    final CompletableFuture<Integer> whole = start(Operation.WRITE_ZEROES, REGION, REGION);
    final CompletableFuture<Integer> read = start(Operation.CACHE, 4 * REGION, 512);
    target.throwAt(Place.QUEUE);
    final CompletableFuture<Integer> culprit = start(Operation.WRITE_ZEROES, 3 * REGION, 1);
    assertThat(List.of(merge, waiting, whole, read, culprit)).noneMatch(CompletableFuture::isDone);
    assertThat(start(Operation.WRITE_ZEROES, 8 * REGION, 1)).isCompletedWithValue(Errno.EIO);
    source.release();
    assertThat(List.of(merge, waiting, whole, read, culprit)).noneMatch(CompletableFuture::isDone);
    destination.forgetLog();
    destination.release();
    assertThat(List.of(merge, waiting, whole, read, culprit))
        .allMatch(answer -> answer.getNow(Errno.OK) == Errno.EIO);
    assertThat(destination.log()).as("nothing is begun any more").isEmpty();
    assertHasFailed();
  }

  @Test
  void requestsHeldWhileSuspendedAreAnsweredWhenTheDeviceFails() {
    source.hold();
    final CompletableFuture<Integer> inFlight = start(Operation.WRITE_ZEROES, 1, 9);
    assertThat(device.suspend(TimeUnit.MILLISECONDS.toNanos(1))).isFalse();
    CompletableFuture<Integer> held = start(Operation.WRITE_ZEROES, 3 * REGION, 1);
    assertThat(held).isNotDone();
    target.throwAt(Place.ENDED);
    source.release();
    assertThat(held).isCompletedWithValue(Errno.EIO);
    assertThat(inFlight).isCompletedWithValue(Errno.EIO);
  }

  @Test
  void aTargetThatThrowsOnTheHotPathAnswersWithAnError() {
    target.throwAt(Place.MAP);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(512);
      assertThat(device.readNow(0, buffer, 0, 512)).isEqualTo(Errno.EIO);
      assertThat(device.writeNow(0, buffer, 0, 512)).as("submit answers").isEqualTo(Errno.EAGAIN);
    }
    assertHasFailed();
  }

  @Test
  void nothingOfNoBytesReachesTheTarget() {
    target.throwAt(Place.MAP);
    assertThat(device.readNow(0, MemorySegment.NULL, 0, 0)).isEqualTo(Errno.OK);
    assertThat(device.writeNow(0, MemorySegment.NULL, 0, 0)).isEqualTo(Errno.OK);
    assertThat(device.fault()).isNull();
  }
}
