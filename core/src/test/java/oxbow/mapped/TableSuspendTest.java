package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.mapped.FaultyTarget.Place;

/**
 * Aim: a suspend waits for what it should and for nothing else; one that comes to nothing leaves
 * the device as it was; what could not be made durable is told to whoever asks next. Method:
 * targets whose devices answer when the test says so, or with an error.
 */
class TableSuspendTest {
  private static final int PART = 64 << 10;

  private final TestTables tables = new TestTables();
  private final TableDevice device = tables.device;
  private final ShapedDevice first = ShapedDevice.submitOnly(TestClone.random(PART, 1));
  private final ShapedDevice second = ShapedDevice.submitOnly(TestClone.random(PART, 2));

  private Table both() {
    return tables.table(new StripTarget(first, 0, PART), new StripTarget(second, 0, PART));
  }

  private CompletableFuture<Integer> startZero(long at, long length) {
    return TestTables.start(device, Operation.WRITE_ZEROES, at, length);
  }

  @Test
  void aSuspendedDeviceHoldsItsRequestsUntilItIsResumed() throws Exception {
    device.resume(both());
    device.suspend(TestTables.PATIENCE, true);
    assertThat(device.isSuspended()).isTrue();
    List<CompletableFuture<Integer>> held =
        List.of(
            startZero(0, 512),
            startZero(PART - 512, 1024),
            TestTables.start(device, Operation.FLUSH, 0, 0));
    assertThat(held).noneMatch(CompletableFuture::isDone);
    device.suspend(TestTables.PATIENCE, true);
    device.resume(null);
    assertThat(device.isSuspended()).isFalse();
    assertThat(held).allMatch(answer -> answer.getNow(-1) == Errno.OK);
    tables.close();
  }

  @Test
  void whatASuspendedDeviceHoldsIsRefusedAtItsEndAndReachesNothing() throws Exception {
    device.resume(both());
    device.refuseHeld();
    assertThat(startZero(0, 512).getNow(-1)).isEqualTo(Errno.OK);
    device.suspend(TestTables.PATIENCE, true);
    first.forgetLog();
    second.forgetLog();
    List<CompletableFuture<Integer>> held =
        List.of(startZero(PART - 512, 1024), TestTables.start(device, Operation.FLUSH, 0, 0));
    device.refuseHeld();
    assertThat(held).allMatch(answer -> answer.getNow(-1) == Errno.ESHUTDOWN);
    assertThat(startZero(0, 512).getNow(-1)).isEqualTo(Errno.ESHUTDOWN);
    assertThat(first.log()).isEmpty();
    assertThat(second.log()).isEmpty();
    tables.close();
  }

  @Test
  void aSuspendWaitsForWhatIsInFlightAndThenFlushesBelow() throws Exception {
    device.resume(both());
    second.hold();
    CompletableFuture<Integer> write = startZero(0, 2 * PART);
    CompletableFuture<Void> suspend =
        CompletableFuture.runAsync(() -> suspend(TestTables.PATIENCE, true));
    TestTables.until(() -> startZero(0, 512).getNow(-1) == -1);
    assertThat(suspend).isNotDone();
    assertThat(write).isNotDone();
    second.release();
    Requests.await(suspend);
    assertThat(write).isCompletedWithValue(Errno.OK);
    assertThat(first.log()).endsWith("FLUSH 0+0");
    assertThat(second.log()).endsWith("FLUSH 0+0");
    device.resume(null);
    tables.close();
  }

  private void suspend(Duration patience, boolean isFlushing) {
    try {
      device.suspend(patience, isFlushing);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aSuspendThatCannotEndIsGivenUpAndTheDeviceGoesOn() throws Exception {
    device.resume(both());
    for (ShapedDevice stuck : List.of(first, second)) {
      stuck.hold();
      CompletableFuture<Integer> write = startZero(0, 2 * PART);
      assertThatThrownBy(() -> device.suspend(TestTables.IMPATIENCE, true))
          .isInstanceOf(IOException.class)
          .hasMessage("requests have not ended");
      assertThat(device.isSuspended()).isFalse();
      assertThat(write).isNotDone();
      long other = stuck == first ? PART : 0;
      assertThat(startZero(other, PART)).as("goes on").isCompletedWithValue(Errno.OK);
      stuck.release();
      assertThat(write).isCompletedWithValue(Errno.OK);
    }
    assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    tables.close();
  }

  @Test
  void aSuspendThatCannotEndNamesWhatHangs() throws Exception {
    device.resume(both());
    second.goAway("gone to lunch");
    CompletableFuture<Integer> write = startZero(PART, PART);
    assertThatThrownBy(() -> device.suspend(TestTables.IMPATIENCE, true))
        .hasMessageStartingWith("requests have not ended: ")
        .hasMessageContaining("gone to lunch");
    second.comeBack();
    assertThat(write).isCompletedWithValue(Errno.OK);
    tables.close();
  }

  @Test
  void aCloneGoesOnHydratingAfterASuspendThatWasGivenUp() throws Exception {
    MemDevice origin = TestClone.random(16 * PART, 3);
    ShapedDevice source = ShapedDevice.submitOnly(origin);
    MemDevice destination = new MemDevice(16 * PART);
    try (TestClone clone = new TestClone(source, destination, "8 1 no_hydration")) {
      assertThat(clone.device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      device.resume(
          new Table(List.of(tables.mapped(new StripTarget(first, 0, PART)), clone.device)));
      source.hold();
      clone.device.message(List.of("enable_hydration"));
      assertThat(source.heldCount()).isPositive();
      final CompletableFuture<Integer> write = startZero(PART + 1, 9);
      assertThatThrownBy(() -> device.suspend(TestTables.IMPATIENCE, true))
          .isInstanceOf(IOException.class);
      source.release();
      assertThat(write).isCompletedWithValue(Errno.OK);
      clone.hydrate();
      assertThat(startZero(0, 2 * PART)).isCompletedWithValue(Errno.OK);
      device.suspend(TestTables.PATIENCE, true);
      assertThat(Requests.read(destination, PART, 15 * PART))
          .isEqualTo(Requests.read(origin, PART, 15 * PART));
    }
  }

  /** What a snapshot says once the table that is to follow has been loaded. */
  @Test
  void aSuspendIsTakenBackThoughTheTargetCouldNotBeResumedByNow() throws Exception {
    StripTarget target = new StripTarget(first, 0, PART);
    device.resume(tables.table(target, new StripTarget(second, 0, PART)));
    second.hold();
    final CompletableFuture<Integer> write = startZero(PART, PART);
    target.problem = "Unable to resume snapshot source until handover completes.";
    assertThatThrownBy(() -> device.suspend(TestTables.IMPATIENCE, true))
        .isInstanceOf(IOException.class);
    assertThat(startZero(0, PART)).isCompletedWithValue(Errno.OK);
    second.release();
    assertThat(write).isCompletedWithValue(Errno.OK);
    target.problem = null;
    tables.close();
  }

  @Test
  void aTargetThatThrowsInSuspendDoesNotKeepItFromEnding() throws Exception {
    FaultyTarget faulty = new FaultyTarget(new StripTarget(second, 0, PART));
    device.resume(
        new Table(List.of(tables.mapped(new StripTarget(first, 0, PART)), tables.mapped(faulty))));
    faulty.throwAt(Place.SUSPEND);
    device.suspend(TestTables.PATIENCE, true);
    device.resume(null);
    assertThat(startZero(0, PART)).isCompletedWithValue(Errno.OK);
    assertThat(startZero(0, PART + 512)).isCompletedWithValue(Errno.EIO);
    tables.close();
  }

  // Durability.

  private static boolean isFlush(BlockRequest request) {
    return request.operation() == Operation.FLUSH;
  }

  @Test
  void aFlushThatFailsInSuspendIsToldToTheCallerAndToTheNextFlush() throws Exception {
    device.resume(both());
    second.failWhen(TableSuspendTest::isFlush);
    assertThatThrownBy(() -> device.suspend(TestTables.PATIENCE, true))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("flush");
    assertThat(device.isSuspended()).isFalse();
    assertThat(startZero(0, 2 * PART)).isCompletedWithValue(Errno.OK);
    second.failWhen(request -> false);
    assertThat(Requests.flush(device)).as("the device may have told all it knew").isNotZero();
    assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    tables.close();
  }

  @Test
  void aFlushThatDoesNotEndInSuspendIsNotWaitedForForEver() throws Exception {
    device.resume(both());
    second.hold();
    assertThatThrownBy(() -> device.suspend(TestTables.IMPATIENCE, true))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("flush has not ended");
    assertThat(startZero(0, PART)).isCompletedWithValue(Errno.OK);
    second.release();
    assertThat(Requests.flush(device)).as("it was only late").isEqualTo(Errno.OK);
    second.hold();
    assertThatThrownBy(() -> device.suspend(TestTables.IMPATIENCE, true))
        .isInstanceOf(IOException.class);
    second.failWhen(TableSuspendTest::isFlush);
    second.release();
    second.failWhen(request -> false);
    assertThat(Requests.flush(device)).as("it failed late").isEqualTo(Errno.EIO);
    assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    tables.close();
  }

  @Test
  void withoutFlushTheSwapFlushesAndAFailureIsToldToTheNextFlushOnce() throws Exception {
    for (boolean isSpread : List.of(true, false)) {
      device.suspend(TestTables.PATIENCE, true);
      device.resume(both());
      device.suspend(TestTables.PATIENCE, false);
      first.failWhen(TableSuspendTest::isFlush);
      MemDevice memory = new MemDevice(2 * PART);
      Table next = isSpread ? tables.strips(memory, PART) : tables.strips(memory);
      device.resume(next);
      first.failWhen(request -> false);
      assertThat(tables.warnings)
          .last()
          .asString()
          .startsWith("what was written before the table was replaced may not be durable: ");
      assertThat(startZero(0, PART)).isCompletedWithValue(Errno.OK);
      assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
      assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    }
    tables.close();
  }

  @Test
  void aFlushThatWasHeldIsToldOfLostWritesToo() throws Exception {
    device.resume(both());
    device.suspend(TestTables.PATIENCE, false);
    CompletableFuture<Integer> flush = TestTables.start(device, Operation.FLUSH, 0, 0);
    first.failWhen(TableSuspendTest::isFlush);
    Objects.requireNonNull(device.resume(tables.strips(new MemDevice(2 * PART), PART))).close();
    assertThat(flush).isCompletedWithValue(Errno.EIO);
    assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    tables.close();
  }

  @Test
  void withoutFlushNothingIsFlushedUnlessTheTableIsReplaced() throws Exception {
    device.resume(both());
    device.suspend(TestTables.PATIENCE, false);
    device.resume(null);
    assertThat(first.log()).isEmpty();
    device.suspend(TestTables.PATIENCE, false);
    Objects.requireNonNull(device.resume(both())).close();
    assertThat(first.log()).containsExactly("FLUSH 0+0");
    tables.close();
  }

  @Test
  void durabilityIsBoundedByItsDeadline() {
    first.hold();
    long begin = System.nanoTime();
    Durability soon = new Durability(begin + TimeUnit.MILLISECONDS.toNanos(30), () -> {});
    assertThatThrownBy(() -> soon.flush(List.of(first))).hasMessageEndingWith("has not ended");
    assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(30));
    first.release();
  }
}
