package oxbow.sim;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Limits;

/**
 * A simulated disk as a target finds it. What a target asks of it directly, at its construction and
 * in tasks that may block, ends at once; what the target has its frame do stays in flight until the
 * test ends it ({@link SimFrame}).
 */
public final class SimDevice implements BlockDevice {
  private static final Limits WRITABLE =
      new Limits(false, SimDisk.SECTOR_BYTES, true, Long.MAX_VALUE, true, true, true);
  private static final Limits READ_ONLY =
      new Limits(true, SimDisk.SECTOR_BYTES, false, 0, false, false, false);

  private final String address;
  private final SimDisk disk;
  private final SimFaults faults;
  private final boolean isWritable;

  /** A disk under a name, opened for writing. */
  public SimDevice(String address, SimDisk disk) {
    this(address, disk, new SimFaults(), true);
  }

  private SimDevice(String address, SimDisk disk, SimFaults faults, boolean isWritable) {
    this.address = address;
    this.disk = disk;
    this.faults = faults;
    this.isWritable = isWritable;
  }

  /** The same disk, opened once more. */
  public SimDevice opened(boolean forWriting) {
    return new SimDevice(address, disk, faults, forWriting);
  }

  public SimDisk disk() {
    return disk;
  }

  public SimFaults faults() {
    return faults;
  }

  @Override
  public String address() {
    return address;
  }

  @Override
  public long sizeBytes() {
    return disk.sizeBytes();
  }

  @Override
  public Limits limits() {
    return isWritable ? WRITABLE : READ_ONLY;
  }

  @Override
  public void submit(BlockRequest request) {
    request.complete(execute(request));
  }

  private int execute(BlockRequest request) {
    return switch (request.operation()) {
      case READ -> readNow(request);
      case WRITE, WRITE_ZEROES, DISCARD -> writeNow(request);
      case FLUSH -> flushNow();
      case CACHE -> Errno.OK;
    };
  }

  private int readNow(BlockRequest request) {
    int errno = faults.read(request.offsetBytes(), request.lengthBytes());
    if (errno == Errno.OK) {
      byte[] bytes = disk.bytes(request.offsetBytes(), Math.toIntExact(request.lengthBytes()));
      MemorySegment data = request.data();
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, data, request.dataOffset(), bytes.length);
    }
    return errno;
  }

  private int writeNow(BlockRequest request) {
    byte[] bytes = new byte[Math.toIntExact(request.lengthBytes())];
    if (request.data().byteSize() > 0) {
      MemorySegment data = request.data();
      MemorySegment.copy(data, request.dataOffset(), MemorySegment.ofArray(bytes), 0, bytes.length);
    }
    SimDisk.Write write = submitWrite(request.offsetBytes(), bytes, request.isFua());
    return endWrite(write, bytes.length, faults.write());
  }

  private int flushNow() {
    return endFlush(disk.submitFlush(), faults.flush());
  }

  /** Submits a write to the disk; nothing but what was opened for writing may be written. */
  SimDisk.Write submitWrite(long offsetBytes, byte[] bytes, boolean isFua) {
    if (!isWritable) {
      throw new AssertionError(address + " was opened for reading, and is written");
    }
    return disk.submitWrite(offsetBytes, ByteBuffer.wrap(bytes), isFua);
  }

  /** Ends a write with a result, which is returned. */
  int endWrite(SimDisk.Write write, int lengthBytes, int errno) {
    if (errno == Errno.OK) {
      disk.completeWrite(write);
    } else {
      disk.failWrite(write, lengthBytes / SimDisk.SECTOR_BYTES / 2);
    }
    return errno;
  }

  /** Ends a flush with a result, which is returned. */
  int endFlush(SimDisk.Flush flush, int errno) {
    faults.flushEnded(errno);
    if (errno == Errno.OK) {
      disk.completeFlush(flush);
    } else {
      disk.failFlush(flush);
    }
    return errno;
  }

  /** Whether a sector reads as zeros. */
  boolean isZero(long sector) {
    byte[] bytes = disk.bytes(sector * SimDisk.SECTOR_BYTES, SimDisk.SECTOR_BYTES);
    return Arrays.equals(bytes, new byte[SimDisk.SECTOR_BYTES]);
  }

  @Override
  public void close() {}

  @Override
  public String toString() {
    return address;
  }
}
