package oxbow.block;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * Counts requests in a cell that only one thread writes at a time, and any may read: opaque stores
 * cost no more than plain ones, and no reader sees half a number.
 */
public final class IoCounts {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  private static final int REQUESTS = 0;
  private static final int BYTES = 1;
  private static final int ERRORS = 2;
  private static final int SUM_NANOS = 3;
  private static final int BUCKETS = 4;
  private static final int NUMBERS_OF_AN_OPERATION = BUCKETS + LatencyHistogram.BUCKETS;

  /** Two looks at the clock would cost a tenth of a request that is served from memory. */
  private static final int SERVED_NOW_PER_SAMPLE = 32;

  private static final long NOT_TIMED = 0;

  private final long[] cell = new long[Operation.values().length * NUMBERS_OF_AN_OPERATION];

  /** For each operation, how many were served at once and are in no bucket yet. */
  private final int[] unsampled = new int[Operation.values().length];

  /** For each operation, how many more are served at once before the next one is timed. */
  private final int[] beforeSample = new int[Operation.values().length];

  /**
   * A request has been answered.
   *
   * @param lengthBytes what it was about; counts if it succeeded
   */
  public void count(Operation operation, long lengthBytes, int errno) {
    int at = operation.index * NUMBERS_OF_AN_OPERATION;
    add(at + REQUESTS, 1);
    if (errno == Errno.OK) {
      add(at + BYTES, lengthBytes);
    } else {
      add(at + ERRORS, 1);
    }
  }

  /** The same for one that was timed. */
  public void count(Operation operation, long lengthBytes, int errno, long latencyNanos) {
    count(operation, lengthBytes, errno);
    int at = operation.index * NUMBERS_OF_AN_OPERATION;
    add(at + SUM_NANOS, latencyNanos);
    add(at + BUCKETS + LatencyHistogram.bucketOf(latencyNanos), 1);
  }

  /**
   * A request is tried that may be served at once.
   *
   * @return for {@link #countNow}
   */
  public long begin(Operation operation) {
    return beforeSample[operation.index] == 0 ? System.nanoTime() : NOT_TIMED;
  }

  /**
   * It was served at once. The first one and each 32nd after it are timed; their latency counts for
   * those since the last that was.
   */
  public void countNow(Operation operation, long lengthBytes, int errno, long begun) {
    count(operation, lengthBytes, errno);
    int of = operation.index;
    int unsampledNow = ++unsampled[of];
    if (begun == NOT_TIMED) {
      beforeSample[of]--;
      return;
    }
    long latencyNanos = System.nanoTime() - begun;
    int at = of * NUMBERS_OF_AN_OPERATION;
    add(at + SUM_NANOS, latencyNanos * unsampledNow);
    add(at + BUCKETS + LatencyHistogram.bucketOf(latencyNanos), unsampledNow);
    unsampled[of] = 0;
    beforeSample[of] = SERVED_NOW_PER_SAMPLE - 1;
  }

  private void add(int at, long more) {
    CELL.setOpaque(cell, at, cell[at] + more);
  }

  /** Adds what has been counted here to a sum that the calling thread writes. */
  public void addTo(IoCounts sum) {
    for (int i = 0; i < cell.length; i++) {
      sum.add(i, (long) CELL.getOpaque(cell, i));
    }
  }

  /** What has been counted; on the thread that writes it. */
  public IoStatistics statistics() {
    Map<Operation, IoStatistics.OfOperation> operations = new EnumMap<>(Operation.class);
    for (Operation operation : Operation.values()) {
      int at = operation.index * NUMBERS_OF_AN_OPERATION;
      int end = at + NUMBERS_OF_AN_OPERATION;
      var buckets = Arrays.stream(cell, at + BUCKETS, end).boxed().toList();
      operations.put(
          operation,
          new IoStatistics.OfOperation(
              cell[at + REQUESTS],
              cell[at + BYTES],
              cell[at + ERRORS],
              new LatencyHistogram(buckets, cell[at + SUM_NANOS])));
    }
    return new IoStatistics(operations);
  }
}
