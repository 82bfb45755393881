package oxbow.nbd.server;

import java.util.Map;

/**
 * An export's traffic since it was added; numbers of different places may be moments apart.
 *
 * @param name its present name
 * @param connectionCount clients that use it now
 * @param requestsInFlight what its device has and has not completed
 * @param bytesInFlight payload of these
 * @param requests for each kind what has been answered, to clients that are gone too
 */
public record ExportStatistics(
    String name,
    int connectionCount,
    long requestsInFlight,
    long bytesInFlight,
    Map<RequestKind, RequestStatistics> requests) {
  /** Copies. */
  public ExportStatistics {
    requests = Map.copyOf(requests);
  }

  /** What was asked of one kind. */
  public RequestStatistics of(RequestKind kind) {
    RequestStatistics found = requests.get(kind);
    if (found == null) {
      throw new IllegalArgumentException("not counted: " + kind);
    }
    return found;
  }
}
