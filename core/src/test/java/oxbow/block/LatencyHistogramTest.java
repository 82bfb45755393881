package oxbow.block;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Each latency falls into the first bucket whose bound it does not exceed. */
class LatencyHistogramTest {
  @Test
  void boundsBelongToTheirBuckets() {
    assertThat(LatencyHistogram.boundNanos(0)).isEqualTo(1_000);
    assertThat(LatencyHistogram.boundNanos(26)).isEqualTo(67_108_864_000L);
    for (int bucket = 0; bucket < LatencyHistogram.BUCKETS - 1; bucket++) {
      long bound = LatencyHistogram.boundNanos(bucket);
      assertThat(LatencyHistogram.bucketOf(bound)).isEqualTo(bucket);
      assertThat(LatencyHistogram.bucketOf(bound + 1)).isEqualTo(bucket + 1);
    }
    assertThat(LatencyHistogram.bucketOf(0)).isZero();
    assertThat(LatencyHistogram.bucketOf(Long.MAX_VALUE)).isEqualTo(LatencyHistogram.BUCKETS - 1);
  }
}
