package oxbow.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Operation;

/** Requests to a device as a test likes them: one call, and the answer when it returns. */
public final class Requests {
  /** Longer than any disk takes; only a lost completion waits that long. */
  public static final long TIMEOUT_SECONDS = 60;

  private Requests() {}

  /** Waits for something that happens on another thread; fails the test when it does not. */
  public static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("no completion", e);
    }
  }

  /** The error number of a request without data. */
  public static int run(BlockDevice device, Operation operation, long at, long length, int flags) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .range(operation, at, length, flags, (request, errno) -> done.complete(errno)));
    return await(done);
  }

  public static int flush(BlockDevice device) {
    return run(device, Operation.FLUSH, 0, 0, 0);
  }

  /** The error number of a write. */
  public static int write(BlockDevice device, long at, byte[] bytes, int flags) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(Math.max(1, bytes.length), 4096);
      MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
      return transfer(device, Operation.WRITE, at, buffer, bytes.length, flags);
    }
  }

  public static void write(BlockDevice device, long at, byte[] bytes) {
    assertThat(write(device, at, bytes, 0)).isEqualTo(Errno.OK);
  }

  /** The error number of a read whose bytes nobody wants. */
  public static int tryRead(BlockDevice device, long at, int length, int flags) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(Math.max(1, length), 4096);
      return transfer(device, Operation.READ, at, buffer, length, flags);
    }
  }

  /** The error number of a read; the bytes are only there after success. */
  public static int tryRead(BlockDevice device, long at, byte[] into) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(Math.max(1, into.length), 4096).fill((byte) 0x5a);
      int errno = transfer(device, Operation.READ, at, buffer, into.length, 0);
      if (errno == Errno.OK) {
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, into, 0, into.length);
      }
      return errno;
    }
  }

  public static byte[] read(BlockDevice device, long at, int length, int flags) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(Math.max(1, length), 4096).fill((byte) 0x5a);
      assertThat(transfer(device, Operation.READ, at, buffer, length, flags)).isEqualTo(Errno.OK);
      return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  public static byte[] read(BlockDevice device, long at, int length) {
    return read(device, at, length, 0);
  }

  private static int transfer(
      BlockDevice device,
      Operation operation,
      long at,
      MemorySegment buffer,
      int length,
      int flags) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .data(
                operation, at, buffer, 0, length, flags, (request, errno) -> done.complete(errno)));
    return await(done);
  }

  /** One extent as it was reported. */
  public record Extent(long offsetBytes, long lengthBytes, int state) {
    public boolean isZero() {
      return (state & Extents.ZERO) != 0;
    }
  }

  /** What a device says about a range; fails when it answers with an error. */
  public static List<Extent> extents(BlockDevice device, long at, long length, int max) {
    List<Extent> extents = new ArrayList<>();
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.extents(
        at,
        length,
        max,
        new Extents() {
          private long next = at;

          @Override
          public void extent(long lengthBytes, int state) {
            extents.add(new Extent(next, lengthBytes, state));
            next += lengthBytes;
          }

          @Override
          public void end(int errno) {
            done.complete(errno);
          }
        });
    assertThat(await(done)).isEqualTo(Errno.OK);
    return extents;
  }
}
