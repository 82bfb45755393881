package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/**
 * Aim: a request that a table held goes to the table that follows, whatever their shapes. Method:
 * one, two or four strips over one memory or another, and who is answered by which.
 */
class TableSwapTest {
  private static final int PART = 64 << 10;
  private static final int SIZE = 4 * PART;

  private final TestTables tables = new TestTables();
  private final TableDevice device = tables.device;
  private final MemDevice before = TestClone.random(SIZE, 1);
  private final MemDevice after = TestClone.random(SIZE, 2);

  private Table shape(BlockDevice below, int targets) {
    return switch (targets) {
      case 1 -> tables.strips(below);
      case 2 -> tables.strips(below, PART + 512);
      default -> tables.strips(below, PART, 2 * PART, 3 * PART);
    };
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,2", "1,4", "2,1", "4,1", "2,4", "4,2", "4,4"})
  void whatWasHeldGoesToTheNewTable(int from, int to) throws Exception {
    ShapedDevice below = ShapedDevice.submitOnly(after);
    device.resume(shape(before, from));
    final byte[] untouched = Requests.read(before, 0, SIZE);
    byte[] expected = Requests.read(after, 0, SIZE);
    device.suspend(TestTables.PATIENCE, true);
    List<CompletableFuture<Integer>> held = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment written = arena.allocate(2 * PART).fill((byte) 7);
      held.add(startData(Operation.WRITE, PART / 2, written, PART));
      held.add(TestTables.start(device, Operation.WRITE_ZEROES, 2 * PART - 512, 1024));
      held.add(TestTables.start(device, Operation.DISCARD, 3 * PART - 512, 1024));
      held.add(TestTables.start(device, Operation.FLUSH, 0, 0));
      MemorySegment read = arena.allocate(SIZE);
      held.add(startData(Operation.READ, PART * 7 / 2, read, PART / 2));
      assertThat(held).noneMatch(CompletableFuture::isDone);
      Table former = Objects.requireNonNull(device.resume(shape(below, to)));
      assertThat(held).allMatch(answer -> answer.getNow(-1) == Errno.OK);
      former.close();
      assertThat(read.asSlice(0, PART / 2).toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(Arrays.copyOfRange(expected, PART * 7 / 2, SIZE));
    }
    Arrays.fill(expected, PART / 2, PART * 3 / 2, (byte) 7);
    Arrays.fill(expected, 2 * PART - 512, 2 * PART + 512, (byte) 0);
    Arrays.fill(expected, 3 * PART - 512, 3 * PART + 512, (byte) 0);
    assertThat(Requests.read(after, 0, SIZE)).isEqualTo(expected);
    assertThat(Requests.read(before, 0, SIZE)).isEqualTo(untouched);
    assertThat(below.log()).contains("FLUSH 0+0");
    tables.close();
  }

  private CompletableFuture<Integer> startData(
      Operation operation, long at, MemorySegment data, int length) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .data(operation, at, data, 0, length, 0, (request, errno) -> done.complete(errno)));
    return done;
  }

  @Test
  void whatWasHeldForTheFirstErrorStillIs() throws Exception {
    device.resume(shape(before, 4));
    device.suspend(TestTables.PATIENCE, true);
    CompletableFuture<Integer> held = TestTables.start(device, Operation.WRITE_ZEROES, 0, SIZE);
    ShapedDevice failing = ShapedDevice.submitOnly(after).failWith(Errno.ENOSPC);
    failing.failWhen(request -> request.offsetBytes() == 2 * PART);
    Objects.requireNonNull(device.resume(shape(failing, 4))).close();
    assertThat(held).isCompletedWithValue(Errno.ENOSPC);
    tables.close();
  }

  @Test
  void aDiscardThatWasHeldSucceedsThoughTheNewTableCannotDoIt() throws Exception {
    for (int targets : List.of(1, 4)) {
      tables.swap(shape(before, targets));
      device.suspend(TestTables.PATIENCE, true);
      CompletableFuture<Integer> held = TestTables.start(device, Operation.DISCARD, 0, SIZE);
      ShapedDevice undiscardable = ShapedDevice.submitOnly(after);
      undiscardable.failWhen(request -> request.operation() == Operation.DISCARD);
      Limits limits = new Limits(false, 1, false, 0, true, true, true);
      Table next = tables.table(new StripTarget(undiscardable, 0, SIZE, limits));
      Objects.requireNonNull(device.resume(next)).close();
      assertThat(held).isCompletedWithValue(Errno.OK);
      assertThat(undiscardable.log()).isEmpty();
    }
    tables.close();
  }

  @Test
  void aThreadThatComesLateToAReplacedTableIsHandedOn() throws Exception {
    StripTarget target = new StripTarget(before, 0, SIZE);
    MappedDevice late = tables.mapped(target);
    device.resume(new Table(List.of(late)));
    tables.swap(shape(after, 2));
    assertThat(target.isClosed).isTrue();
    try (Arena arena = Arena.ofShared()) {
      assertThat(late.readNow(0, arena.allocate(9), 0, 9)).isEqualTo(Errno.EAGAIN);
    }
    assertThat(Requests.read(late, 0, SIZE)).isEqualTo(Requests.read(after, 0, SIZE));
    assertThat(Requests.flush(late)).isEqualTo(Errno.OK);
    assertThat(late.status(false)).as("is asked for without a request").isNotEmpty();
    tables.close();
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,4", "4,1", "4,4"})
  void aTableThatCannotBeResumedLeavesTheFormerOneLive(int from, int to) throws Exception {
    device.resume(shape(before, from));
    device.suspend(TestTables.PATIENCE, true);
    final CompletableFuture<Integer> held =
        TestTables.start(device, Operation.WRITE_ZEROES, 0, SIZE);
    StripTarget fine = new StripTarget(after, 0, PART);
    StripTarget refusing = refusing(to == 1 ? SIZE : 3 * PART);
    Table next = to == 1 ? tables.table(refusing) : tables.table(fine, refusing);
    final byte[] untouched = Requests.read(after, 0, SIZE);
    assertThatThrownBy(() -> device.resume(next))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("not now");
    assertThat(device.isSuspended()).isTrue();
    assertThat(device.live()).isNotSameAs(next);
    assertThat(held).isNotDone();
    next.close();
    assertThat(refusing.isClosed).isTrue();
    assertThat(device.resume(null)).isNull();
    assertThat(held).isCompletedWithValue(Errno.OK);
    assertThat(Requests.read(before, 0, SIZE)).containsOnly(0);
    assertThat(Requests.read(after, 0, SIZE)).as("nothing was let in").isEqualTo(untouched);
    tables.close();
  }

  private StripTarget refusing(long length) {
    StripTarget target = new StripTarget(after, 0, length);
    target.problem = "not now";
    return target;
  }

  /** Comes in the moment when the new table is live and has not been refused yet. */
  @Test
  void aRequestToATableThatIsRefusedAMomentLaterIsHeldByTheFormerOne() throws Exception {
    device.resume(shape(before, 4));
    device.suspend(TestTables.PATIENCE, true);
    List<CompletableFuture<Integer>> caught = new ArrayList<>();
    StripTarget fine = new StripTarget(after, 0, PART);
    StripTarget refusing = refusing(3 * PART);
    refusing.whenAsked =
        () -> {
          caught.add(TestTables.start(device, Operation.WRITE_ZEROES, 0, 2 * PART));
          caught.add(TestTables.start(device, Operation.FLUSH, 0, 0));
        };
    Table next = tables.table(fine, refusing);
    assertThatThrownBy(() -> device.resume(next)).hasMessage("not now");
    assertThat(caught).hasSize(2).noneMatch(CompletableFuture::isDone);
    next.close();
    device.resume(null);
    assertThat(caught).allMatch(answer -> answer.getNow(-1) == Errno.OK);
    assertThat(Requests.read(before, 0, 2 * PART)).containsOnly(0);
    tables.close();
  }

  @Test
  void aDeviceThatIsNotSuspendedKeepsItsTable() throws Exception {
    device.resume(shape(before, 1));
    Table next = shape(after, 1);
    assertThatThrownBy(() -> device.resume(next))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("d: not suspended");
    next.close();
    tables.close();
  }
}
