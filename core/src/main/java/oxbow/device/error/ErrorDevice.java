package oxbow.device.error;

import java.lang.foreign.MemorySegment;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.ByteSize;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;

/** Fails every request with EIO, the way of device-mapper's error target. */
public final class ErrorDevice implements BlockDevice {
  private static final Limits LIMITS =
      new Limits(false, 1, true, Long.MAX_VALUE, false, true, false);

  private final long sizeBytes;

  public ErrorDevice(long sizeBytes) {
    this.sizeBytes = sizeBytes;
  }

  @Override
  public String address() {
    return "error:" + ByteSize.format(sizeBytes);
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
    return Errno.EIO;
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return Errno.EIO;
  }

  @Override
  public void submit(BlockRequest request) {
    request.complete(Errno.EIO);
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    receiver.end(Errno.EIO);
  }

  @Override
  public void close() {}
}
