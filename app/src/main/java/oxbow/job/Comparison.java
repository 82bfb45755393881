package oxbow.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.DeviceException;
import oxbow.block.Errno;

/**
 * Compares two devices byte by byte, in large reads, several at a time, passing over what both say
 * reads as zeros. Used once.
 */
public final class Comparison {
  private static final int CHUNK_BYTES = BulkReader.MAX_BYTES;
  private static final int WORKERS = 4;

  private final BlockDevice a;
  private final BlockDevice b;
  private final ZeroSkippingCursor cursor;
  private final AtomicLong comparedBytes = new AtomicLong();
  private final AtomicLong readBytes = new AtomicLong();

  // Guarded by this.
  private @Nullable Difference first;
  private @Nullable IOException failure;

  /**
   * The first byte that differs.
   *
   * @param a its value on the one device, 0 to 255
   * @param b its value on the other
   */
  public record Difference(long offsetBytes, int a, int b) {}

  /**
   * The devices stay the caller's. What one has beyond the length of the other is not looked at.
   */
  public Comparison(BlockDevice a, BlockDevice b) {
    this.a = a;
    this.b = b;
    this.cursor = new ZeroSkippingCursor(a, b, Math.min(a.sizeBytes(), b.sizeBytes()), CHUNK_BYTES);
  }

  /** How much has been dealt with; from any thread. */
  public long comparedBytes() {
    return comparedBytes.get();
  }

  /** How much of it had to be read from each device; from any thread. */
  public long readBytes() {
    return readBytes.get();
  }

  /**
   * Compares to the end, or to the first difference. Blocks.
   *
   * @return null when there is no difference
   * @throws IOException when a device fails
   */
  public @Nullable Difference run() throws IOException, InterruptedException {
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      workers.add(Thread.ofPlatform().daemon().name("compare-" + i).start(this::work));
    }
    for (Thread worker : workers) {
      worker.join();
    }
    synchronized (this) {
      if (failure != null) {
        throw failure;
      }
      return first;
    }
  }

  private void work() {
    try (Arena arena = Arena.ofShared()) {
      BulkReader sideA = new BulkReader(a, arena);
      BulkReader sideB = new BulkReader(b, arena);
      for (var chunk = cursor.next(); chunk != null; chunk = cursor.next()) {
        if (isBeyondFirst(chunk.offsetBytes())) {
          return;
        }
        if (!chunk.isZero()) {
          compare(sideA, sideB, chunk.offsetBytes(), (int) chunk.lengthBytes());
        }
        comparedBytes.addAndGet(chunk.lengthBytes());
      }
    } catch (IOException failed) {
      fail(failed);
    } catch (RuntimeException | Error fault) {
      fail(new IOException("fault in the program: " + fault, fault));
    }
  }

  private void compare(BulkReader sideA, BulkReader sideB, long offsetBytes, int lengthBytes)
      throws IOException {
    sideA.begin(offsetBytes, lengthBytes);
    sideB.begin(offsetBytes, lengthBytes);
    // Both are waited for before either may throw: the arena must outlive the reads.
    int errnoA = sideA.end();
    int errnoB = sideB.end();
    check(a, errnoA, offsetBytes);
    check(b, errnoB, offsetBytes);
    readBytes.addAndGet(lengthBytes);
    long at = sideA.mismatch(sideB, 0, lengthBytes);
    if (at >= 0) {
      found(new Difference(offsetBytes + at, sideA.byteAt(at), sideB.byteAt(at)));
    }
  }

  private static void check(BlockDevice device, int errno, long offsetBytes)
      throws DeviceException {
    if (errno != Errno.OK) {
      throw new DeviceException(errno, device.address() + ": read at byte " + offsetBytes);
    }
  }

  /** Chunks before a difference are still compared, so that the first one is told. */
  private synchronized boolean isBeyondFirst(long offsetBytes) {
    return failure != null || (first != null && first.offsetBytes() < offsetBytes);
  }

  private synchronized void found(Difference difference) {
    if (first == null || difference.offsetBytes() < first.offsetBytes()) {
      first = difference;
    }
  }

  private synchronized void fail(IOException why) {
    if (failure == null) {
      failure = why;
    }
  }
}
