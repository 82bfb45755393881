package oxbow.mapped;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.block.Remote;

/**
 * A mapped device and what it lies on, used as one device that is opened and closed as a whole.
 * Nobody else suspends it.
 */
public final class Layer implements BlockDevice {
  private static final long SUSPEND_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final String address;
  private final MappedDevice mapped;
  private final List<BlockDevice> below;

  /**
   * Resumes the device.
   *
   * @param address the whole, in the words users type
   * @param below closed with it
   */
  public Layer(String address, MappedDevice mapped, List<BlockDevice> below) {
    this.address = address;
    this.mapped = mapped;
    this.below = List.copyOf(below);
    mapped.resume();
  }

  /** For messages and status. */
  public MappedDevice mapped() {
    return mapped;
  }

  /** The devices underneath. */
  public List<BlockDevice> below() {
    return below;
  }

  @Override
  public String address() {
    return address;
  }

  @Override
  public long sizeBytes() {
    return mapped.sizeBytes();
  }

  @Override
  public Limits limits() {
    return mapped.limits();
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return mapped.readNow(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return mapped.writeNow(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public boolean isInMemory(long offsetBytes, long lengthBytes) {
    return mapped.isInMemory(offsetBytes, lengthBytes);
  }

  @Override
  public void submit(BlockRequest request) {
    mapped.submit(request);
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    mapped.extents(offsetBytes, lengthBytes, maxExtents, receiver);
  }

  /** The first far end that it lies on. */
  @Override
  public @Nullable Remote remote() {
    for (BlockDevice device : below) {
      Remote remote = device.remote();
      if (remote != null) {
        return remote;
      }
    }
    return null;
  }

  /**
   * Suspends and closes the device, then what it lies on.
   *
   * @throws IOException also when requests did not end in time: then all is left open
   */
  @Override
  public void close() throws IOException {
    if (!mapped.suspend(SUSPEND_NANOS)) {
      throw new IOException(address + ": requests have not ended");
    }
    mapped.close();
    for (BlockDevice device : below) {
      device.close();
    }
  }
}
