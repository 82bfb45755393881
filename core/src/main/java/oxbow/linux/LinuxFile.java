package oxbow.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Objects;
import oxbow.block.DeviceException;
import oxbow.block.Errno;

/** A Linux file descriptor. Constants: the kernel's user-space headers. */
final class LinuxFile extends DiskFile {
  private static final int RWF_NOWAIT = 8;
  private static final int FALLOC_KEEP_SIZE = 1;
  private static final int FALLOC_PUNCH_HOLE = 2;
  private static final int FALLOC_ZERO_RANGE = 0x10;
  private static final int SEEK_END = 2;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int FADVISE_WILLNEED = 3;
  private static final int BLKDISCARD = 0x1277;

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC = 0x7ff;
  private static final long STATX_MODE_OFFSET = 28;
  private static final long STATX_INODE_OFFSET = 32;
  private static final long STATX_BLOCKS_OFFSET = 48;
  private static final long STATX_RDEV_OFFSET = 128;
  private static final long STATX_DEV_OFFSET = 136;
  private static final long STATX_BLOCK_BYTES = 512;

  /**
   * fcntl's lock of an open file description: unlike a process's lock it keeps two openings apart.
   */
  private static final int F_OFD_SETLK = 37;

  private static final short F_RDLCK = 0;
  private static final short F_WRLCK = 1;
  private static final long FLOCK_START_OFFSET = 8;
  private static final long FLOCK_LENGTH_OFFSET = 16;

  /** The same number on all architectures. */
  private static final int CACHESTAT = 451;

  private static final long CACHESTAT_OFFSET = 16;
  private static final long PAGE_BYTES = 4096;

  private static final MemorySegment EMPTY_PATH = Arena.global().allocate(1);

  private final Syscalls.Abi abi;
  private final Path path;
  private final boolean isWritable;

  /** -1 once closed, so that a late call hits EBADF and not somebody else's file. */
  private volatile int descriptor;

  LinuxFile(Syscalls.Abi abi, int descriptor, Path path, boolean isWritable) {
    this.abi = abi;
    this.descriptor = descriptor;
    this.path = path;
    this.isWritable = isWritable;
  }

  /** The identity of a file: device and inode, or a block device's own numbers with inode 0. */
  private record Identity(long device, long inode) {}

  @Override
  public FileFacts facts() throws IOException {
    MemorySegment statx = Syscalls.Scratch.ofThisThread().structure();
    long result =
        Syscalls.call(
            abi.statx(),
            descriptor,
            EMPTY_PATH.address(),
            AT_EMPTY_PATH,
            STATX_BASIC,
            statx.address(),
            0);
    if (result < 0) {
      throw new DeviceException((int) -result, path.toString());
    }
    int mode = Short.toUnsignedInt(statx.get(JAVA_SHORT, STATX_MODE_OFFSET));
    FileFacts.Kind kind =
        switch (mode & LinuxCalls.S_IFMT) {
          case LinuxCalls.S_IFREG -> FileFacts.Kind.REGULAR_FILE;
          case LinuxCalls.S_IFBLK -> FileFacts.Kind.BLOCK_DEVICE;
          case LinuxCalls.S_IFDIR -> FileFacts.Kind.DIRECTORY;
          default -> FileFacts.Kind.OTHER;
        };
    Identity identity =
        kind == FileFacts.Kind.BLOCK_DEVICE
            ? new Identity(statx.get(JAVA_LONG, STATX_RDEV_OFFSET), 0)
            : new Identity(
                statx.get(JAVA_LONG, STATX_DEV_OFFSET), statx.get(JAVA_LONG, STATX_INODE_OFFSET));
    long allocatedBytes = statx.get(JAVA_LONG, STATX_BLOCKS_OFFSET) * STATX_BLOCK_BYTES;
    return new FileFacts(kind, allocatedBytes, identity);
  }

  @Override
  public long sizeBytes() {
    return Syscalls.call(abi.lseek(), descriptor, 0, SEEK_END);
  }

  @Override
  public long read(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    long address = addressOf(data, dataOffset, length);
    try {
      return Syscalls.call(abi.pread64(), descriptor, address, length, offsetBytes);
    } finally {
      Reference.reachabilityFence(data);
    }
  }

  @Override
  public long readNow(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    long address = addressOf(data, dataOffset, length);
    MemorySegment iovec = Syscalls.Scratch.ofThisThread().iovec(address, length);
    try {
      return Syscalls.call(
          abi.preadv2(), descriptor, iovec.address(), 1, offsetBytes, 0, RWF_NOWAIT);
    } finally {
      Reference.reachabilityFence(data);
    }
  }

  @Override
  public long write(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    long address = addressOf(data, dataOffset, length);
    try {
      return Syscalls.call(abi.pwrite64(), descriptor, address, length, offsetBytes);
    } finally {
      Reference.reachabilityFence(data);
    }
  }

  /** The checks that a segment would do by itself, since the kernel gets a bare address. */
  private static long addressOf(MemorySegment data, long dataOffset, long length) {
    Objects.checkFromIndexSize(dataOffset, length, data.byteSize());
    if (!data.isNative() || !data.scope().isAlive()) {
      throw new IllegalArgumentException("neither heap memory nor freed memory: " + data);
    }
    return data.address() + dataOffset;
  }

  @Override
  public long flush() {
    return Syscalls.call(abi.fdatasync(), descriptor);
  }

  @Override
  public long flushAll() {
    return Syscalls.call(abi.fsync(), descriptor);
  }

  @Override
  public long punchHole(long offsetBytes, long lengthBytes) {
    return fallocate(FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, offsetBytes, lengthBytes);
  }

  @Override
  public long zeroRange(long offsetBytes, long lengthBytes) {
    return fallocate(FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE, offsetBytes, lengthBytes);
  }

  @Override
  public long allocate(long offsetBytes, long lengthBytes) {
    return fallocate(FALLOC_KEEP_SIZE, offsetBytes, lengthBytes);
  }

  private long fallocate(int mode, long offsetBytes, long lengthBytes) {
    return Syscalls.call(abi.fallocate(), descriptor, mode, offsetBytes, lengthBytes);
  }

  @Override
  public long discard(long offsetBytes, long lengthBytes) {
    MemorySegment range = Syscalls.Scratch.ofThisThread().structure();
    range.set(JAVA_LONG, 0, offsetBytes);
    range.set(JAVA_LONG, 8, lengthBytes);
    return Syscalls.call(abi.ioctl(), descriptor, BLKDISCARD, range.address());
  }

  @Override
  public long seekData(long offsetBytes) {
    return Syscalls.call(abi.lseek(), descriptor, offsetBytes, SEEK_DATA);
  }

  @Override
  public long seekHole(long offsetBytes) {
    return Syscalls.call(abi.lseek(), descriptor, offsetBytes, SEEK_HOLE);
  }

  @Override
  public long resize(long sizeBytes) {
    return Syscalls.call(abi.ftruncate(), descriptor, sizeBytes, 0);
  }

  @Override
  public long prefetch(long offsetBytes, long lengthBytes) {
    return Syscalls.call(abi.fadvise64(), descriptor, offsetBytes, lengthBytes, FADVISE_WILLNEED);
  }

  /** cachestat(2), since Linux 6.5; older ones answer -ENOSYS. */
  @Override
  public long cachedBytes(long offsetBytes, long lengthBytes) {
    MemorySegment range = Syscalls.Scratch.ofThisThread().structure();
    range.set(JAVA_LONG, 0, offsetBytes);
    range.set(JAVA_LONG, 8, lengthBytes);
    long answer = range.address() + CACHESTAT_OFFSET;
    long result = Syscalls.call(CACHESTAT, descriptor, range.address(), answer, 0);
    return result < 0 ? result : range.get(JAVA_LONG, CACHESTAT_OFFSET) * PAGE_BYTES;
  }

  @Override
  public long lock(boolean isExclusive) {
    MemorySegment flock = Syscalls.Scratch.ofThisThread().structure();
    flock.asSlice(0, 32).fill((byte) 0);
    flock.set(JAVA_SHORT, 0, isExclusive ? F_WRLCK : F_RDLCK);
    flock.set(JAVA_LONG, FLOCK_START_OFFSET, DiskCalls.LOCKED_BYTE);
    flock.set(JAVA_LONG, FLOCK_LENGTH_OFFSET, 1L);
    long result = Syscalls.call(abi.fcntl(), descriptor, F_OFD_SETLK, flock.address());
    // POSIX lets a system say either; Linux's file systems do say both.
    return result == -Errno.EACCES ? -Errno.EAGAIN : result;
  }

  @Override
  public DiskFile openDirect() throws IOException {
    // By descriptor, not by name: the name may lead to another file by now.
    Path same = Path.of("/proc/self/fd/" + descriptor);
    int access = isWritable ? LinuxCalls.O_RDWR : LinuxCalls.O_RDONLY;
    long direct = LinuxCalls.open(abi, same, access | abi.directFlag());
    if (direct < 0) {
      throw new DeviceException((int) -direct, path + ": direct I/O");
    }
    return new LinuxFile(abi, (int) direct, path, isWritable);
  }

  @Override
  public void close() throws IOException {
    int open = descriptor;
    descriptor = -1;
    if (open < 0) {
      return;
    }
    long result = Syscalls.call(abi.close(), open);
    if (result < 0) {
      throw new DeviceException((int) -result, path.toString());
    }
  }
}
