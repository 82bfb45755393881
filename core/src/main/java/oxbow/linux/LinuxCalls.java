package oxbow.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import oxbow.block.DeviceException;
import oxbow.block.Errno;

/** Opens files with Linux's own calls. Constants: the kernel's user-space headers. */
final class LinuxCalls extends DiskCalls {
  static final int AT_FDCWD = -100;
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  private static final int O_CREAT = 0x40;
  private static final int O_EXCL = 0x80;
  private static final int O_CLOEXEC = 0x80000;
  static final int S_IFMT = 0170000;
  static final int S_IFREG = 0100000;
  static final int S_IFBLK = 0060000;
  static final int S_IFDIR = 0040000;
  private static final int MODE_BEFORE_UMASK = 0666;

  private final Syscalls.Abi abi;

  LinuxCalls(Syscalls.Abi abi) {
    this.abi = abi;
  }

  @Override
  public DiskFile open(Path path, DiskFile.Mode mode) throws IOException {
    boolean isWritable = mode != DiskFile.Mode.READ_ONLY;
    int flags = isWritable ? O_RDWR : O_RDONLY;
    if (mode == DiskFile.Mode.CREATE_NEW) {
      flags |= O_CREAT | O_EXCL;
    } else if (isBlockDevice(path) && isWritable) {
      flags |= O_EXCL;
    }
    long descriptor = open(abi, path, flags);
    if (descriptor < 0) {
      throw new DeviceException((int) -descriptor, path.toString());
    }
    return new LinuxFile(abi, (int) descriptor, path, isWritable);
  }

  /**
   * On a block device O_EXCL without O_CREAT refuses one that is mounted; elsewhere it is
   * undefined. Whatever is neither file nor block device is refused before the open, which a FIFO
   * would block.
   */
  private static boolean isBlockDevice(Path path) throws IOException {
    int type;
    try {
      type = (int) Files.getAttribute(path, "unix:mode") & S_IFMT;
    } catch (NoSuchFileException missing) {
      throw new DeviceException(Errno.ENOENT, path.toString());
    } catch (AccessDeniedException denied) {
      throw new DeviceException(Errno.EACCES, path.toString());
    }
    return switch (type) {
      case S_IFREG -> false;
      case S_IFBLK -> true;
      default -> throw new IOException(path + ": neither a regular file nor a block device");
    };
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    long descriptor = open(abi, directory, O_RDONLY | abi.directoryFlag());
    if (descriptor < 0) {
      throw new DeviceException((int) -descriptor, directory.toString());
    }
    long result = Syscalls.call(abi.fsync(), descriptor);
    Syscalls.call(abi.close(), descriptor);
    if (result < 0) {
      throw new DeviceException((int) -result, directory.toString());
    }
  }

  /** Opens a path; a descriptor or the error number, negated. */
  static long open(Syscalls.Abi abi, Path path, int flags) {
    if (path.toString().isEmpty()) {
      return -Errno.ENOENT;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(path.toString());
      return Syscalls.call(
          abi.openat(), AT_FDCWD, name.address(), flags | O_CLOEXEC, MODE_BEFORE_UMASK);
    }
  }
}
