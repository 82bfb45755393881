package oxbow.nbd.wire;

import oxbow.block.Errno;

/** Error numbers between us and the wire, which knows only a few; both ways are total. */
public final class NbdErrno {
  private NbdErrno() {}

  /** What a peer is told; an error that the protocol has no number for becomes EIO. */
  public static int toWire(int errno) {
    return switch (errno) {
      case Errno.OK,
          Errno.EPERM,
          Errno.EIO,
          Errno.ENOMEM,
          Errno.EINVAL,
          Errno.ENOSPC,
          Errno.EOVERFLOW,
          Errno.ENOTSUP,
          Errno.ESHUTDOWN ->
          errno;
      case Errno.EROFS, Errno.EACCES -> Errno.EPERM;
      case Errno.EFBIG, Errno.EDQUOT -> Errno.ENOSPC;
      default -> Errno.EIO;
    };
  }

  /**
   * What a peer has told; a number that the protocol does not have counts as EINVAL, as it says.
   */
  public static int fromWire(int error) {
    return switch (error) {
      case Errno.OK,
          Errno.EPERM,
          Errno.EIO,
          Errno.ENOMEM,
          Errno.EINVAL,
          Errno.ENOSPC,
          Errno.EOVERFLOW,
          Errno.ENOTSUP,
          Errno.ESHUTDOWN ->
          error;
      default -> Errno.EINVAL;
    };
  }
}
