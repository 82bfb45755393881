package oxbow.nbd.server;

import oxbow.block.LatencyHistogram;

/**
 * What has become of the requests of one kind.
 *
 * @param bytes read or changed by those that succeeded
 * @param errors how many were answered with an error, refused ones included
 * @param latencies of all, failed ones included
 */
public record RequestStatistics(long bytes, long errors, LatencyHistogram latencies) {
  /** How many there were. */
  public long requests() {
    return latencies.count();
  }
}
