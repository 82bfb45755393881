package oxbow.nbd.server;

/**
 * What all clients of one export together may have. Who meets a limit of what is in flight is not
 * refused but waits in line, first come, first served.
 *
 * @param maxConnections clients at a time, at least 1; further ones are refused
 * @param maxRequestsInFlight requests that the device has not completed, at least 1; those that it
 *     carries out at once do not count
 * @param maxBytesInFlight payload of these requests; one request is always let in, whatever its
 *     size
 */
public record ExportLimits(int maxConnections, int maxRequestsInFlight, long maxBytesInFlight) {
  /** No limits but those of each connection. */
  public static final ExportLimits UNLIMITED =
      new ExportLimits(Integer.MAX_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE);

  /** Checks that something is possible at all. */
  public ExportLimits {
    if (maxConnections < 1 || maxRequestsInFlight < 1 || maxBytesInFlight < 0) {
      throw new IllegalArgumentException("limits of an export must be at least 1");
    }
  }

  /** The same with another limit of clients. */
  public ExportLimits withConnections(int connections) {
    return new ExportLimits(connections, maxRequestsInFlight, maxBytesInFlight);
  }

  /** The same with other limits of what is in flight. */
  public ExportLimits withInFlight(int requests, long bytes) {
    return new ExportLimits(maxConnections, requests, bytes);
  }

  boolean isInFlightLimited() {
    return maxRequestsInFlight < Integer.MAX_VALUE || maxBytesInFlight < Long.MAX_VALUE;
  }
}
