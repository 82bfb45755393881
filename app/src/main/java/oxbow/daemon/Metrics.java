package oxbow.daemon;

import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.Labels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.block.IoStatistics;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.control.Answer;
import oxbow.control.TargetLine;
import oxbow.nbd.server.ExportStatistics;
import oxbow.nbd.server.RequestKind;
import oxbow.nbd.server.RequestStatistics;

/**
 * What Prometheus is told: of each device, of each of its targets, and of each export. All numbers
 * are kept elsewhere and only read here.
 */
final class Metrics {
  private static final String CLONE = "clone";

  private final Devices devices;
  private final Exports exports;
  private final HydrationRates rates = new HydrationRates();

  Metrics(Devices devices, Exports exports) {
    this.devices = devices;
    this.exports = exports;
  }

  /** Looks how far hydration is; to be called every few seconds. */
  void sample() {
    Map<String, Long> hydrated = new HashMap<>();
    for (ManagedDevice device : devices.all()) {
      for (TargetLine line : device.status(true)) {
        if (line.target().equals(CLONE)) {
          hydrated.put(key(device, line), number(line, "hydratedBytes"));
        }
      }
    }
    rates.sample(hydrated, System.nanoTime());
  }

  private static String key(ManagedDevice device, TargetLine line) {
    return device.name() + "/" + line.startSector();
  }

  /** The text of a scrape. */
  Answer.Text scrape() {
    MetricFamilies families = new MetricFamilies();
    for (ManagedDevice device : devices.all()) {
      device(families, device);
      for (TargetLine line : device.status(true)) {
        target(families, device, line);
      }
    }
    exports.statistics((at, each) -> export(families, at, each));
    PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try {
      writer.write(text, families.snapshots());
    } catch (IOException cannotHappen) {
      throw new UncheckedIOException(cannotHappen);
    }
    return new Answer.Text(writer.getContentType(), text.toString(StandardCharsets.UTF_8));
  }

  private static void device(MetricFamilies to, ManagedDevice device) {
    Labels labels = Labels.of("device", device.name());
    to.gauge(
        "oxbow_device_size_bytes", "Length of the device.", labels, device.block().sizeBytes());
    to.gauge(
        "oxbow_device_suspended",
        "1 while requests are held.",
        labels,
        device.isSuspended() ? 1 : 0);
    to.gauge(
        "oxbow_device_open_count", "Clients and devices that use it.", labels, device.openCount());
    to.counter("oxbow_device_events", "Events raised.", labels, device.eventNumber());
    IoStatistics statistics = device.block().statistics();
    for (Operation operation : Operation.values()) {
      IoStatistics.OfOperation of = statistics.of(operation);
      Labels each = labels.add("operation", word(operation));
      to.counter("oxbow_device_requests", "Requests answered.", each, of.requests());
      to.counter("oxbow_device_bytes", "Bytes of those that succeeded.", each, of.bytes());
      to.counter("oxbow_device_errors", "Requests answered with an error.", each, of.errors());
      to.histogram(
          "oxbow_device_request_seconds",
          "How long requests took; each 32nd of those served at once stands for the others.",
          each,
          of.latencies());
    }
  }

  private static String word(Enum<?> operation) {
    return operation.name().toLowerCase(Locale.ROOT);
  }

  private void target(MetricFamilies to, ManagedDevice device, TargetLine line) {
    Labels labels = Labels.of("device", device.name(), "start", Long.toString(line.startSector()));
    switch (line.target()) {
      case CLONE -> cloned(to, device, line, labels);
      case "snapshot", "snapshot-merge" -> stored(to, line, labels);
      case "bow" -> backedUp(to, line, labels);
      default -> {}
    }
  }

  private void cloned(MetricFamilies to, ManagedDevice device, TargetLine line, Labels labels) {
    to.gauge(
        "oxbow_clone_hydrated_regions",
        "Regions that the destination holds.",
        labels,
        number(line, "hydratedRegions"));
    to.gauge("oxbow_clone_regions", "All regions.", labels, number(line, "totalRegions"));
    to.gauge(
        "oxbow_clone_hydrating_regions",
        "Regions that are being copied.",
        labels,
        number(line, "hydratingRegions"));
    long hydrated = number(line, "hydratedBytes");
    double rate = rates.bytesPerSecond(key(device, line));
    to.gauge("oxbow_clone_hydration_bytes_per_second", "Mean of half a minute.", labels, rate);
    double left = (double) (Sectors.toBytes(line.lengthSectors()) - hydrated);
    to.gauge(
        "oxbow_clone_hydration_seconds_left",
        "Estimated; infinite while nothing is hydrated.",
        labels,
        left == 0 ? 0 : left / rate);
    to.counter(
        "oxbow_clone_copied_bytes",
        "Bytes copied from the source by this process.",
        labels,
        number(line, "copiedBytes"));
    to.counter(
        "oxbow_clone_hydration_failures", "Copies that failed.", labels, number(line, "failures"));
    to.counter(
        "oxbow_clone_commits",
        "Commits that made regions durable.",
        labels,
        number(line, "commits"));
    to.gauge(
        "oxbow_clone_metadata_used_blocks",
        "Metadata blocks in use, of 4 KiB.",
        labels,
        number(line, "usedMetadataBlocks"));
    to.gauge(
        "oxbow_clone_metadata_blocks",
        "All metadata blocks, of 4 KiB.",
        labels,
        number(line, "totalMetadataBlocks"));
    state(
        to, "oxbow_clone_mode", "1 for the mode that it is in.", labels, line.fields().get("mode"));
  }

  private static void stored(MetricFamilies to, TargetLine line, Labels labels) {
    long allocated = number(line, "allocatedSectors");
    long metadata = number(line, "metadataSectors");
    to.gauge(
        "oxbow_snapshot_store_bytes",
        "Length of the store.",
        labels,
        Sectors.toBytes(number(line, "totalSectors")));
    to.gauge(
        "oxbow_snapshot_free_bytes",
        "Bytes of the store that are not in use.",
        labels,
        Sectors.toBytes(number(line, "totalSectors") - allocated));
    to.gauge(
        "oxbow_snapshot_exceptions",
        "Chunks whose old or new content the store holds.",
        labels,
        number(line, "exceptions"));
    to.gauge(
        "oxbow_snapshot_exception_bytes",
        "Bytes of the store that hold exceptions' chunks.",
        labels,
        Sectors.toBytes(allocated - metadata));
    state(
        to,
        "oxbow_snapshot_state",
        "1 for the state that it is in.",
        labels,
        line.fields().get("state"));
  }

  private static void backedUp(MetricFamilies to, TargetLine line, Labels labels) {
    to.gauge(
        "oxbow_bow_free_bytes",
        "Free space that backups may use.",
        labels,
        number(line, "freeBytes"));
    to.gauge("oxbow_bow_log_entries", "Entries of the log.", labels, number(line, "logEntries"));
    to.gauge(
        "oxbow_bow_backed_up_bytes",
        "Bytes saved since the checkpoint.",
        labels,
        number(line, "backedUpBytes"));
    state(
        to,
        "oxbow_bow_state",
        "1 for the state that it is in.",
        labels,
        line.fields().get("state"));
  }

  private static void state(
      MetricFamilies to, String name, String help, Labels labels, @Nullable Object state) {
    to.gauge(name, help, labels.add("state", String.valueOf(state)), 1);
  }

  private static long number(TargetLine line, String field) {
    return line.fields().get(field) instanceof Number number ? number.longValue() : 0;
  }

  private static void export(MetricFamilies to, Exports.At at, ExportStatistics export) {
    Labels labels =
        Labels.of("device", at.device(), "listen", at.listen(), "export", export.name());
    to.gauge("oxbow_export_clients", "Clients.", labels, export.connectionCount());
    to.gauge(
        "oxbow_export_requests_in_flight",
        "Requests that the device has.",
        labels,
        export.requestsInFlight());
    to.gauge("oxbow_export_in_flight_bytes", "Payload of these.", labels, export.bytesInFlight());
    for (RequestKind kind : RequestKind.values()) {
      RequestStatistics of = export.of(kind);
      Labels each = labels.add("operation", word(kind));
      to.counter("oxbow_export_requests", "Requests answered.", each, of.requests());
      to.counter("oxbow_export_bytes", "Bytes of those that succeeded.", each, of.bytes());
      to.counter("oxbow_export_errors", "Requests answered with an error.", each, of.errors());
      to.histogram(
          "oxbow_export_request_seconds",
          "From the receipt of a request to its answer.",
          each,
          of.latencies());
    }
  }
}
