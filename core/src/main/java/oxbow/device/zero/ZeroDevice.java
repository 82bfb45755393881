package oxbow.device.zero;

import java.lang.foreign.MemorySegment;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.ByteSize;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.block.Operation;

/** Reads as zeros; writes are dropped and succeed, the way of device-mapper's zero target. */
public final class ZeroDevice implements BlockDevice {
  private static final Limits LIMITS =
      new Limits(false, 1, true, Long.MAX_VALUE, true, true, false);

  private final long sizeBytes;

  public ZeroDevice(long sizeBytes) {
    this.sizeBytes = sizeBytes;
  }

  @Override
  public String address() {
    return "zero:" + ByteSize.format(sizeBytes);
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public Limits limits() {
    return LIMITS;
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    data.asSlice(dataOffset, lengthBytes).fill((byte) 0);
    return Errno.OK;
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return Errno.OK;
  }

  @Override
  public void submit(BlockRequest request) {
    if (!request.isWithin(sizeBytes)) {
      request.complete(Errno.EINVAL);
      return;
    }
    if (request.operation() == Operation.READ) {
      request.data().asSlice(request.dataOffset(), request.lengthBytes()).fill((byte) 0);
    }
    request.complete(Errno.OK);
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    receiver.extent(lengthBytes, Extents.HOLE | Extents.ZERO);
    receiver.end(Errno.OK);
  }

  @Override
  public void close() {}
}
