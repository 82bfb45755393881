package oxbow.nbd.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import oxbow.block.LatencyHistogram;

/**
 * Counts the requests of one connection, in a cell that only its loop writes and anyone may read:
 * opaque stores cost no more than plain ones, and no reader sees half a number.
 *
 * <p>What is carried out at once is gathered in plain fields first, since all of it that is
 * answered together took equally long: one request costs a few additions, one batch a clock.
 */
final class Meter {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  /** Apart from what other loops write: two cache lines, as processors fetch them in pairs. */
  private static final int PADDING = 16;

  private static final int BYTES = LatencyHistogram.BUCKETS;
  private static final int ERRORS = BYTES + 1;
  private static final int SUM_NANOS = ERRORS + 1;
  private static final int NUMBERS_OF_A_KIND = SUM_NANOS + 1;
  private static final int COUNTED = RequestKind.COUNT * NUMBERS_OF_A_KIND;

  private static final int REQUESTS_IN_FLIGHT = PADDING + COUNTED;
  private static final int BYTES_IN_FLIGHT = REQUESTS_IN_FLIGHT + 1;

  private final long[] cell = new long[PADDING + COUNTED + 2 + PADDING];

  private final int[] gathered = new int[RequestKind.COUNT];
  private final int[] gatheredErrors = new int[RequestKind.COUNT];
  private final long[] gatheredBytes = new long[RequestKind.COUNT];
  private boolean hasGathered;

  /** A request was carried out at once; its latency is told by {@link #settle}. */
  void gather(RequestKind kind, long bytes) {
    gathered[kind.index]++;
    gatheredBytes[kind.index] += bytes;
    hasGathered = true;
  }

  /** The same of one that failed at once. */
  void gatherError(RequestKind kind) {
    gatheredErrors[kind.index]++;
    gather(kind, 0);
  }

  boolean hasGathered() {
    return hasGathered;
  }

  /** All that was gathered took so long. */
  void settle(long latencyNanos) {
    for (int kind = 0; kind < RequestKind.COUNT; kind++) {
      if (gathered[kind] > 0) {
        add(kind, gathered[kind], gatheredBytes[kind], gatheredErrors[kind], latencyNanos);
        gathered[kind] = 0;
        gatheredBytes[kind] = 0;
        gatheredErrors[kind] = 0;
      }
    }
    hasGathered = false;
  }

  /** A request took so long. */
  void count(RequestKind kind, long bytes, boolean isError, long latencyNanos) {
    add(kind.index, 1, bytes, isError ? 1 : 0, latencyNanos);
  }

  private void add(int kind, long requests, long bytes, long errors, long latencyNanos) {
    int at = PADDING + kind * NUMBERS_OF_A_KIND;
    add(at + LatencyHistogram.bucketOf(latencyNanos), requests);
    add(at + BYTES, bytes);
    add(at + ERRORS, errors);
    add(at + SUM_NANOS, requests * latencyNanos);
  }

  /** The device has got a request. */
  void begun(long bytes) {
    add(REQUESTS_IN_FLIGHT, 1);
    add(BYTES_IN_FLIGHT, bytes);
  }

  /** The device has given it back. */
  void ended(long bytes) {
    add(REQUESTS_IN_FLIGHT, -1);
    add(BYTES_IN_FLIGHT, -bytes);
  }

  private void add(int at, long more) {
    CELL.setOpaque(cell, at, cell[at] + more);
  }

  /** Adds what has been counted to a sum; on any thread. */
  void addTo(Sum sum) {
    for (int i = 0; i < COUNTED; i++) {
      sum.counted[i] += (long) CELL.getOpaque(cell, PADDING + i);
    }
    sum.requestsInFlight += (long) CELL.getOpaque(cell, REQUESTS_IN_FLIGHT);
    sum.bytesInFlight += (long) CELL.getOpaque(cell, BYTES_IN_FLIGHT);
  }

  /** What several connections have counted; for one thread. */
  static final class Sum {
    private final long[] counted = new long[COUNTED];
    private long requestsInFlight;
    private long bytesInFlight;

    Sum copy() {
      Sum copy = new Sum();
      System.arraycopy(counted, 0, copy.counted, 0, COUNTED);
      copy.requestsInFlight = requestsInFlight;
      copy.bytesInFlight = bytesInFlight;
      return copy;
    }

    long requestsInFlight() {
      return requestsInFlight;
    }

    long bytesInFlight() {
      return bytesInFlight;
    }

    RequestStatistics of(RequestKind kind) {
      int at = kind.index * NUMBERS_OF_A_KIND;
      var counts = Arrays.stream(counted, at, at + LatencyHistogram.BUCKETS).boxed().toList();
      return new RequestStatistics(
          counted[at + BYTES],
          counted[at + ERRORS],
          new LatencyHistogram(counts, counted[at + SUM_NANOS]));
    }
  }
}
