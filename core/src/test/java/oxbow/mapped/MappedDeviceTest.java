package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.MessageException;
import oxbow.target.clone.CloneOptions;

/**
 * Aim: requests to a mapped device are split, held, drained and answered as they should. Method: a
 * clone of 16 regions of 64 KiB over devices in memory that wait or fail when told to.
 */
class MappedDeviceTest {
  private static final int REGION = 64 << 10;
  private static final int SIZE = 16 * REGION;
  private static final String TAIL = "128 1 no_hydration";

  private final MemDevice sourceMemory = TestClone.random(SIZE, 1);
  private final byte[] sourceBytes = Requests.read(sourceMemory, 0, SIZE);
  private final MemDevice destinationMemory = TestClone.random(SIZE, 2);
  private final ShapedDevice source = ShapedDevice.submitOnly(sourceMemory);
  private final ShapedDevice destination = ShapedDevice.submitOnly(destinationMemory);

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  /** A request without data in flight. */
  private static CompletableFuture<Integer> start(
      BlockDevice device, Operation operation, long at, long length) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .range(operation, at, length, 0, (request, errno) -> done.complete(errno)));
    return done;
  }

  @Test
  @DisplayName("S1 R4: a request across regions is split where they differ, and answered once")
  void aRequestAcrossRegionsIsSplitAndAnsweredOnce() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      Requests.write(clone.device, 2 * REGION, filled(REGION, 7));
      byte[] expected = sourceBytes.clone();
      Arrays.fill(expected, 2 * REGION, 3 * REGION, (byte) 7);
      source.forgetLog();
      destination.forgetLog();
      byte[] read = Requests.read(clone.device, 0, SIZE);
      assertThat(read).isEqualTo(expected);
      assertThat(source.log()).containsExactly("READ 0+131072", "READ 196608+851968");
      assertThat(destination.log()).containsExactly("READ 131072+65536");
      byte[] written = filled(3 * REGION, 9);
      Requests.write(clone.device, REGION / 2, written);
      System.arraycopy(written, 0, expected, REGION / 2, written.length);
      assertThat(Requests.read(clone.device, 0, SIZE)).isEqualTo(expected);
      assertThat(clone.hydrated()).isEqualTo("4/16");
    }
  }

  @Test
  @DisplayName("R3 W6: errors of devices reach the user, for whom they concern and once")
  void errorsOfDevicesReachTheUser() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      source.failWhen(request -> request.offsetBytes() / REGION == 3);
      destination.failWhen(request -> request.operation() == Operation.DISCARD);
      assertThat(Requests.tryRead(clone.device, 3 * REGION, 512, 0)).isEqualTo(Errno.EIO);
      assertThat(Requests.tryRead(clone.device, 4 * REGION, 512, 0)).isEqualTo(Errno.OK);
      assertThat(Requests.write(clone.device, 3 * REGION + 1, filled(10, 7), 0))
          .isEqualTo(Errno.EIO);
      // One piece of three fails: so does the request, and the others have happened.
      assertThat(Requests.write(clone.device, 2 * REGION + 1, filled(2 * REGION, 7), 0))
          .isEqualTo(Errno.OK);
      assertThat(Requests.run(clone.device, Operation.DISCARD, 0, SIZE, 0)).isEqualTo(Errno.EIO);
      source.failWhen(request -> true);
      assertThat(Requests.run(clone.device, Operation.CACHE, 0, SIZE, 0)).isEqualTo(Errno.EIO);
      source.failWhen(request -> false);
      destination.failWhen(request -> request.operation() == Operation.WRITE);
      assertThat(Requests.write(clone.device, 10 * REGION, filled(REGION, 7), 0))
          .isEqualTo(Errno.EIO);
      assertThat(Requests.write(clone.device, 11 * REGION, filled(10, 7), 0)).isEqualTo(Errno.EIO);
    }
  }

  @Test
  @DisplayName("M5 F7: an error of the destination's flush makes the device ro, with an event")
  void aFailedFlushMakesTheDeviceReadOnly() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      Requests.write(clone.device, 0, filled(REGION, 7));
      destination.failWhen(request -> request.operation() == Operation.FLUSH);
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      assertThat(clone.device.awaitEvent(0, TestClone.TIMEOUT_NANOS)).isTrue();
      assertThat(clone.events).hasSize(1).first().asString().startsWith("1 mode ro");
      assertThat(clone.warnings).hasSize(1);
      destination.failWhen(request -> false);
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      assertThat(Requests.read(clone.device, 0, REGION)).containsOnly(7);
      assertThat(clone.device.status(false)).endsWith(" ro");
      assertThat(Requests.write(clone.device, 5, filled(5, 8), Flags.FUA)).isEqualTo(Errno.EIO);
      assertThat(Requests.write(clone.device, 5, filled(5, 8), 0)).isEqualTo(Errno.OK);
    }
  }

  @Test
  @DisplayName("M5: whatever a commit throws, the flush that waits for it is answered")
  void whateverACommitThrowsTheFlushIsAnswered() throws Exception {
    ShapedDevice metadata = ShapedDevice.inline(new MemDevice(4 << 20));
    try (TestClone clone =
        new TestClone(source, destination, metadata, TAIL, CloneOptions.TABLE, Runnable::run)) {
      Requests.write(clone.device, 0, filled(REGION, 7));
      metadata.failWhen(
          request -> {
            throw new IllegalStateException("a fault of ours");
          });
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      metadata.failWhen(request -> false);
      assertThat(Requests.read(clone.device, 0, REGION)).containsOnly(7);
      assertThat(clone.device.status(true)).endsWith("Fail");
    }
  }

  @Test
  @DisplayName("Z1: suspend waits for requests in flight, holds new ones; resume answers them")
  void suspendDrainsAndHolds() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      source.hold();
      CompletableFuture<Integer> before = start(clone.device, Operation.WRITE_ZEROES, 1, 9);
      CompletableFuture<Boolean> suspended =
          CompletableFuture.supplyAsync(() -> clone.device.suspend(TestClone.TIMEOUT_NANOS));
      while (!clone.device.isSuspended()) {
        Thread.onSpinWait();
      }
      List<CompletableFuture<Integer>> held = new ArrayList<>();
      held.add(start(clone.device, Operation.WRITE_ZEROES, 3 * REGION, REGION));
      held.add(start(clone.device, Operation.CACHE, 8 * REGION, 2));
      held.add(start(clone.device, Operation.FLUSH, 0, 0));
      assertThat(suspended).isNotDone();
      assertThat(before).isNotDone();
      source.release();
      assertThat(Requests.await(before)).isEqualTo(Errno.OK);
      assertThat(Requests.await(suspended)).isTrue();
      assertThat(held).noneMatch(CompletableFuture::isDone);
      // Z1: what was recorded is durable.
      assertThat(clone.committedCount()).isEqualTo(1);
      try (Arena arena = Arena.ofShared()) {
        MemorySegment buffer = arena.allocate(512);
        assertThat(clone.device.readNow(0, buffer, 0, 512)).isEqualTo(Errno.EAGAIN);
        assertThat(clone.device.writeNow(0, buffer, 0, 512)).isEqualTo(Errno.EAGAIN);
      }
      clone.device.resume();
      for (CompletableFuture<Integer> each : held) {
        assertThat(Requests.await(each)).isEqualTo(Errno.OK);
      }
      assertThat(clone.hydrated()).isEqualTo("3/16");
    }
  }

  @Test
  @DisplayName("Z1: held requests are taken up in their order")
  void heldRequestsAreTakenUpInTheirOrder() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      assertThat(clone.device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      List<CompletableFuture<Integer>> held = new ArrayList<>();
      for (int i = 0; i < 15; i++) {
        long at = (i * 5 % 16) * (long) REGION;
        held.add(start(clone.device, Operation.WRITE_ZEROES, at, REGION));
      }
      destination.forgetLog();
      clone.device.resume();
      assertThat(held).allMatch(CompletableFuture::isDone);
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 15; i++) {
        expected.add("WRITE_ZEROES " + (i * 5 % 16) * (long) REGION + "+" + REGION);
      }
      assertThat(destination.log()).isEqualTo(expected);
    }
  }

  @Test
  @DisplayName("Z1: a suspend that takes too long says so, and can be repeated")
  void aSuspendThatTakesTooLongSaysSo() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      source.hold();
      CompletableFuture<Integer> write = start(clone.device, Operation.WRITE_ZEROES, 1, 9);
      assertThat(clone.device.suspend(TimeUnit.MILLISECONDS.toNanos(30))).isFalse();
      assertThat(clone.device.isSuspended()).isTrue();
      assertThat(write).isNotDone();
      source.release();
      assertThat(Requests.await(write)).isEqualTo(Errno.OK);
      assertThat(clone.device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    }
  }

  @Test
  @DisplayName("M3 Z2: status commits, unless it is told not to or the device is suspended")
  void statusCommitsUnlessToldNotTo() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      Requests.write(clone.device, 0, filled(REGION, 7));
      assertThat(clone.device.status(true))
          .isEqualTo(
              "0 2048 clone 8 6/1024 128 1/16 0 1 no_hydration"
                  + " 4 hydration_threshold 1 hydration_batch_size 1 rw");
      assertThat(clone.committedCount()).isZero();
      clone.device.status(false);
      assertThat(clone.committedCount()).isEqualTo(1);
      destination.forgetLog();
      clone.device.status(false);
      assertThat(destination.log()).as("M4").isEmpty();
      assertThat(clone.device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      assertThat(clone.device.status(false)).contains(" 1/16 ");
      clone.device.resume();
    }
  }

  @Test
  @DisplayName("M3: the tick commits; the table line and the address are as given")
  void theTickCommits() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      Requests.write(clone.device, 0, filled(REGION, 7));
      clone.timers.fire();
      assertThat(clone.committedCount()).isEqualTo(1);
      assertThat(clone.timers.pendingCount()).isEqualTo(1);
      assertThat(clone.device.table()).isEqualTo("0 2048 clone meta dest source " + TAIL);
      assertThat(clone.device.address()).isEqualTo("oxbow:c");
      assertThat(clone.device.name()).isEqualTo("c");
      assertThat(clone.device.sizeBytes()).isEqualTo(SIZE);
    }
  }

  @Test
  @DisplayName("Z1 Z3: there is one tick, however often the device is suspended and resumed")
  void thereIsOneTickHoweverOftenItIsResumed() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      clone.device.resume();
      clone.device.resume();
      assertThat(clone.timers.pendingCount()).isEqualTo(1);
      assertThat(clone.device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      assertThat(clone.timers.pendingCount()).isZero();
      clone.device.resume();
      clone.timers.fire();
      clone.timers.fire();
      assertThat(clone.timers.pendingCount()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("H9: however many events there are, one timer waits for the rate")
  void oneTimerWaitsForTheRate() throws Exception {
    CloneOptions slow = new CloneOptions(false, 1, 10, false, 64);
    try (TestClone clone =
        new TestClone(source, destination, new MemDevice(4 << 20), "128", slow, Runnable::run)) {
      for (int i = 0; i < 16; i++) {
        Requests.flush(clone.device);
      }
      assertThat(clone.timers.pendingCount()).as("the tick, and the wait").isEqualTo(2);
    }
  }

  @Test
  @DisplayName("M7: completion is an event that a waiter wakes up of")
  void completionIsAnEventThatAWaiterWakesUpOf() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      assertThat(clone.device.awaitEvent(0, TimeUnit.MILLISECONDS.toNanos(5))).isFalse();
      CompletableFuture<Boolean> waiter =
          CompletableFuture.supplyAsync(() -> clone.device.awaitEvent(0, TestClone.TIMEOUT_NANOS));
      clone.device.message(List.of("enable_hydration"));
      clone.hydrate();
      clone.device.status(false);
      assertThat(Requests.await(waiter)).isTrue();
      assertThat(clone.events).containsExactly("1 hydration completed");
      assertThat(clone.device.eventNumber()).isEqualTo(1);
      assertThat(Requests.read(destinationMemory, 0, SIZE)).isEqualTo(sourceBytes);
    }
  }

  @Test
  @DisplayName("section 10: a refused message is the sender's problem, and nobody else's")
  void aRefusedMessageIsTheSendersProblem() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      assertThatThrownBy(() -> clone.device.message(List.of("unknown")))
          .isInstanceOf(MessageException.class);
      assertThat(clone.device.message(List.of("hydration_threshold", "3"))).isEmpty();
      assertThat(clone.device.status(true)).contains("hydration_threshold 3");
      assertThat(Requests.read(clone.device, 0, 512)).isEqualTo(Arrays.copyOf(sourceBytes, 512));
    }
  }

  @Test
  @DisplayName("O7: extents are zero only where reads are, for hydrated regions and others")
  void extentsAreTruthfulForMixedRegions() throws Exception {
    MemDevice sparse = new MemDevice(SIZE);
    Requests.write(sparse, 4 * REGION, filled(4 * REGION, 1));
    try (TestClone clone = new TestClone(sparse, destinationMemory, TAIL)) {
      Requests.write(clone.device, 0, filled(REGION, 7));
      Requests.run(clone.device, Operation.DISCARD, 5 * REGION, 2 * REGION, 0);
      int hole = Extents.HOLE | Extents.ZERO;
      assertThat(Requests.extents(clone.device, 0, SIZE, 100))
          .containsExactly(
              new Requests.Extent(0, REGION, 0),
              new Requests.Extent(REGION, 3 * REGION, hole),
              new Requests.Extent(4 * REGION, REGION, 0),
              new Requests.Extent(5 * REGION, 2 * REGION, hole),
              new Requests.Extent(7 * REGION, REGION, 0),
              new Requests.Extent(8 * REGION, 8 * REGION, hole));
      assertThat(Requests.extents(clone.device, REGION + 5, SIZE - REGION - 5, 2))
          .containsExactly(
              new Requests.Extent(REGION + 5, 3 * REGION - 5, hole),
              new Requests.Extent(4 * REGION, REGION, 0));
      byte[] bytes = Requests.read(clone.device, 0, SIZE);
      for (Requests.Extent extent : Requests.extents(clone.device, 0, SIZE, 100)) {
        int at = (int) extent.offsetBytes();
        byte[] part = Arrays.copyOfRange(bytes, at, at + (int) extent.lengthBytes());
        if (extent.isZero()) {
          assertThat(part).containsOnly(0);
        }
      }
    }
  }

  @Test
  @DisplayName("O6: a new sparse destination stays as sparse as the source")
  void aNewSparseDestinationStaysSparse() throws Exception {
    MemDevice sparse = new MemDevice(SIZE);
    Requests.write(sparse, 4 * REGION, filled(2 * REGION, 1));
    MemDevice fresh = new MemDevice(SIZE);
    CloneOptions pristine = new CloneOptions(false, 0, 10, true, 64);
    try (TestClone clone =
        new TestClone(sparse, fresh, new MemDevice(4 << 20), "128", pristine, Runnable::run)) {
      clone.hydrate();
      assertThat(Requests.extents(fresh, 0, SIZE, 100))
          .isEqualTo(Requests.extents(sparse, 0, SIZE, 100));
      assertThat(Requests.read(fresh, 0, SIZE)).isEqualTo(Requests.read(sparse, 0, SIZE));
    }
  }

  @Test
  @DisplayName("a clone whose source is a clone reads through both and hydrates through both")
  void clonesStack() throws Exception {
    MemDevice upperMemory = new MemDevice(SIZE);
    try (TestClone lower = new TestClone(source, destination, TAIL);
        TestClone upper = new TestClone(lower.device, upperMemory, "32 1 no_hydration")) {
      Requests.write(lower.device, 3 * REGION + 5, filled(100, 7));
      Requests.write(upper.device, 3 * REGION + 50, filled(100, 8));
      byte[] expected = sourceBytes.clone();
      Arrays.fill(expected, 3 * REGION + 5, 3 * REGION + 105, (byte) 7);
      byte[] lowerExpected = expected.clone();
      Arrays.fill(expected, 3 * REGION + 50, 3 * REGION + 150, (byte) 8);
      assertThat(Requests.read(upper.device, 0, SIZE)).isEqualTo(expected);
      assertThat(Requests.read(lower.device, 0, SIZE)).isEqualTo(lowerExpected);
      upper.device.message(List.of("enable_hydration"));
      lower.device.message(List.of("enable_hydration"));
      upper.hydrate();
      lower.hydrate();
      assertThat(Requests.read(upperMemory, 0, SIZE)).isEqualTo(expected);
      assertThat(Requests.read(destinationMemory, 0, SIZE)).isEqualTo(lowerExpected);
      assertThat(Requests.flush(upper.device)).isEqualTo(Errno.OK);
    }
  }

  @Test
  @DisplayName("a clone whose destination is a clone: writes and discards go all the way down")
  void clonesStackOnTheDestinationSideToo() throws Exception {
    try (TestClone lower = new TestClone(source, destination, TAIL);
        TestClone upper =
            new TestClone(TestClone.random(SIZE, 5), lower.device, "32 1 no_hydration")) {
      Requests.write(upper.device, 2 * REGION, filled(REGION, 7));
      assertThat(Requests.run(upper.device, Operation.DISCARD, 5 * REGION, REGION, 0))
          .isEqualTo(Errno.OK);
      assertThat(Requests.write(upper.device, 7, filled(9, 9), Flags.FUA)).isEqualTo(Errno.OK);
      assertThat(Requests.read(destinationMemory, 2 * REGION, REGION)).containsOnly(7);
      assertThat(lower.committedCount()).as("FUA commits below").isPositive();
      assertThat(Requests.read(upper.device, 5 * REGION, REGION)).containsOnly(0);
    }
  }
}
