package oxbow.device.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.linux.DiskFile;

/**
 * Moves bytes between memory and a file: through the page cache, or past it for bulk transfers,
 * which would otherwise cost a copy of each byte and push out of the cache what users need.
 */
final class FileTransfer {
  /** Offsets, lengths and addresses of direct I/O; some disks allow less, few want more. */
  static final int DIRECT_ALIGNMENT = 4096;

  /**
   * Longest single write into the page cache. Linux makes the pages of one write one folio where it
   * can, and ext4 goes through all blocks of a folio for each later write to any of them.
   */
  private static final long MAX_CACHED_WRITE_BYTES = 16 << 10;

  private final DiskFile file;

  /**
   * Where the file ended when it was opened or grew. From here to the end of the device, what is
   * missing is zeros.
   */
  private volatile long fileEndBytes;

  /** Direct writes under way: buffered ones would wait for them in the file system. */
  private final AtomicInteger directWrites = new AtomicInteger();

  /** Opened at the first bulk transfer. Guarded by this. */
  private @Nullable DiskFile direct;

  /** Set for good when the file system or the disk refuses direct I/O. */
  private volatile boolean isDirectRefused;

  FileTransfer(DiskFile file, long fileEndBytes) {
    this.file = file;
    this.fileEndBytes = fileEndBytes;
  }

  /** Where the file ends: in it, what is missing was lost. */
  long fileEndBytes() {
    return fileEndBytes;
  }

  /** The file has grown. */
  void endAt(long newFileEndBytes) {
    fileEndBytes = newFileEndBytes;
  }

  boolean isWritingDirectly() {
    return directWrites.get() > 0;
  }

  int read(BlockRequest request) {
    long done = 0;
    DiskFile around = directFor(request);
    if (around != null) {
      done = readDirectly(around, request);
      if (done < 0) {
        return FileErrors.errnoOf(done);
      }
    }
    return readBuffered(
        request.offsetBytes() + done,
        request.data(),
        request.dataOffset() + done,
        request.lengthBytes() - done);
  }

  int write(BlockRequest request) {
    long done = 0;
    DiskFile around = directFor(request);
    if (around != null) {
      directWrites.getAndIncrement();
      done = writeDirectly(around, request);
      directWrites.getAndDecrement();
      if (done < 0) {
        return FileErrors.errnoOf(done);
      }
    }
    return writeBuffered(
        request.offsetBytes() + done,
        request.data(),
        request.dataOffset() + done,
        request.lengthBytes() - done);
  }

  private int readBuffered(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    long done = 0;
    while (done < length) {
      long count = file.read(offsetBytes + done, data, dataOffset + done, length - done);
      if (count < 0) {
        return FileErrors.errnoOf(count);
      }
      if (count == 0) {
        return readBeyondEnd(offsetBytes + done, data, dataOffset + done, length - done);
      }
      done += count;
    }
    return Errno.OK;
  }

  private int readBeyondEnd(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    if (offsetBytes < fileEndBytes) {
      return Errno.EIO; // Somebody cut the file.
    }
    data.asSlice(dataOffset, length).fill((byte) 0);
    return Errno.OK;
  }

  /** Writes all of it, through the page cache. */
  int writeBuffered(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    long done = 0;
    while (done < length) {
      long piece = Math.min(length - done, MAX_CACHED_WRITE_BYTES);
      long count = file.write(offsetBytes + done, data, dataOffset + done, piece);
      if (count <= 0) {
        return count == 0 ? Errno.EIO : FileErrors.errnoOf(count);
      }
      done += count;
    }
    return Errno.OK;
  }

  /** Bytes read, which may be less than possible, or an error; the page cache does the rest. */
  private long readDirectly(DiskFile around, BlockRequest request) {
    long length = directLength(request);
    long done = 0;
    while (done < length && done % DIRECT_ALIGNMENT == 0) {
      long count =
          around.read(
              request.offsetBytes() + done,
              request.data(),
              request.dataOffset() + done,
              length - done);
      if (isRefusal(count) || count == 0) {
        return done;
      }
      if (count < 0) {
        return count;
      }
      done += count;
    }
    return done;
  }

  private long writeDirectly(DiskFile around, BlockRequest request) {
    long length = directLength(request);
    long done = 0;
    while (done < length && done % DIRECT_ALIGNMENT == 0) {
      long count =
          around.write(
              request.offsetBytes() + done,
              request.data(),
              request.dataOffset() + done,
              length - done);
      if (isRefusal(count)) {
        return done;
      }
      if (count <= 0) {
        return count == 0 ? -Errno.EIO : count;
      }
      done += count;
    }
    return done;
  }

  private boolean isRefusal(long result) {
    boolean refused = result == -Errno.EINVAL || FileErrors.isUnsupported(result);
    if (refused) {
      isDirectRefused = true;
    }
    return refused;
  }

  /** The part that can go past the page cache: whole blocks of the file, none of its odd end. */
  private long directLength(BlockRequest request) {
    long end = Math.min(request.endBytes(), fileEndBytes);
    return alignDown(Math.max(0, end - request.offsetBytes()));
  }

  static long alignDown(long bytes) {
    return bytes & -DIRECT_ALIGNMENT;
  }

  /** The descriptor for direct I/O, or null when the request is to use the page cache. */
  private @Nullable DiskFile directFor(BlockRequest request) {
    long address = request.data().address() + request.dataOffset();
    boolean isAligned = ((request.offsetBytes() | address) & (DIRECT_ALIGNMENT - 1)) == 0;
    boolean isBulk = (request.flags() & (Flags.BULK | Flags.IN_DEMAND)) == Flags.BULK;
    return isBulk && isAligned && !isDirectRefused ? openDirect() : null;
  }

  private synchronized @Nullable DiskFile openDirect() {
    if (direct == null && !isDirectRefused) {
      try {
        direct = file.openDirect();
      } catch (IOException refused) {
        isDirectRefused = true; // tmpfs and others: the page cache serves as well.
      }
    }
    return direct;
  }

  synchronized void close() throws IOException {
    DiskFile opened = direct;
    direct = null;
    isDirectRefused = true;
    if (opened != null) {
      opened.close();
    }
  }
}
