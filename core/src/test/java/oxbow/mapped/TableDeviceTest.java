package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.mapped.FaultyTarget.Place;

/**
 * Aim: a device of several targets behaves as one. Method: strips of devices in memory, in an order
 * of their own, that wait or fail when told to.
 */
class TableDeviceTest {
  private static final int PART = 64 << 10;
  private static final int SIZE = 4 * PART;

  private final TestTables tables = new TestTables();
  private final TableDevice device = tables.device;
  private final MemDevice memory = TestClone.random(SIZE, 1);
  private final ShapedDevice first = ShapedDevice.submitOnly(memory);
  private final ShapedDevice second = ShapedDevice.submitOnly(TestClone.random(SIZE, 2));

  /** The second device's end, then the first one's beginning. */
  private Table crossed() {
    return tables.table(
        new StripTarget(second, SIZE - PART, PART), new StripTarget(first, 0, 2 * PART));
  }

  @Test
  void aDeviceWithoutATableHasNothing() throws Exception {
    assertThat(device.sizeBytes()).isZero();
    assertThat(device.limits().isReadOnly()).isTrue();
    assertThat(device.isSuspended()).isTrue();
    assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
    assertThat(device.isInMemory(0, 1)).isFalse();
    try (Arena arena = Arena.ofShared()) {
      assertThat(device.readNow(0, arena.allocate(1), 0, 1)).isEqualTo(Errno.EAGAIN);
    }
    assertThatThrownBy(() -> Requests.extents(device, 0, 1, 1)).isInstanceOf(AssertionError.class);
    device.suspend(TestTables.PATIENCE, true);
    assertThat(device.resume(null)).isNull();
    assertThat(device.isSuspended()).isTrue();
    device.close();
  }

  @Test
  void requestsAcrossABorderGoToBothSides() throws Exception {
    device.resume(crossed());
    assertThat(device.sizeBytes()).isEqualTo(3 * PART);
    for (Operation operation :
        List.of(Operation.WRITE_ZEROES, Operation.DISCARD, Operation.CACHE)) {
      first.forgetLog();
      second.forgetLog();
      assertThat(Requests.run(device, operation, PART - 512, 1536, 0)).isEqualTo(Errno.OK);
      assertThat(second.log()).containsExactly(operation + " " + (SIZE - 512) + "+512");
      assertThat(first.log()).containsExactly(operation + " 0+1024");
    }
    byte[] written = new byte[2 * PART];
    new Random(3).nextBytes(written);
    Requests.write(device, PART / 2, written);
    assertThat(Requests.read(device, PART / 2, 2 * PART)).isEqualTo(written);
    assertThat(Requests.read(second, SIZE - PART / 2, PART / 2))
        .isEqualTo(Arrays.copyOf(written, PART / 2));
    assertThat(Requests.read(first, 0, 3 * PART / 2))
        .isEqualTo(Arrays.copyOfRange(written, PART / 2, 2 * PART));
    tables.close();
  }

  @Test
  void aFlushReachesAllTargetsAndIsAnsweredOnce() throws Exception {
    device.resume(crossed());
    first.hold();
    CompletableFuture<Integer> flush = TestTables.start(device, Operation.FLUSH, 0, 0);
    assertThat(second.log()).containsExactly("FLUSH 0+0");
    assertThat(flush).as("one of two has ended").isNotDone();
    first.release();
    assertThat(flush).isCompletedWithValue(Errno.OK);
    assertThat(first.log()).containsExactly("FLUSH 0+0");
    tables.close();
  }

  @Test
  void theFirstErrorIsTheAnswerAndComesWhenAllHaveEnded() throws Exception {
    device.resume(crossed());
    first.failWith(Errno.ENOSPC).failWhen(request -> request.operation() == Operation.WRITE_ZEROES);
    second.failWhen(request -> request.operation() == Operation.WRITE_ZEROES);
    second.hold();
    CompletableFuture<Integer> both = TestTables.start(device, Operation.WRITE_ZEROES, 0, 3 * PART);
    assertThat(both).isNotDone();
    second.release();
    assertThat(both).isCompletedWithValue(Errno.ENOSPC);
    first.failWhen(request -> false);
    assertThat(Requests.run(device, Operation.WRITE_ZEROES, 0, 3 * PART, 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.run(device, Operation.WRITE_ZEROES, PART, PART, 0)).isEqualTo(Errno.OK);
    second.failWhen(request -> false);
    tables.close();
  }

  @Test
  void pastTheEndIsRefusedAndNothingIsFine() throws Exception {
    for (Table table : List.of(tables.strips(first), crossed())) {
      tables.swap(table);
      long size = device.sizeBytes();
      first.forgetLog();
      second.forgetLog();
      assertThat(Requests.tryRead(device, size - 1, 2, 0)).isEqualTo(Errno.EINVAL);
      assertThat(Requests.write(device, size, new byte[1], 0)).isEqualTo(Errno.EINVAL);
      assertThat(Requests.run(device, Operation.DISCARD, 1, size, 0)).isEqualTo(Errno.EINVAL);
      assertThat(Requests.run(device, Operation.WRITE_ZEROES, -1, 1, 0)).isEqualTo(Errno.EINVAL);
      assertThat(Requests.tryRead(device, PART, 0, 0)).isEqualTo(Errno.OK);
      assertThat(Requests.run(device, Operation.DISCARD, size, 0, 0)).isEqualTo(Errno.OK);
      try (Arena arena = Arena.ofShared()) {
        MemorySegment buffer = arena.allocate(2);
        assertThat(device.readNow(size - 1, buffer, 0, 2)).isEqualTo(Errno.EAGAIN);
        assertThat(device.writeNow(size, buffer, 0, 1)).isEqualTo(Errno.EAGAIN);
      }
      assertThat(first.log()).isEmpty();
      assertThat(second.log()).isEmpty();
    }
    tables.close();
  }

  @Test
  void randomRequestsDoWhatTheyDoToAnArray() throws Exception {
    long seed = Long.getLong("oxbow.seed", 20_261_101L);
    BlockDevice low = new EveryOther(memory, first);
    device.resume(
        tables.table(
            new StripTarget(low, 3 * PART, 512),
            new StripTarget(second, 512, PART),
            new StripTarget(low, PART, 2 * PART - 1024),
            new StripTarget(second, 2 * PART, 2 * PART),
            new StripTarget(low, 0, 1536)));
    byte[] model = Requests.read(device, 0, Math.toIntExact(device.sizeBytes()));
    Random random = new Random(seed);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(model.length + 7);
      for (int i = 0; i < 3000; i++) {
        doAnything(random, model, buffer, "-Dtest=TableDeviceTest -Doxbow.seed=" + seed);
      }
    }
    assertThat(Arrays.mismatch(Requests.read(device, 0, model.length), model)).isEqualTo(-1);
    tables.close();
  }

  private void doAnything(Random random, byte[] model, MemorySegment buffer, String again) {
    int at = random.nextInt(model.length);
    int length = 1 + random.nextInt(Math.min(model.length - at, 1 << random.nextInt(18)));
    String what = "%s: %d+%d".formatted(again, at, length);
    switch (random.nextInt(5)) {
      case 0 -> {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        System.arraycopy(bytes, 0, model, at, length);
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 7, length);
        if (device.writeNow(at, buffer, 7, length) != Errno.OK) {
          Requests.write(device, at, bytes);
        }
      }
      case 1, 2 -> {
        Operation zero = random.nextBoolean() ? Operation.WRITE_ZEROES : Operation.DISCARD;
        Arrays.fill(model, at, at + length, (byte) 0);
        assertThat(Requests.run(device, zero, at, length, 0)).as(what).isEqualTo(Errno.OK);
      }
      default -> {
        byte[] expected = Arrays.copyOfRange(model, at, at + length);
        byte[] found =
            device.readNow(at, buffer, 0, length) == Errno.OK
                ? buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE)
                : Requests.read(device, at, length);
        assertThat(Arrays.mismatch(found, expected)).as(what).isEqualTo(-1);
      }
    }
  }

  @Test
  void aReadOnlyDeviceRefusesToBeWrittenWhateverItsTable() throws Exception {
    TestTables readOnly = new TestTables(true);
    readOnly.device.resume(readOnly.strips(first, PART));
    assertThat(readOnly.device.limits().isReadOnly()).isTrue();
    assertThat(readOnly.device.limits().canDiscard()).isFalse();
    assertThat(Requests.write(readOnly.device, PART - 1, new byte[2], 0)).isEqualTo(Errno.EPERM);
    assertThat(Requests.run(readOnly.device, Operation.DISCARD, 0, 512, 0)).isEqualTo(Errno.EPERM);
    assertThat(Requests.run(readOnly.device, Operation.WRITE_ZEROES, 0, 512, 0))
        .isEqualTo(Errno.EPERM);
    try (Arena arena = Arena.ofShared()) {
      assertThat(readOnly.device.writeNow(0, arena.allocate(1), 0, 1)).isEqualTo(Errno.EPERM);
    }
    assertThat(first.log()).isEmpty();
    assertThat(Requests.read(readOnly.device, 0, SIZE)).isEqualTo(Requests.read(memory, 0, SIZE));
    readOnly.close();
  }

  private static Limits limits(boolean isReadOnly, int blockSizeBytes, boolean canDiscard) {
    return new Limits(
        isReadOnly, blockSizeBytes, canDiscard, canDiscard ? 4096 : 0, true, true, true);
  }

  @Test
  void aTableThatWouldBreakWhatUsersWereToldIsNamed() throws Exception {
    assertThat(device.obstacle(tables.strips(first))).as("nobody was told anything").isNull();
    device.resume(tables.table(new StripTarget(first, 0, PART, limits(false, 512, true))));
    assertThat(device.obstacle(tables.strips(first)))
        .isEqualTo("it is in use, and its size would change from 65536 to 262144 bytes");
    assertThat(device.obstacle(strip(limits(false, 4096, true))))
        .isEqualTo("it is in use, and would take only blocks of 4096 bytes");
    assertThat(device.obstacle(strip(limits(true, 1, false))))
        .isEqualTo("it is in use, and would become read-only");
    assertThat(device.obstacle(strip(limits(false, 1, false)))).isNull();
    tables.close();
    TestTables readOnly = new TestTables(true);
    readOnly.device.resume(strip(limits(false, 1, true)));
    assertThat(readOnly.device.obstacle(strip(limits(true, 1, false)))).as("it is").isNull();
    readOnly.close();
  }

  private Table strip(Limits limits) {
    return tables.table(new StripTarget(first, 0, PART, limits));
  }

  @Test
  void theLimitsOfATableHoldForEachTarget() throws Exception {
    device.resume(
        tables.table(
            new StripTarget(first, 0, PART, new Limits(false, 512, true, 9, true, false, false)),
            new StripTarget(second, 0, PART, new Limits(false, 4, true, 7, false, true, true))));
    assertThat(device.limits()).isEqualTo(new Limits(false, 512, true, 7, false, false, true));
    tables.close();
  }

  @Test
  void discardsAreHintsForATableThatCannotDoThem() throws Exception {
    device.resume(tables.strips(first));
    tables.swap(
        tables.table(
            new StripTarget(first, 0, PART, limits(false, 1, false)),
            new StripTarget(first, PART, 3 * PART, limits(false, 1, true))));
    first.forgetLog();
    assertThat(device.limits().canDiscard()).as("what users were told").isTrue();
    assertThat(device.limits().maxDiscardBytes()).isEqualTo(Long.MAX_VALUE);
    assertThat(Requests.run(device, Operation.DISCARD, 0, SIZE, 0)).isEqualTo(Errno.OK);
    assertThat(first.log()).isEmpty();
    tables.swap(tables.strips(first));
    assertThat(Requests.run(device, Operation.DISCARD, 0, SIZE, 0)).isEqualTo(Errno.OK);
    assertThat(first.log()).contains("DISCARD 0+" + SIZE);
    tables.close();
  }

  @Test
  void aDeviceThatNeverCouldDiscardDoesNotPretend() throws Exception {
    device.resume(strip(limits(false, 1, false)));
    tables.swap(strip(limits(false, 1, false)));
    assertThat(device.limits().canDiscard()).isFalse();
    assertThat(device.limits().maxDiscardBytes()).isZero();
    tables.close();
  }

  @Test
  void eventsAreNumberedOverAllTables() throws Exception {
    MappedDevice before = tables.mapped(new StripTarget(first, 0, SIZE));
    device.resume(new Table(List.of(before)));
    before.message(List.of("one"));
    assertThat(device.eventNumber()).isEqualTo(1);
    assertThat(device.awaitEvent(0, 0)).isTrue();
    assertThat(device.awaitEvent(1, TimeUnit.MILLISECONDS.toNanos(5))).isFalse();
    MappedDevice left = tables.mapped(new StripTarget(first, 0, PART));
    MappedDevice right = tables.mapped(new StripTarget(first, PART, 3 * PART));
    tables.swap(new Table(List.of(left, right)));
    CompletableFuture<Boolean> waiter =
        CompletableFuture.supplyAsync(() -> device.awaitEvent(2, TestClone.TIMEOUT_NANOS));
    left.message(List.of("two"));
    right.message(List.of("three"));
    assertThat(Requests.await(waiter)).isTrue();
    assertThat(tables.events).containsExactly("1 one", "2 two", "3 three");
    assertThat(device.eventNumber()).isEqualTo(3);
    tables.close();
  }

  @Test
  void aRenamedDeviceHasAnotherAddress() {
    device.rename("e");
    assertThat(device.name()).isEqualTo("e");
    assertThat(device.address()).isEqualTo("oxbow:e");
  }

  @Test
  void aTargetThatThrowsFailsItsRequestsAndNothingElse() throws Exception {
    FaultyTarget faulty = new FaultyTarget(new StripTarget(second, 0, PART));
    device.resume(
        new Table(
            List.of(
                tables.mapped(new StripTarget(first, 0, PART)),
                tables.mapped(faulty),
                tables.mapped(new StripTarget(first, PART, PART)))));
    faulty.throwAt(Place.MAP);
    assertThat(Requests.run(device, Operation.WRITE_ZEROES, 0, 3 * PART, 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
    assertThat(Requests.run(device, Operation.WRITE_ZEROES, 2 * PART, 512, 0)).isEqualTo(Errno.OK);
    assertThat(tables.events).hasSize(1).first().asString().startsWith("1 device failed: ");
    device.suspend(TestTables.PATIENCE, true);
    CompletableFuture<Integer> read = TestTables.start(device, Operation.CACHE, 0, 3 * PART);
    assertThat(read).as("held by the others").isNotDone();
    Objects.requireNonNull(device.resume(tables.strips(first, PART))).close();
    assertThat(read).isCompletedWithValue(Errno.EIO);
    assertThat(Requests.flush(device)).as("the new table is well").isEqualTo(Errno.OK);
    tables.close();
  }
}
