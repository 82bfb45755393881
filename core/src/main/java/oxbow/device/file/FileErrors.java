package oxbow.device.file;

import oxbow.block.Errno;

/** What results of system calls mean to those who use a device. */
final class FileErrors {
  private static final int ENXIO = 6;
  private static final int ENOSYS = 38;

  private FileErrors() {}

  /** The error number of a failed call; what our interfaces have no number for is EIO. */
  static int errnoOf(long result) {
    int errno = (int) -result;
    return switch (errno) {
      case Errno.EDQUOT -> Errno.ENOSPC;
      case Errno.ENOSPC,
          Errno.EPERM,
          Errno.ENOMEM,
          Errno.EFBIG,
          Errno.EROFS,
          Errno.EINVAL,
          Errno.ENOTSUP ->
          errno;
      case ENOSYS -> Errno.ENOTSUP;
      default -> Errno.EIO;
    };
  }

  /** Whether this system, file system or device lacks the call. */
  static boolean isUnsupported(long result) {
    return result == -Errno.ENOTSUP || result == -ENOSYS;
  }

  /** Whether SEEK_DATA found no data, or SEEK_HOLE began behind the end. */
  static boolean isNothingThere(long result) {
    return result == -ENXIO;
  }
}
