package oxbow.block;

import java.util.Map;

/**
 * What has become of a device's requests so far; numbers of different places may be moments apart.
 *
 * @param operations for each operation
 */
public record IoStatistics(Map<Operation, OfOperation> operations) {
  /**
   * What has become of the requests of one operation.
   *
   * @param requests how many were answered
   * @param bytes of those that succeeded
   * @param errors how many were answered with an error
   * @param latencies of those that were submitted, failed ones included; what is served at once, on
   *     the caller's thread, is not timed
   */
  public record OfOperation(long requests, long bytes, long errors, LatencyHistogram latencies) {}

  /** Copies. */
  public IoStatistics {
    operations = Map.copyOf(operations);
  }

  /** What was asked of one operation. */
  public OfOperation of(Operation operation) {
    OfOperation found = operations.get(operation);
    if (found == null) {
      throw new IllegalArgumentException("not counted: " + operation);
    }
    return found;
  }
}
