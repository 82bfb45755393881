package oxbow.daemon;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.nbd.server.ExportLimits;

/**
 * That a device shall be served, as it was asked for and as it is kept.
 *
 * @param listen {@code unix:PATH} or {@code tcp:HOST:PORT}
 * @param exportName null for the name of the device, whatever that is
 * @param isReadOnly whether writes are refused here, even if the device takes them
 * @param isDefault whether clients of the address that name no export get this one
 * @param limits of all its clients together
 */
record ExportOrder(
    String listen,
    @Nullable String exportName,
    boolean isReadOnly,
    boolean isDefault,
    ExportLimits limits) {

  /** The name that clients ask for. */
  String nameFor(ManagedDevice device) {
    String given = exportName;
    return given == null ? device.name() : given;
  }

  /** The same at an address where port 0 has become a real one. */
  ExportOrder at(String actual) {
    return new ExportOrder(actual, exportName, isReadOnly, isDefault, limits);
  }

  /** By the names of the control protocol, which are those of the state file too. */
  Map<String, @Nullable Object> toJson() {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("listen", listen);
    json.put("exportName", exportName);
    json.put("readOnly", isReadOnly);
    json.put("default", isDefault);
    json.put("maxConnections", limited(limits.maxConnections(), Integer.MAX_VALUE));
    json.put("maxRequests", limited(limits.maxRequestsInFlight(), Integer.MAX_VALUE));
    json.put("maxBytes", limited(limits.maxBytesInFlight(), Long.MAX_VALUE));
    return json;
  }

  private static @Nullable Long limited(long limit, long none) {
    return limit == none ? null : limit;
  }

  /** Limits from numbers, 0 for none of that kind. */
  static ExportLimits limits(long connections, long requests, long bytes) {
    return new ExportLimits(
        connections == 0 ? Integer.MAX_VALUE : (int) Math.min(connections, Integer.MAX_VALUE),
        requests == 0 ? Integer.MAX_VALUE : (int) Math.min(requests, Integer.MAX_VALUE),
        bytes == 0 ? Long.MAX_VALUE : bytes);
  }
}
