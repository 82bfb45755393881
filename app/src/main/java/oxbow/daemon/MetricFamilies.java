package oxbow.daemon;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import oxbow.block.LatencyHistogram;

/**
 * Collects the numbers of one scrape: a family for each name, with a number for each set of labels.
 */
final class MetricFamilies {
  private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Map<String, CounterSnapshot.Builder> counters = new LinkedHashMap<>();
  private final Map<String, GaugeSnapshot.Builder> gauges = new LinkedHashMap<>();
  private final Map<String, HistogramSnapshot.Builder> histograms = new LinkedHashMap<>();

  /**
   * A number that only grows.
   *
   * @param name without {@code _total}, which the text gets
   */
  private void counter(String name, String help, Labels labels, double value) {
    counters
        .computeIfAbsent(name, _ -> CounterSnapshot.builder().name(name).help(help))
        .dataPoint(
            CounterSnapshot.CounterDataPointSnapshot.builder().labels(labels).value(value).build());
  }

  /** The same of a whole number; beyond 2^53 Prometheus rounds. */
  void counter(String name, String help, Labels labels, long value) {
    counter(name, help, labels, (double) value);
  }

  /** The same of a whole number; beyond 2^53 Prometheus rounds. */
  void gauge(String name, String help, Labels labels, long value) {
    gauge(name, help, labels, (double) value);
  }

  /** A number that goes up and down. */
  void gauge(String name, String help, Labels labels, double value) {
    gauges
        .computeIfAbsent(name, _ -> GaugeSnapshot.builder().name(name).help(help))
        .dataPoint(
            GaugeSnapshot.GaugeDataPointSnapshot.builder().labels(labels).value(value).build());
  }

  /** Latencies, in seconds. */
  void histogram(String name, String help, Labels labels, LatencyHistogram latencies) {
    List<Double> bounds = new ArrayList<>();
    List<Long> counts = latencies.counts();
    for (int bucket = 0; bucket < LatencyHistogram.BUCKETS; bucket++) {
      long bound = LatencyHistogram.boundNanos(bucket);
      bounds.add(bound == Long.MAX_VALUE ? Double.POSITIVE_INFINITY : bound / NANOS);
    }
    histograms
        .computeIfAbsent(name, _ -> HistogramSnapshot.builder().name(name).help(help))
        .dataPoint(
            HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .labels(labels)
                .classicHistogramBuckets(ClassicHistogramBuckets.of(bounds, counts))
                .sum(latencies.sumNanos() / NANOS)
                .build());
  }

  MetricSnapshots snapshots() {
    List<MetricSnapshot> all = new ArrayList<>();
    counters.values().forEach(each -> all.add(each.build()));
    gauges.values().forEach(each -> all.add(each.build()));
    histograms.values().forEach(each -> all.add(each.build()));
    return new MetricSnapshots(all);
  }
}
