package oxbow.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.SplittableRandom;
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
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;

/**
 * What a 4 KiB request to a hydrated clone costs below the socket: gate, map, and in {@code file}
 * mode the system call; and what the same costs on the destination itself, which is the least it
 * could. Run with {@code -prof gc}: it must allocate nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class HotPathBenchmark {
  private static final long DEVICE_BYTES = 64L << 20;
  private static final int REQUEST_BYTES = 4096;

  /** Where the destination lies. */
  @Param({"memory", "file"})
  public String where = "memory";

  /** What is asked: the clone, or its destination without it. */
  @Param({"clone", "destination"})
  public String what = "clone";

  private final Arena arena = Arena.ofShared();
  private final MemorySegment data = arena.allocate(REQUEST_BYTES, REQUEST_BYTES);
  private final SplittableRandom random = new SplittableRandom(1);
  private @Nullable CloneBench opened;
  private @Nullable BlockDevice device;

  /** Hydrates the clone and fills it, so that reads find data and not holes. */
  @Setup(Level.Trial)
  public void hydrate() throws IOException, InterruptedException {
    CloneBench clone = new CloneBench(where, DEVICE_BYTES, 0, true);
    opened = clone;
    device = what.equals("clone") ? clone.device : clone.destination;
    clone.awaitHydrated();
    for (long at = 0; at < DEVICE_BYTES; at += REQUEST_BYTES) {
      check(clone.device.writeNow(at, data, 0, REQUEST_BYTES));
    }
  }

  @Benchmark
  public void read() {
    check(Objects.requireNonNull(device).readNow(nextOffset(), data, 0, REQUEST_BYTES));
  }

  @Benchmark
  public void write() {
    check(Objects.requireNonNull(device).writeNow(nextOffset(), data, 0, REQUEST_BYTES));
  }

  private long nextOffset() {
    return random.nextLong(DEVICE_BYTES / REQUEST_BYTES) * REQUEST_BYTES;
  }

  private static void check(int errno) {
    if (errno != Errno.OK) {
      throw new IllegalStateException(Errno.describe(errno));
    }
  }

  @TearDown(Level.Trial)
  public void close() throws IOException {
    Objects.requireNonNull(opened).close();
    arena.close();
  }
}
