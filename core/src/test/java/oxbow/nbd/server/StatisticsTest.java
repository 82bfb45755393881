package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.LatencyHistogram;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.SimpleReply;

/**
 * The statistics of an export count each request once, whether it waited or not, and whether its
 * client is still there. Method: what clients have asked and devices have done is counted beside.
 */
class StatisticsTest extends ServerFixture {
  private static final long PAUSE_NANOS = 20_000_000;

  private ExportStatistics statistics() {
    List<ExportStatistics> all = server.statistics();
    assertThat(all).hasSize(1);
    return all.getFirst();
  }

  private void assertCounted(RequestKind kind, long requests, long bytes, long errors) {
    RequestStatistics counted = statistics().of(kind);
    assertThat(counted.requests()).as("%s requests", kind).isEqualTo(requests);
    assertThat(counted.bytes()).as("%s bytes", kind).isEqualTo(bytes);
    assertThat(counted.errors()).as("%s errors", kind).isEqualTo(errors);
  }

  @Test
  void requestsOfEachKindAreCounted() throws IOException {
    try (RawClient client = RawClient.goStructured(address, "disk")) {
      for (int i = 0; i < 3; i++) {
        client.read(i, 1000);
        assertThat(client.write(i, new byte[500])).isZero();
        assertThat(client.error(Nbd.CMD_TRIM, 0, 0, 4096)).isZero();
        assertThat(client.error(Nbd.CMD_WRITE_ZEROES, 0, 0, 8192)).isZero();
        assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
        assertThat(client.error(Nbd.CMD_CACHE, 0, 0, 512)).isZero();
        client.request(Nbd.CMD_BLOCK_STATUS, 0, 1, 0, 512);
        client.answer(0);
        client.read(0, 0);
        if (i == 1) {
          device.declining();
        }
      }
      assertCounted(RequestKind.READ, 6, 3000, 0);
      assertCounted(RequestKind.WRITE, 3, 1500, 0);
      assertCounted(RequestKind.TRIM, 3, 3 * 4096, 0);
      assertCounted(RequestKind.WRITE_ZEROES, 3, 3 * 8192, 0);
      assertCounted(RequestKind.FLUSH, 3, 0, 0);
      assertCounted(RequestKind.OTHER, 6, 0, 0);
    }
  }

  @Test
  void refusedAndFailedRequestsAreErrorsAndMoveNoBytes() throws IOException {
    try (RawClient client = client()) {
      assertThat(client.error(Nbd.CMD_READ, 0, SIZE_BYTES, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(SIZE_BYTES, new byte[100])).isEqualTo(Errno.ENOSPC);
      assertThat(client.error(99, 0, 0, 0)).isEqualTo(Errno.EINVAL);
      device.failWith(Errno.EIO);
      assertThat(client.error(Nbd.CMD_READ, 0, 0, 512)).isEqualTo(Errno.EIO);
      assertThat(client.write(0, new byte[512])).isEqualTo(Errno.EIO);
      device.declining();
      assertThat(client.error(Nbd.CMD_READ, 0, 0, 512)).isEqualTo(Errno.EIO);
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isEqualTo(Errno.EIO);
      assertCounted(RequestKind.READ, 3, 0, 3);
      assertCounted(RequestKind.WRITE, 2, 0, 2);
      assertCounted(RequestKind.FLUSH, 1, 0, 1);
      assertCounted(RequestKind.OTHER, 1, 0, 1);
    }
  }

  @Test
  void whatIsInFlightIsSeenUntilTheDeviceGivesItBack() throws Exception {
    device.holding();
    assertThat(statistics().connectionCount()).isZero();
    BlockRequest read;
    BlockRequest flush;
    try (RawClient client = client();
        RawClient other = client()) {
      client.request(Nbd.CMD_READ, 0, 1, 0, 1000);
      read = device.takeHeld();
      other.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
      flush = device.takeHeld();
      assertThat(statistics().connectionCount()).isEqualTo(2);
      assertThat(statistics().requestsInFlight()).isEqualTo(2);
      assertThat(statistics().bytesInFlight()).isEqualTo(1000);
      device.carryOut(flush);
      assertThat(other.answer(0).error()).isZero();
      assertThat(statistics().requestsInFlight()).isEqualTo(1);
    }
    assertCounted(RequestKind.READ, 0, 0, 0);
    device.carryOut(read); // Its client is gone.
    awaitNoConnections();
    assertThat(statistics().connectionCount()).isZero();
    assertThat(statistics().requestsInFlight()).isZero();
    assertThat(statistics().bytesInFlight()).isZero();
    assertCounted(RequestKind.READ, 1, 1000, 0);
    assertCounted(RequestKind.FLUSH, 1, 0, 0);
  }

  @Test
  void latencyLastsFromTheReceiptToTheAnswer() throws Exception {
    try (RawClient client = client()) {
      long before = System.nanoTime();
      client.read(0, 512);
      long elapsed = System.nanoTime() - before;
      assertLatency(statistics().of(RequestKind.READ).latencies(), 1, elapsed);

      device.holding();
      before = System.nanoTime();
      client.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
      BlockRequest flush = device.takeHeld();
      pass(PAUSE_NANOS);
      device.carryOut(flush);
      client.answer(0);
      elapsed = System.nanoTime() - before;
      assertLatency(statistics().of(RequestKind.FLUSH).latencies(), PAUSE_NANOS, elapsed);
    }
  }

  private static void assertLatency(LatencyHistogram latencies, long min, long max) {
    assertThat(latencies.sumNanos()).isBetween(min, max);
    int bucket = latencies.counts().indexOf(1L);
    assertThat(latencies.sumNanos())
        .isLessThanOrEqualTo(LatencyHistogram.boundNanos(bucket))
        .isGreaterThan(bucket == 0 ? 0 : LatencyHistogram.boundNanos(bucket - 1));
  }

  /** What waits in the buffer has come; what comes behind it has come later. */
  @Test
  void requestsThatCannotBeLetInHaveTheTimeAtWhichTheyCame() throws Exception {
    server.close(DEADLINE);
    start(ServerOptions.DEFAULT.withInFlight(1, 1 << 20));
    device.holding();
    try (RawClient client = client()) {
      long began = System.nanoTime();
      ByteBuffer two = ByteBuffer.allocate(2 * 28);
      two.put(RawClient.header(Nbd.CMD_READ, 0, 1, 0, 512));
      two.put(RawClient.header(Nbd.CMD_READ, 0, 2, 0, 512)).flip();
      client.send(two);
      BlockRequest first = device.takeHeld();
      pass(PAUSE_NANOS);
      long later = System.nanoTime();
      client.request(Nbd.CMD_READ, 0, 3, 0, 512);
      device.carryOut(first);
      long most = 0;
      for (int i = 1; i <= 3; i++) {
        assertThat(client.answer(512).cookie()).isEqualTo(i);
        most += System.nanoTime() - (i < 3 ? began : later);
        if (i < 3) {
          device.carryOut(device.takeHeld());
        }
      }
      LatencyHistogram latencies = statistics().of(RequestKind.READ).latencies();
      assertThat(latencies.sumNanos()).isBetween(2 * PAUSE_NANOS, most);
    }
  }

  private static void pass(long nanos) {
    long until = System.nanoTime() + nanos;
    while (System.nanoTime() - until < 0) {
      Thread.onSpinWait();
    }
  }

  /** Clients come, die and go, while others look: the sums never fall, and end at the truth. */
  @Test
  void noCountIsLostOrTakenTwiceWhenClientsGo() throws Exception {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    String reproduce = "reproduce with: mvn test -Dtest=StatisticsTest -Doxbow.seed=" + seed;
    device.declining();
    AtomicInteger running = new AtomicInteger(4);
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Random random = new Random(seed + i);
      all.add(beside(() -> comeAndGo(random, running)));
    }
    long before = 0;
    while (running.get() > 0 || server.connectionCount() > 0) {
      ExportStatistics now = statistics();
      long requests = now.of(RequestKind.READ).requests();
      assertThat(requests).as(reproduce).isGreaterThanOrEqualTo(before);
      assertThat(now.requestsInFlight()).as(reproduce).isNotNegative();
      before = requests;
    }
    for (CompletableFuture<Void> each : all) {
      assertThat(each).as(reproduce).succeedsWithin(DEADLINE);
    }
    int count = device.log().size();
    assertThat(count).isPositive();
    assertCounted(RequestKind.READ, count, 512L * count, 0);
  }

  private void comeAndGo(Random random, AtomicInteger running) throws IOException {
    try {
      for (int life = 0; life < 100; life++) {
        try (RawClient client = client()) {
          int count = 1 + random.nextInt(20);
          for (int i = 0; i < count; i++) {
            client.request(Nbd.CMD_READ, 0, i, i * 512L, 512);
          }
          client.receive(random.nextInt(count + 1) * (SimpleReply.SIZE_BYTES + 512));
        }
      }
    } finally {
      running.decrementAndGet();
    }
  }
}
