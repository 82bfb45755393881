package oxbow.bench;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A whole hydration in memory: what scheduling, copying, recording and committing cost when no disk
 * takes part. {@code dataMiB} of 256 MiB or, with 0, a hole of 1 TiB.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3)
@Measurement(iterations = 5)
public class HydrationBenchmark {
  /** How much of the source is data. */
  @Param({"256", "0"})
  public int dataMiB;

  private @Nullable CloneBench opened;

  @Benchmark
  public void hydrate() throws IOException, InterruptedException {
    long data = (long) dataMiB << 20;
    CloneBench clone = new CloneBench("memory", data == 0 ? 1L << 40 : data, data, true);
    opened = clone;
    clone.awaitHydrated();
  }

  @TearDown(Level.Iteration)
  public void close() throws IOException {
    Objects.requireNonNull(opened).close();
  }
}
