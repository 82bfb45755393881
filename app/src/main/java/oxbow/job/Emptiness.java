package oxbow.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.Semaphore;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.BlockingDevice;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.Probe;

/**
 * Whether a device may become a destination without loss (O11). A file must be all holes, or read
 * as zeros from end to end, which a file system without holes shows for the same thing. Of other
 * devices the places are read that partition tables, file systems and our own formats mark.
 */
final class Emptiness {
  private static final int CHUNK_BYTES = 1 << 20;

  private Emptiness() {}

  /**
   * What is found on a device. Blocks; a file of zeros that are no holes is read as a whole.
   *
   * @return empty when there is nothing
   */
  static String dataIn(BlockDevice device, Address address) throws IOException {
    if (device instanceof FileDevice file && file.isAllHoles()) {
      return "";
    }
    String marks = marksOn(device);
    if (!marks.isEmpty() || !DeviceOpener.isRegularFile(address)) {
      return marks;
    }
    long at = firstData(device);
    return at < 0 ? "" : "from byte " + at + " on";
  }

  private static String marksOn(BlockDevice device) throws IOException {
    try (BlockingDevice io = new BlockingDevice(device)) {
      return switch (CloneMetadata.probe(io)) {
        case Probe.Zero zero -> "";
        case Probe.Unfinished unfinished -> "clone metadata";
        case Probe.Formatted formatted -> "clone metadata";
        case Probe.Damaged damaged -> "damaged clone metadata";
        case Probe.Foreign foreign -> foreign.what();
      };
    }
  }

  /** Offset of the first byte that is not zero; -1 if there is none. */
  private static long firstData(BlockDevice device) throws IOException {
    ZeroSkippingCursor cursor =
        new ZeroSkippingCursor(device, device, device.sizeBytes(), CHUNK_BYTES);
    BlockRequest request = new BlockRequest();
    Semaphore ended = new Semaphore(0);
    int[] errno = new int[1];
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(CHUNK_BYTES, Long.BYTES);
      for (var chunk = cursor.next(); chunk != null; chunk = cursor.next()) {
        if (chunk.isZero()) {
          continue;
        }
        device.submit(
            request.data(
                Operation.READ,
                chunk.offsetBytes(),
                buffer,
                0,
                chunk.lengthBytes(),
                Flags.BULK,
                (read, result) -> {
                  errno[0] = result;
                  ended.release();
                }));
        ended.acquireUninterruptibly();
        if (errno[0] != Errno.OK) {
          throw new DeviceException(errno[0], device.address() + ": read");
        }
        for (int i = 0; i < chunk.lengthBytes(); i++) {
          if (buffer.get(ValueLayout.JAVA_BYTE, i) != 0) {
            return chunk.offsetBytes() + i;
          }
        }
      }
      return -1;
    }
  }
}
