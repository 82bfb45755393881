package oxbow.mapped;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.device.BlockDeviceContractTest;
import oxbow.device.mem.MemDevice;
import oxbow.target.TargetException;

/** Aim: a mapped device is a device like all others. Method: their contract, over a clone. */
class MappedCloneContractTest extends BlockDeviceContractTest {
  private @Nullable TestClone clone;

  @Override
  protected BlockDevice open(long sizeBytes) throws IOException {
    try {
      TestClone fresh =
          new TestClone(new MemDevice(sizeBytes), new MemDevice(sizeBytes), "16 1 no_hydration");
      clone = fresh;
      return new Unclosed(fresh.device);
    } catch (TargetException e) {
      throw new IOException(e);
    }
  }

  @AfterEach
  void closeClone() throws IOException {
    if (clone != null) {
      clone.close();
    }
  }

  /** A mapped device is closed after it was suspended, which the contract knows nothing of. */
  private record Unclosed(MappedDevice device) implements BlockDevice {
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
    public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
      return device.readNow(offsetBytes, data, dataOffset, lengthBytes);
    }

    @Override
    public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
      return device.writeNow(offsetBytes, data, dataOffset, lengthBytes);
    }

    @Override
    public void submit(BlockRequest request) {
      device.submit(request);
    }

    @Override
    public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
      device.extents(offsetBytes, lengthBytes, maxExtents, receiver);
    }

    @Override
    public void close() {}
  }
}
