package oxbow.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.IoStatistics.OfOperation;

/** Aim: what is counted is what is told, each under its own name. */
class IoCountsTest {
  private final IoCounts counts = new IoCounts();

  @ParameterizedTest
  @CsvSource({
    "-5, 0",
    "0, 0",
    "1000, 0",
    "1001, 1",
    "2000, 1",
    "2001, 2",
    "1024000, 10",
    "67108864000, 26",
    "67108864001, 27",
    "9223372036854775807, 27"
  })
  void aLatencyFallsIntoTheLowestBucketThatTakesIt(long nanos, int bucket) {
    assertThat(LatencyHistogram.bucketOf(nanos)).isEqualTo(bucket);
    assertThat(LatencyHistogram.boundNanos(bucket)).isGreaterThanOrEqualTo(nanos);
    if (bucket > 0) {
      assertThat(LatencyHistogram.boundNanos(bucket - 1)).isLessThan(nanos);
    }
  }

  @Test
  void eachOperationIsCountedApart() {
    for (Operation operation : Operation.values()) {
      for (int i = 0; i <= operation.index; i++) {
        counts.count(operation, 10, Errno.OK);
      }
    }
    IoStatistics statistics = counts.statistics();
    for (Operation operation : Operation.values()) {
      OfOperation of = statistics.of(operation);
      assertThat(of.requests()).isEqualTo(operation.index + 1);
      assertThat(of.bytes()).isEqualTo(10L * of.requests());
      assertThat(of.errors()).isZero();
      assertThat(of.latencies().count()).isZero();
    }
  }

  @Test
  void errorsHaveNoBytesAndOnlyTimedRequestsALatency() {
    counts.count(Operation.WRITE, 512, Errno.EIO);
    counts.count(Operation.WRITE, 1024, Errno.OK, 3000);
    counts.count(Operation.WRITE, 2048, Errno.ENOSPC, 70_000_000_000L);
    OfOperation writes = counts.statistics().of(Operation.WRITE);
    assertThat(writes.requests()).isEqualTo(3);
    assertThat(writes.bytes()).isEqualTo(1024);
    assertThat(writes.errors()).isEqualTo(2);
    assertThat(writes.latencies().sumNanos()).isEqualTo(70_000_003_000L);
    assertThat(IntStream.range(0, 28).filter(i -> writes.latencies().counts().get(i) == 1))
        .containsExactly(2, 27);
    assertThat(writes.latencies().count()).isEqualTo(2);
  }

  @Test
  void ofThoseServedAtOnceOneInThirtyTwoIsTimedForAll() {
    int timed = 0;
    for (int i = 0; i < 100; i++) {
      long begun = counts.begin(Operation.READ);
      timed += begun == 0 ? 0 : 1;
      counts.countNow(Operation.READ, 512, i % 2 == 0 ? Errno.OK : Errno.EIO, begun);
    }
    assertThat(timed).isEqualTo(1 + 99 / 32);
    OfOperation reads = counts.statistics().of(Operation.READ);
    assertThat(reads.requests()).isEqualTo(100);
    assertThat(reads.errors()).isEqualTo(50);
    assertThat(reads.latencies().count()).isEqualTo(1 + 96);
    assertThat(reads.latencies().sumNanos()).isPositive();
    assertThat(counts.begin(Operation.WRITE)).as("each operation has its own").isNotZero();
  }

  @Test
  void whatCouldNotBeServedAtOnceIsTriedAgainAndTimedThen() {
    counts.begin(Operation.READ);
    counts.countNow(Operation.READ, 512, Errno.OK, counts.begin(Operation.READ));
    assertThat(counts.statistics().of(Operation.READ).latencies().count()).isEqualTo(1);
  }

  @Test
  void sumsAreOfEverything() {
    IoCounts other = new IoCounts();
    counts.count(Operation.READ, 5, Errno.OK, 1);
    other.count(Operation.READ, 7, Errno.EIO, 2);
    other.count(Operation.CACHE, 9, Errno.OK, 3);
    IoCounts sum = new IoCounts();
    counts.addTo(sum);
    other.addTo(sum);
    OfOperation reads = sum.statistics().of(Operation.READ);
    assertThat(reads.requests()).isEqualTo(2);
    assertThat(reads.bytes()).isEqualTo(5);
    assertThat(reads.errors()).isEqualTo(1);
    assertThat(reads.latencies().sumNanos()).isEqualTo(3);
    assertThat(reads.latencies().counts().getFirst()).isEqualTo(2);
    assertThat(sum.statistics().of(Operation.CACHE).bytes()).isEqualTo(9);
    assertThat(counts.statistics().of(Operation.READ).requests()).isEqualTo(1);
  }
}
