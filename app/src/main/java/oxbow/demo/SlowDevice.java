package oxbow.demo;

import java.util.concurrent.TimeUnit;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.engine.EventLoop;

/**
 * A device that is far away: every request takes some time more. The device below is its maker's.
 */
final class SlowDevice implements BlockDevice {
  private final BlockDevice device;
  private final EventLoop loop;
  private final long delayNanos;

  SlowDevice(BlockDevice device, EventLoop loop, long delayMillis) {
    this.device = device;
    this.loop = loop;
    this.delayNanos = TimeUnit.MILLISECONDS.toNanos(delayMillis);
  }

  @Override
  public String address() {
    return device.address();
  }

  @Override
  public long sizeBytes() {
    return device.sizeBytes();
  }

  @Override
  public Limits limits() {
    return device.limits();
  }

  @Override
  public void submit(BlockRequest request) {
    loop.after(delayNanos, () -> device.submit(request));
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    device.extents(offsetBytes, lengthBytes, maxExtents, receiver);
  }

  @Override
  public void close() {}
}
