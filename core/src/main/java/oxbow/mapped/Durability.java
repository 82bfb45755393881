package oxbow.mapped;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.DeviceException;
import oxbow.block.Errno;

/** Flushes devices, all at once, but does not wait for them for ever. */
final class Durability {
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final long deadlineNanos;
  private final Runnable whenFailed;

  /**
   * @param deadlineNanos on the clock of {@link System#nanoTime}
   * @param whenFailed told of each flush that fails, also when that is after the deadline: a device
   *     may tell of an error only once. Any thread
   */
  Durability(long deadlineNanos, Runnable whenFailed) {
    this.deadlineNanos = deadlineNanos;
    this.whenFailed = whenFailed;
  }

  /**
   * Makes durable what was written to the devices; those that cannot be written are passed over.
   * Blocks.
   *
   * @throws IOException when one of them fails, or has not answered by then
   */
  void flush(List<BlockDevice> devices) throws IOException {
    List<BlockDevice> written =
        devices.stream().filter(device -> !device.limits().isReadOnly()).toList();
    List<CompletableFuture<Integer>> answers = written.stream().map(this::begin).toList();
    for (int i = 0; i < answers.size(); i++) {
      String what = written.get(i).address() + ": flush";
      int errno = await(answers.get(i), what);
      if (errno != Errno.OK) {
        throw new DeviceException(errno, what);
      }
    }
  }

  private CompletableFuture<Integer> begin(BlockDevice device) {
    CompletableFuture<Integer> answer = new CompletableFuture<>();
    device.submit(new BlockRequest().flush((request, errno) -> ended(answer, errno)));
    return answer;
  }

  private void ended(CompletableFuture<Integer> answer, int errno) {
    if (errno != Errno.OK) {
      whenFailed.run();
    }
    answer.complete(errno);
  }

  private int await(CompletableFuture<Integer> answer, String what) throws IOException {
    try {
      return answer.get(Math.max(1, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException tooLong) {
      throw new IOException(what + " has not ended", tooLong);
    } catch (ExecutionException cannotHappen) {
      throw new IllegalStateException(cannotHappen);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IOException(what + " was interrupted", stopped);
    }
  }
}
