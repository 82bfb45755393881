package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.IoStatistics;
import oxbow.block.IoStatistics.OfOperation;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.mapped.FaultyTarget.Place;

/**
 * Aim: each request is counted once, whatever becomes of it, its thread, its table. Method: known
 * numbers of requests, on threads that end and over tables that are replaced.
 */
class DeviceStatisticsTest {
  private static final int SIZE = 1 << 20;

  private final TestTables tables = new TestTables();
  private final TableDevice device = tables.device;
  private final MemDevice memory = new MemDevice(SIZE);
  private final ShapedDevice slow = ShapedDevice.submitOnly(memory);

  private static long total(IoStatistics statistics) {
    return statistics.operations().values().stream().mapToLong(OfOperation::requests).sum();
  }

  private int readNow(int times) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(512);
      int errno = Errno.OK;
      for (int i = 0; i < times; i++) {
        errno = device.readNow(0, buffer, 0, 512);
      }
      return errno;
    }
  }

  @Test
  void whatIsServedAtOnceIsCountedAndTimedNowAndThen() throws Exception {
    MappedDevice mapped = tables.mapped(new StripTarget(memory, 0, SIZE));
    device.resume(new Table(List.of(mapped)));
    readNow(33);
    try (Arena arena = Arena.ofConfined()) {
      device.writeNow(0, arena.allocate(4096), 0, 4096);
    }
    OfOperation reads = mapped.statistics().of(Operation.READ);
    assertThat(reads.requests()).isEqualTo(33);
    assertThat(reads.bytes()).isEqualTo(33 * 512);
    assertThat(reads.latencies().count()).isEqualTo(33);
    assertThat(reads.latencies().sumNanos()).isPositive();
    OfOperation writes = device.statistics().of(Operation.WRITE);
    assertThat(writes.requests()).isEqualTo(1);
    assertThat(writes.bytes()).isEqualTo(4096);
    assertThat(total(device.statistics())).isEqualTo(34);
    tables.close();
  }

  @Test
  void whatHadToWaitIsCountedOnceAndTimed() throws Exception {
    device.resume(tables.strips(slow));
    assertThat(readNow(1)).isEqualTo(Errno.EAGAIN);
    assertThat(total(device.statistics())).as("nothing was done").isZero();
    slow.hold();
    CompletableFuture<Integer> write = TestTables.start(device, Operation.WRITE_ZEROES, 0, 1000);
    assertThat(total(device.statistics())).as("not answered").isZero();
    slow.release();
    assertThat(write).isCompletedWithValue(Errno.OK);
    Requests.read(device, 0, 700);
    Requests.run(device, Operation.DISCARD, 0, 800, 0);
    Requests.flush(device);
    IoStatistics statistics = device.statistics();
    assertThat(statistics.of(Operation.WRITE_ZEROES).bytes()).isEqualTo(1000);
    assertThat(statistics.of(Operation.READ).bytes()).isEqualTo(700);
    assertThat(statistics.of(Operation.DISCARD).bytes()).isEqualTo(800);
    assertThat(statistics.of(Operation.FLUSH).bytes()).isZero();
    for (OfOperation each : statistics.operations().values()) {
      assertThat(each.latencies().count()).isEqualTo(each.requests());
      assertThat(each.latencies().sumNanos() > 0).isEqualTo(each.requests() > 0);
    }
    assertThat(total(statistics)).isEqualTo(4);
    tables.close();
  }

  @Test
  void errorsAreCountedWhereverTheyComeFrom() throws Exception {
    FaultyTarget faulty = new FaultyTarget(new StripTarget(slow, 0, SIZE));
    MappedDevice mapped = tables.mapped(faulty);
    device.resume(new Table(List.of(mapped)));
    slow.failWhen(request -> request.operation() == Operation.READ);
    assertThat(Requests.tryRead(device, 0, 512, 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.tryRead(mapped, SIZE, 1, 0)).isEqualTo(Errno.EINVAL);
    assertThat(device.statistics().of(Operation.READ))
        .extracting(OfOperation::requests, OfOperation::errors, OfOperation::bytes)
        .containsExactly(2L, 2L, 0L);
    faulty.throwAt(Place.MAP);
    assertThat(readNow(1)).isEqualTo(Errno.EIO);
    assertThat(Requests.flush(device)).as("it has failed").isEqualTo(Errno.EIO);
    assertThat(device.statistics().of(Operation.READ).errors()).isEqualTo(3);
    assertThat(device.statistics().of(Operation.FLUSH).errors()).isEqualTo(1);
    tables.close();
  }

  @Test
  void aThreadThatIsGoneLeavesItsCounts() throws Exception {
    device.resume(tables.strips(memory));
    int rounds = 20;
    for (int round = 1; round <= rounds; round++) {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        threads.add(Thread.ofPlatform().start(() -> readNow(5)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      threads.clear();
      System.gc();
      assertThat(total(device.statistics())).isEqualTo(round * 100L);
    }
    tables.close();
  }

  @Test
  void countsGoOnOverTables() throws Exception {
    device.resume(tables.strips(memory));
    readNow(3);
    tables.swap(tables.strips(memory, SIZE / 2));
    readNow(4);
    assertThat(device.statistics().of(Operation.READ).requests()).isEqualTo(7);
    Requests.run(device, Operation.WRITE_ZEROES, 0, SIZE, 0);
    assertThat(device.statistics().of(Operation.WRITE_ZEROES))
        .as("one for each target")
        .extracting(OfOperation::requests, OfOperation::bytes)
        .containsExactly(2L, (long) SIZE);
    device.suspend(TestTables.PATIENCE, true);
    StripTarget refusing = new StripTarget(memory, 0, SIZE);
    refusing.problem = "not now";
    Table refused = tables.table(refusing);
    try {
      device.resume(refused);
    } catch (IllegalStateException expected) {
      refused.close();
    }
    device.resume(null);
    assertThat(total(device.statistics())).as("neither lost nor doubled").isEqualTo(9);
    tables.close();
    assertThat(total(device.statistics())).as("at the end, too").isEqualTo(9);
  }

  @Test
  void whoLooksDuringSwapsNeverSeesFewerThanBefore() throws Exception {
    device.resume(tables.strips(memory));
    AtomicBoolean isOver = new AtomicBoolean();
    CompletableFuture<Long> requests =
        CompletableFuture.supplyAsync(
            () -> {
              long sent = 0;
              for (; !isOver.get(); sent++) {
                assertThat(Requests.run(device, Operation.CACHE, 0, 512, 0)).isEqualTo(Errno.OK);
              }
              return sent;
            });
    CompletableFuture<Void> reader =
        CompletableFuture.runAsync(
            () -> {
              for (long seen = 0; !isOver.get(); ) {
                long now = total(device.statistics());
                assertThat(now).isGreaterThanOrEqualTo(seen);
                seen = now;
              }
            });
    for (int i = 0; i < 200; i++) {
      tables.swap(tables.strips(memory));
    }
    isOver.set(true);
    Requests.await(reader);
    assertThat(Requests.await(requests)).isEqualTo(total(device.statistics()));
    tables.close();
  }
}
