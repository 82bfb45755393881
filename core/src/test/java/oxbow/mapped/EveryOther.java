package oxbow.mapped;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Limits;

/** A device that serves every other request at once and the rest by another, slower way. */
record EveryOther(BlockDevice fast, BlockDevice slow, AtomicInteger turns) implements BlockDevice {
  EveryOther(BlockDevice fast, BlockDevice slow) {
    this(fast, slow, new AtomicInteger());
  }

  private boolean isFastTurn() {
    return (turns.getAndIncrement() & 1) == 0;
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return isFastTurn() ? fast.readNow(offsetBytes, data, dataOffset, lengthBytes) : Errno.EAGAIN;
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return isFastTurn() ? fast.writeNow(offsetBytes, data, dataOffset, lengthBytes) : Errno.EAGAIN;
  }

  @Override
  public void submit(BlockRequest request) {
    (isFastTurn() ? fast : slow).submit(request);
  }

  @Override
  public String address() {
    return fast.address();
  }

  @Override
  public long sizeBytes() {
    return fast.sizeBytes();
  }

  @Override
  public Limits limits() {
    return fast.limits();
  }

  @Override
  public void close() throws IOException {
    fast.close();
  }
}
