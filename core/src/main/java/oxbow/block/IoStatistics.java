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
   * @param latencies failed ones included; of those that were served at once, on the caller's
   *     thread, each 32nd was timed and stands for those since the last, so that up to 31 for each
   *     thread are in no bucket yet
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
