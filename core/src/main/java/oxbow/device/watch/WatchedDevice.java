package oxbow.device.watch;

import java.lang.foreign.MemorySegment;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.block.Operation;

/**
 * A device whose requests a watcher hears of. Questions about extents and memory are no requests.
 * The device below stays its maker's: {@link #close} does nothing.
 */
public final class WatchedDevice implements BlockDevice {
  private final BlockDevice below;
  private final AccessWatcher watcher;

  public WatchedDevice(BlockDevice below, AccessWatcher watcher) {
    this.below = below;
    this.watcher = watcher;
  }

  @Override
  public String address() {
    return below.address();
  }

  @Override
  public long sizeBytes() {
    return below.sizeBytes();
  }

  @Override
  public Limits limits() {
    return below.limits();
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    watcher.accessed(Operation.READ, offsetBytes, lengthBytes);
    return below.readNow(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    watcher.accessed(Operation.WRITE, offsetBytes, lengthBytes);
    return below.writeNow(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public boolean isInMemory(long offsetBytes, long lengthBytes) {
    return below.isInMemory(offsetBytes, lengthBytes);
  }

  @Override
  public void submit(BlockRequest request) {
    if (request.isWithin(sizeBytes())) {
      watcher.accessed(request.operation(), request.offsetBytes(), request.lengthBytes());
    }
    below.submit(request);
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    below.extents(offsetBytes, lengthBytes, maxExtents, receiver);
  }

  @Override
  public void close() {}
}
