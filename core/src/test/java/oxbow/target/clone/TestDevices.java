package oxbow.target.clone;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.device.mem.MemDevice;
import oxbow.target.TargetDevices;

/** Devices by name, as a table line's constructor finds them. */
final class TestDevices implements TargetDevices {
  /** What was opened, in order: the name, and rw or ro. */
  final List<String> opened = new ArrayList<>();

  private final Map<String, BlockDevice> byName = new HashMap<>();

  TestDevices add(String name, BlockDevice device) {
    byName.put(name, device);
    return this;
  }

  TestDevices addSectors(String name, long sectors) {
    return add(name, new MemDevice(sectors * CloneWorld.SECTOR));
  }

  /** The three devices of the recorded conversations with a kernel: 4 MiB, 8 MiB, 8 MiB. */
  static TestDevices usual() {
    return new TestDevices()
        .addSectors("meta", 8192)
        .addSectors("dest", 16384)
        .addSectors("source", 16384)
        .addSectors("small", 8192)
        .addSectors("tiny", 16);
  }

  BlockDevice get(String name) {
    BlockDevice device = byName.get(name);
    if (device == null) {
      throw new IllegalArgumentException(name);
    }
    return device;
  }

  @Override
  public BlockDevice open(String address, boolean isWritable) throws IOException {
    BlockDevice device = byName.get(address);
    if (device == null) {
      throw new IOException(address + ": No such device");
    }
    opened.add(address + (isWritable ? " rw" : " ro"));
    return device;
  }

  /** A device on which every request fails. */
  static BlockDevice failing(long sizeBytes) {
    return new BlockDevice() {
      @Override
      public String address() {
        return "failing";
      }

      @Override
      public long sizeBytes() {
        return sizeBytes;
      }

      @Override
      public Limits limits() {
        return Limits.FILE;
      }

      @Override
      public void submit(BlockRequest request) {
        request.complete(Errno.EIO);
      }

      @Override
      public void close() {}
    };
  }

  /** A device with other limits than it has. */
  static BlockDevice limited(BlockDevice device, Limits limits) {
    return new BlockDevice() {
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
        return limits;
      }

      @Override
      public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
        return device.readNow(offsetBytes, data, dataOffset, lengthBytes);
      }

      @Override
      public void submit(BlockRequest request) {
        device.submit(request);
      }

      @Override
      public void close() throws IOException {
        device.close();
      }
    };
  }
}
