package oxbow.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Limits;

/** A device that answers nothing until it is told to, and then says that it failed. */
final class SilentDevice implements BlockDevice {
  private static final long SIZE_BYTES = 1 << 20;

  private final CountDownLatch asked = new CountDownLatch(1);
  private final List<BlockRequest> held = new ArrayList<>();

  @Override
  public String address() {
    return "silent";
  }

  @Override
  public long sizeBytes() {
    return SIZE_BYTES;
  }

  @Override
  public Limits limits() {
    return Limits.READ_ONLY_FILE;
  }

  @Override
  public synchronized void submit(BlockRequest request) {
    held.add(request);
    asked.countDown();
  }

  /** Waits until somebody has asked for something. */
  void awaitRead() throws InterruptedException {
    if (!asked.await(Programs.PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("nobody has read");
    }
  }

  synchronized void answer() {
    held.forEach(request -> request.complete(Errno.EIO));
    held.clear();
  }

  @Override
  public void close() {
    answer();
  }
}
