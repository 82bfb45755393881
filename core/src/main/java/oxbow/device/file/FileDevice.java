package oxbow.device.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.BlockingDevice;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;
import oxbow.block.Sectors;
import oxbow.engine.DiskPool;
import oxbow.linux.DiskFile;
import oxbow.linux.FileFacts;

/**
 * A regular file or block device. Opened by {@link FileOpener}; invariants F1 to F4 stand in the
 * package's description.
 *
 * <p>What lies in memory is read at once and short writes go into the page cache at once; all else
 * runs on the disk pool. FUA is the write followed by an fdatasync, shared with all who wait for
 * one.
 */
public final class FileDevice implements BlockDevice {
  /** Longer writes would keep the loop busy with copying. */
  private static final int MAX_WRITE_NOW_BYTES = 128 << 10;

  /** What a request to read ahead covers at most: Linux cuts longer ones silently. */
  private static final int PREFETCH_BYTES = 128 << 10;

  /** Pages, and the blocks of most file systems: writes of whole ones need no read. */
  private static final int PAGE_BYTES = 4096;

  /** Receives the byte that {@link #isInMemory} reads; nobody looks at it. */
  private static final MemorySegment PROBE = Arena.global().allocate(1);

  private final Path path;
  private final DiskFile file;
  private final DiskPool pool;
  private final FileFacts facts;
  private final boolean isUpgradable;
  private final boolean isBlockDevice;
  private final FileTransfer transfer;
  private final FileZeroing zeroing;
  private final SharedFlush flush;
  private final DiskPool.Work work = new Work();

  /** Grows in {@link #growTo} only. */
  private volatile long sizeBytes;

  /** Changes in {@link #becomeWritable} only. */
  private volatile boolean isReadOnly;

  /** Null until asked for, and when they have changed; set under this. */
  private volatile @Nullable Limits limits;

  /** A race on this flag costs one needless call. */
  private boolean isReadNowMissing;

  /**
   * @param isUpgradable whether a read-only device was opened so that it can be written
   * @param fileEndBytes length of the file; the device may be shorter, or longer by a padded tail
   */
  FileDevice(
      Path path,
      DiskFile file,
      FileFacts facts,
      boolean isReadOnly,
      boolean isUpgradable,
      long sizeBytes,
      long fileEndBytes,
      DiskPool pool) {
    this.path = path;
    this.file = file;
    this.facts = facts;
    this.pool = pool;
    this.sizeBytes = sizeBytes;
    this.isReadOnly = isReadOnly;
    this.isUpgradable = isUpgradable;
    this.isBlockDevice = facts.kind() == FileFacts.Kind.BLOCK_DEVICE;
    this.transfer = new FileTransfer(file, fileEndBytes);
    this.zeroing = new FileZeroing(file, transfer, isBlockDevice);
    this.flush = new SharedFlush(file);
  }

  private static Limits writableLimits(boolean canDiscard, boolean isBlockDevice) {
    return new Limits(
        false,
        1,
        canDiscard,
        canDiscard ? Long.MAX_VALUE : 0,
        canDiscard && !isBlockDevice,
        canDiscard || isBlockDevice,
        true);
  }

  @Override
  public String address() {
    return path.toString();
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  /**
   * {@inheritDoc}
   *
   * <p>Found out when first asked for: trying a discard sets the file's time of change, and who
   * only looks at a file must not.
   */
  @Override
  public Limits limits() {
    Limits known = limits;
    return known == null ? findLimits() : known;
  }

  private synchronized Limits findLimits() {
    Limits found =
        isReadOnly
            ? Limits.READ_ONLY_FILE
            : writableLimits(zeroing.probeDiscard(transfer.fileEndBytes()), isBlockDevice);
    limits = found;
    return found;
  }

  /**
   * Lets a device that was opened by {@link FileOpener#openUpgradable} be written too, under a lock
   * that nobody shares from then on. A second time does nothing. Blocks for a moment.
   *
   * @throws DeviceInUseException when another program has it open for reading
   * @throws DeviceException with EROFS when the file could only be opened for reading
   */
  public synchronized void becomeWritable() throws IOException {
    if (isReadOnly) {
      if (!isUpgradable) {
        throw new DeviceException(Errno.EROFS, path.toString());
      }
      FileOpener.lock(file, path, true);
      isReadOnly = false;
      limits = null;
    }
  }

  /** Bytes at the end of the file that are not served, since they make no whole sector (O12). */
  public int lostBytes() {
    return (int) Math.max(0, transfer.fileEndBytes() - sizeBytes);
  }

  Path path() {
    return path;
  }

  boolean isRegularFile() {
    return facts.kind() == FileFacts.Kind.REGULAR_FILE;
  }

  /** Equal for two devices exactly when they are the same file or block device. */
  public Object identity() {
    return facts.identity();
  }

  /**
   * Whether the file has no data at all: it reads as zeros, and nobody has written to it. False
   * where this cannot be known. Blocks.
   */
  public boolean isAllHoles() {
    return isRegularFile() && FileErrors.isNothingThere(file.seekData(0));
  }

  /**
   * Reserves space for a range that is about to be written, which reads the same as before. Writes
   * to it then cannot run out of space, and direct ones go on side by side, where a file system may
   * let them into a hole only one at a time. Blocks.
   *
   * @return 0; ENOTSUP where the file system has no such call; ENOSPC
   */
  public int allocate(long offsetBytes, long lengthBytes) {
    long result = file.allocate(offsetBytes, lengthBytes);
    return result < 0 ? FileErrors.errnoOf(result) : Errno.OK;
  }

  /** The same for the whole device. */
  public int allocate() {
    return allocate(0, sizeBytes);
  }

  /**
   * Makes the device longer, durably, while it is in use; what is added takes no space and reads as
   * zeros, but for {@link #lostBytes}. Who has asked for the size before may go on with that.
   * Blocks.
   *
   * @param newSizeBytes whole sectors, no less than now
   * @throws DeviceException with ENOTSUP where this is no regular file that may be written; when
   *     this fails the device has the size that it had
   */
  public synchronized void growTo(long newSizeBytes) throws IOException {
    if (newSizeBytes < sizeBytes || !Sectors.isAligned(newSizeBytes)) {
      throw new IllegalArgumentException(newSizeBytes + " bytes after " + sizeBytes);
    }
    if (isReadOnly || !isRegularFile()) {
      throw new DeviceException(Errno.ENOTSUP, path + ": cannot grow");
    }
    long result = file.resize(newSizeBytes);
    if (result < 0) {
      throw new DeviceException(FileErrors.errnoOf(result), path + ": cannot grow");
    }
    // Through the device's own flush, so that an error of write-back that shows here is kept (F2).
    try (BlockingDevice io = new BlockingDevice(this)) {
      io.flush();
    }
    transfer.endAt(newSizeBytes);
    sizeBytes = newSizeBytes;
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    if (isReadNowMissing || offsetBytes + lengthBytes > transfer.fileEndBytes()) {
      return Errno.EAGAIN;
    }
    long count = file.readNow(offsetBytes, data, dataOffset, lengthBytes);
    if (count == lengthBytes) {
      return Errno.OK;
    }
    if (FileErrors.isUnsupported(count)) {
      isReadNowMissing = true;
    }
    return Errno.EAGAIN;
  }

  /**
   * {@inheritDoc}
   *
   * <p>It may still wait where Linux offers no way not to: when too much is dirty in memory.
   */
  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    if (isReadOnly) {
      return Errno.EPERM;
    }
    if (lengthBytes > MAX_WRITE_NOW_BYTES
        || offsetBytes + lengthBytes > sizeBytes
        || transfer.isWritingDirectly()
        || !isInMemory(offsetBytes)
        || !isInMemory(offsetBytes + lengthBytes)) {
      return Errno.EAGAIN;
    }
    return transfer.writeBuffered(offsetBytes, data, dataOffset, lengthBytes);
  }

  /** Whether a write that begins or ends here finds what it has to keep of the page in memory. */
  private boolean isInMemory(long edgeBytes) {
    return edgeBytes % PAGE_BYTES == 0
        || (edgeBytes < transfer.fileEndBytes() && readNow(edgeBytes, PROBE, 0, 1) == Errno.OK)
        || edgeBytes == sizeBytes;
  }

  @Override
  public boolean isInMemory(long offsetBytes, long lengthBytes) {
    return file.cachedBytes(offsetBytes, lengthBytes) >= lengthBytes;
  }

  @Override
  public void submit(BlockRequest request) {
    if (!request.isWithin(sizeBytes)) {
      request.complete(Errno.EINVAL);
    } else if (isReadOnly && request.operation().changesData()) {
      request.complete(Errno.EPERM);
    } else {
      pool.submit(request, work);
    }
  }

  /** What happens to a request on a thread of the pool. */
  private final class Work implements DiskPool.Work {
    @Override
    public void execute(BlockRequest request) {
      boolean mustBeDurable = request.isFua();
      int errno = Errno.OK;
      if (mustBeDurable && flush.hasFailed()) {
        errno = Errno.EIO;
      } else {
        switch (request.operation()) {
          case READ -> errno = transfer.read(request);
          case WRITE -> errno = transfer.write(request);
          case DISCARD -> errno = zeroing.discard(request);
          case WRITE_ZEROES -> errno = zeroing.writeZeroes(request);
          case CACHE -> errno = prefetch(request);
          case FLUSH -> mustBeDurable = true;
        }
      }
      if (mustBeDurable && errno == Errno.OK) {
        flush.join(request);
      } else {
        request.complete(errno);
      }
    }

    @Override
    public boolean mayWaitForRequests() {
      return false;
    }
  }

  private int prefetch(BlockRequest request) {
    long end = request.endBytes();
    for (long at = request.offsetBytes(); at < end; at += PREFETCH_BYTES) {
      long result = file.prefetch(at, Math.min(PREFETCH_BYTES, end - at));
      if (result < 0) {
        return FileErrors.errnoOf(result);
      }
    }
    return Errno.OK;
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    if (isRegularFile()) {
      long end = transfer.fileEndBytes();
      new ExtentsQuery(file, end, offsetBytes, lengthBytes, maxExtents, receiver).start(pool);
    } else {
      BlockDevice.super.extents(offsetBytes, lengthBytes, maxExtents, receiver);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      transfer.close();
    } finally {
      file.close();
    }
  }
}
