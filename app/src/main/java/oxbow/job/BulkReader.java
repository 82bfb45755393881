package oxbow.job;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Flags;
import oxbow.block.Operation;

/**
 * Reads a device in large pieces, around the page cache where it can, into a buffer of its own.
 * Used by one thread.
 */
final class BulkReader {
  /** The longest piece. */
  static final int MAX_BYTES = 1 << 20;

  private final BlockDevice device;
  private final MemorySegment buffer;
  private final BlockRequest request = new BlockRequest();
  private final Semaphore ended = new Semaphore(0);
  private int result;

  /**
   * @param arena outlives every read; shared, since others complete these
   */
  BulkReader(BlockDevice device, Arena arena) {
    this.device = device;
    this.buffer = arena.allocate(MAX_BYTES, 4096);
  }

  /** Begins to read in whole blocks of the device; what is too much at the end does not count. */
  void begin(long offsetBytes, int lengthBytes) {
    long blockBytes = device.limits().blockSizeBytes();
    long wholeBytes = Math.ceilDiv(lengthBytes, blockBytes) * blockBytes;
    device.submit(
        request.data(
            Operation.READ, offsetBytes, buffer, 0, wholeBytes, Flags.BULK, this::completed));
  }

  private void completed(BlockRequest read, int errno) {
    result = errno;
    ended.release();
  }

  /** Waits for what was begun; its error number. */
  int end() {
    ended.acquireUninterruptibly();
    return result;
  }

  /** The same for so long; false if it has not ended then, and the reader is of no more use. */
  boolean hasEndedWithin(long nanos) throws InterruptedException {
    return ended.tryAcquire(nanos, TimeUnit.NANOSECONDS);
  }

  /** The error number of what has ended. */
  int result() {
    return result;
  }

  /** Both. Blocks. */
  int read(long offsetBytes, int lengthBytes) {
    begin(offsetBytes, lengthBytes);
    return end();
  }

  /** Where within [from, to) the buffers differ first, counted from {@code from}; -1 if nowhere. */
  long mismatch(BulkReader other, long from, long to) {
    return MemorySegment.mismatch(buffer, from, to, other.buffer, from, to);
  }

  /** Adds a part of the buffer to a sum. */
  void addTo(CRC32C crc, long from, long to) {
    crc.update(buffer.asSlice(from, to - from).asByteBuffer());
  }

  int byteAt(long at) {
    return Byte.toUnsignedInt(buffer.get(ValueLayout.JAVA_BYTE, at));
  }
}
