package oxbow.nbd.server;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * All that the clients of an export have done: the meters of those who are attached, and the sum of
 * those who were. Under its own lock, which a connection takes when it begins and ends only.
 */
final class ExportTraffic {
  private final List<Meter> meters = new ArrayList<>();
  private final Meter.Sum gone = new Meter.Sum();

  synchronized void begin(Meter meter) {
    meters.add(meter);
  }

  /** On the loop that writes the meter, which does so no more. */
  synchronized void end(Meter meter) {
    if (meters.remove(meter)) {
      meter.addTo(gone);
    }
  }

  private synchronized Meter.Sum sum() {
    Meter.Sum sum = gone.copy();
    meters.forEach(meter -> meter.addTo(sum));
    return sum;
  }

  ExportStatistics statistics(String name, int connectionCount) {
    Meter.Sum sum = sum();
    Map<RequestKind, RequestStatistics> requests = new EnumMap<>(RequestKind.class);
    for (RequestKind kind : RequestKind.values()) {
      requests.put(kind, sum.of(kind));
    }
    return new ExportStatistics(
        name, connectionCount, sum.requestsInFlight(), sum.bytesInFlight(), requests);
  }
}
