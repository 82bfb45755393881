package oxbow.device.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.linux.DiskFile;

/** Discards ranges and makes them zero, in the cheapest way that file or block device offers. */
final class FileZeroing {
  /** Block devices take ranges of whole logical blocks only; none is larger than this. */
  private static final int BLOCK_DEVICE_ALIGNMENT = 4096;

  private final DiskFile file;
  private final FileTransfer transfer;
  private final boolean isBlockDevice;

  // What turned out to be missing here; asked for once, then never again.
  private volatile boolean isPunchMissing;
  private volatile boolean isZeroRangeMissing;

  FileZeroing(DiskFile file, FileTransfer transfer, boolean isBlockDevice) {
    this.file = file;
    this.transfer = transfer;
    this.isBlockDevice = isBlockDevice;
  }

  /** Zeros for those that have to be written; never changed. */
  private static final class Zeros {
    static final int SIZE_BYTES = 256 << 10;
    static final MemorySegment BUFFER = Arena.global().allocate(SIZE_BYTES, 4096);
  }

  /**
   * Whether discards work, tried out behind the end of the file, where they change nothing.
   *
   * @param sizeBytes where the file or block device ends
   */
  boolean probeDiscard(long sizeBytes) {
    long behindEnd = alignUp(sizeBytes);
    long result =
        isBlockDevice
            ? file.discard(behindEnd, BLOCK_DEVICE_ALIGNMENT)
            : file.punchHole(behindEnd, BLOCK_DEVICE_ALIGNMENT);
    // A block device that could do it says EINVAL, since there is nothing behind its end.
    return result >= 0 || (isBlockDevice && result == -Errno.EINVAL);
  }

  int discard(BlockRequest request) {
    long result;
    if (request.lengthBytes() == 0) {
      return Errno.OK; // An error to the system calls.
    }
    if (isBlockDevice) {
      long start = alignUp(request.offsetBytes());
      long end = alignDown(request.endBytes());
      result = start < end ? file.discard(start, end - start) : 0;
    } else {
      result = file.punchHole(request.offsetBytes(), request.lengthBytes());
    }
    return result < 0 ? FileErrors.errnoOf(result) : Errno.OK;
  }

  int writeZeroes(BlockRequest request) {
    if (request.lengthBytes() == 0) {
      return Errno.OK; // An error to the system calls.
    }
    if (!isBlockDevice) {
      return writeZeroes(request.offsetBytes(), request.lengthBytes(), request.flags());
    }
    long start = alignUp(request.offsetBytes());
    long end = alignDown(request.endBytes());
    if (start >= end) {
      return writeZeros(request.offsetBytes(), request.lengthBytes());
    }
    int errno = writeZeroes(start, end - start, request.flags());
    if (errno == Errno.OK) {
      errno = writeZeros(request.offsetBytes(), start - request.offsetBytes());
    }
    return errno == Errno.OK ? writeZeros(end, request.endBytes() - end) : errno;
  }

  private int writeZeroes(long offsetBytes, long lengthBytes, int flags) {
    boolean isFastOnly = (flags & Flags.FAST_ZERO) != 0;
    if ((flags & Flags.NO_HOLE) == 0 && !isPunchMissing) {
      long result = file.punchHole(offsetBytes, lengthBytes);
      if (!FileErrors.isUnsupported(result)) {
        return result < 0 ? FileErrors.errnoOf(result) : Errno.OK;
      }
      isPunchMissing = true;
    }
    // A block device's kernel driver may write zeros one by one for this.
    if (!isZeroRangeMissing && !(isBlockDevice && isFastOnly)) {
      long result = file.zeroRange(offsetBytes, lengthBytes);
      if (!FileErrors.isUnsupported(result)) {
        return result < 0 ? FileErrors.errnoOf(result) : Errno.OK;
      }
      isZeroRangeMissing = true;
    }
    return isFastOnly ? Errno.ENOTSUP : writeZeros(offsetBytes, lengthBytes);
  }

  private int writeZeros(long offsetBytes, long lengthBytes) {
    for (long done = 0; done < lengthBytes; ) {
      long length = Math.min(lengthBytes - done, Zeros.SIZE_BYTES);
      int errno = transfer.writeBuffered(offsetBytes + done, Zeros.BUFFER, 0, length);
      if (errno != Errno.OK) {
        return errno;
      }
      done += length;
    }
    return Errno.OK;
  }

  private static long alignUp(long bytes) {
    return alignDown(bytes + BLOCK_DEVICE_ALIGNMENT - 1);
  }

  private static long alignDown(long bytes) {
    return bytes & -BLOCK_DEVICE_ALIGNMENT;
  }
}
