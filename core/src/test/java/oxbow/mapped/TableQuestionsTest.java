package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.mapped.FaultyTarget.Place;

/** Aim: questions about a device, which pass no gate, are answered by the right table, always. */
class TableQuestionsTest {
  private static final int PART = 64 << 10;
  private static final int SIZE = 4 * PART;

  private final TestTables tables = new TestTables();
  private final TableDevice device = tables.device;
  private final MemDevice memory = TestClone.random(SIZE, 1);

  @Test
  void questionsAreAnsweredUpToTheEndOfATarget() throws Exception {
    MemDevice sparse = new MemDevice(SIZE);
    Requests.write(sparse, PART, new byte[] {1});
    device.resume(
        tables.table(
            new StripTarget(new QuestionedDevice(memory, PART), 0, PART),
            new StripTarget(new QuestionedDevice(sparse, SIZE), 0, 3 * PART)));
    assertThat(Requests.extents(device, 512, 4 * PART - 512, 9))
        .containsExactly(new Requests.Extent(512, PART - 512, 0));
    int hole = Extents.HOLE | Extents.ZERO;
    assertThat(Requests.extents(device, PART, 3 * PART, 9))
        .containsExactly(
            new Requests.Extent(PART, PART, hole),
            new Requests.Extent(2 * PART, PART, 0),
            new Requests.Extent(3 * PART, PART, hole));
    assertThat(device.isInMemory(0, PART)).isTrue();
    assertThat(device.isInMemory(PART, 3 * PART)).isTrue();
    assertThat(device.isInMemory(PART - 1, 2)).as("more than one target's").isFalse();
    tables.swap(tables.strips(new QuestionedDevice(memory, PART)));
    assertThat(device.isInMemory(0, PART + 1)).isFalse();
    tables.close();
  }

  @Test
  void aTableIsNotClosedUnderAQuestion() throws Exception {
    QuestionedDevice slow = new QuestionedDevice(memory, 0).keep();
    StripTarget target = new StripTarget(slow, 0, SIZE);
    device.resume(tables.table(target));
    CompletableFuture<List<Requests.Extent>> answer =
        CompletableFuture.supplyAsync(() -> Requests.extents(device, 0, SIZE, 1));
    Extents receiver = Requests.await(slow.kept());
    device.suspend(TestTables.PATIENCE, true);
    Table former = Objects.requireNonNull(device.resume(tables.strips(memory)));
    Thread closer = Thread.ofPlatform().unstarted(() -> close(former));
    closer.start();
    TestTables.until(() -> closer.getState() == Thread.State.TIMED_WAITING);
    assertThat(target.isClosed).isFalse();
    assertThat(Requests.extents(device, 0, SIZE, 9)).as("of the new table").isNotEmpty();
    receiver.extent(SIZE, 0);
    receiver.end(Errno.OK);
    assertThat(closer.join(TestTables.PATIENCE)).isTrue();
    assertThat(target.isClosed).isTrue();
    assertThat(Requests.await(answer)).containsExactly(new Requests.Extent(0, SIZE, 0));
    tables.close();
  }

  private static void close(Table table) {
    try {
      table.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aQuestionThatMakesATargetThrowIsAnswered() throws Exception {
    FaultyTarget faulty = new FaultyTarget(new StripTarget(memory, 0, SIZE));
    device.resume(new Table(List.of(tables.mapped(faulty))));
    faulty.throwAt(Place.MAP);
    assertThatThrownBy(() -> Requests.extents(device, 0, SIZE, 1))
        .isInstanceOf(AssertionError.class);
    assertThat(device.isInMemory(0, SIZE)).isFalse();
    assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
    tables.close();
  }
}
