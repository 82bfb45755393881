package oxbow.target.snapshot;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a snapshot's request pays for its exceptions: one million of them in an origin of 1 TiB in
 * chunks of 4 KiB, at random or in runs of 1 MiB, or none. Each question is about another place.
 * Run with {@code -prof gc}: it must allocate nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ExceptionTableBenchmark {
  private static final long ORIGIN_CHUNKS = 1L << 28;
  private static final int EXCEPTIONS = 1_000_000;
  private static final int REQUEST_CHUNKS = 256;
  private static final int PLACES = 1 << 16;

  /** How the exceptions lie. */
  @Param({"none", "random", "runs"})
  public String exceptions = "random";

  private final ExceptionTable table = new ExceptionTable(ORIGIN_CHUNKS);
  private final SplittableRandom random = new SplittableRandom(1);
  private final long[] mapped = new long[PLACES];
  private final long[] unmapped = new long[PLACES];
  private int next;

  /** Fills the table and picks places. */
  @Setup(Level.Trial)
  public void fill() {
    int runChunks = exceptions.equals("runs") ? REQUEST_CHUNKS : 1;
    long newChunk = 2;
    int places = 0;
    while (!exceptions.equals("none") && newChunk < EXCEPTIONS) {
      long first = random.nextLong(ORIGIN_CHUNKS / runChunks) * runChunks;
      if (table.get(first) == ExceptionTable.NONE) {
        table.put(first, newChunk, runChunks);
        newChunk += runChunks;
        mapped[places++ % PLACES] = first;
      }
    }
    for (int i = 0; i < PLACES; i++) {
      mapped[i] = places == 0 ? i : mapped[random.nextInt(Math.min(places, PLACES))];
      do {
        unmapped[i] = random.nextLong(ORIGIN_CHUNKS - REQUEST_CHUNKS);
      } while (table.get(unmapped[i]) != ExceptionTable.NONE);
    }
  }

  /** A chunk with an exception, if there are any. */
  @Benchmark
  public long getHit() {
    return table.get(mapped[nextPlace()]);
  }

  @Benchmark
  public long getMiss() {
    return table.get(unmapped[nextPlace()]);
  }

  /** 1 MiB that begins with an exception. */
  @Benchmark
  public long runLength() {
    return table.runLength(mapped[nextPlace()], REQUEST_CHUNKS);
  }

  /** 1 MiB that begins without one. */
  @Benchmark
  public long gapLength() {
    return table.gapLength(unmapped[nextPlace()], REQUEST_CHUNKS);
  }

  private int nextPlace() {
    next = (next + 1) & (PLACES - 1);
    return next;
  }
}
