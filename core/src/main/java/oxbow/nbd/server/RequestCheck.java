package oxbow.nbd.server;

import oxbow.block.Errno;
import oxbow.nbd.wire.Nbd;

/**
 * The one place where requests of a client are checked (N4). Devices may rely on it.
 *
 * @see "NBD protocol, sections Error values, Request types and Command flags"
 */
final class RequestCheck {
  private final long sizeBytes;
  private final long blockMask;
  private final boolean isReadOnly;
  private final boolean canDiscard;
  private final boolean isStructured;
  private final boolean hasAllocationContext;

  RequestCheck(Export export, Negotiation negotiated) {
    this.sizeBytes = export.device().sizeBytes();
    this.blockMask = export.device().limits().blockSizeBytes() - 1L;
    this.isReadOnly = export.isReadOnly();
    this.canDiscard = export.device().limits().canDiscard();
    this.isStructured = negotiated.isStructured();
    this.hasAllocationContext = negotiated.hasAllocationContext();
  }

  /**
   * Whether a request may be carried out: 0 or the error number of the refusal. The FUA flag is
   * allowed everywhere, as the protocol wants it, and means nothing where nothing is written.
   *
   * @param offset unsigned, as on the wire
   * @param length 0 to 2^32 - 1
   */
  int errno(int command, int flags, long offset, long length) {
    return switch (command) {
      case Nbd.CMD_READ -> read(flags, offset, length);
      case Nbd.CMD_WRITE -> {
        int errno = change(flags, 0, offset, length, Errno.ENOSPC);
        yield errno == Errno.OK && length > Nbd.MAX_PAYLOAD_BYTES ? Errno.EINVAL : errno;
      }
      case Nbd.CMD_WRITE_ZEROES ->
          change(
              flags, Nbd.CMD_FLAG_NO_HOLE | Nbd.CMD_FLAG_FAST_ZERO, offset, length, Errno.ENOSPC);
      case Nbd.CMD_TRIM -> {
        int errno = change(flags, 0, offset, length, Errno.EINVAL);
        yield errno == Errno.OK && !canDiscard ? Errno.ENOTSUP : errno;
      }
      case Nbd.CMD_CACHE -> range(flags, 0, offset, length, Errno.EINVAL);
      case Nbd.CMD_FLUSH -> isKnown(flags, 0) ? Errno.OK : Errno.EINVAL;
      case Nbd.CMD_BLOCK_STATUS -> {
        if (!hasAllocationContext || length == 0) {
          yield Errno.EINVAL;
        }
        yield range(flags, Nbd.CMD_FLAG_REQ_ONE, offset, length, Errno.EINVAL);
      }
      default -> Errno.EINVAL;
    };
  }

  private int read(int flags, long offset, long length) {
    int allowed = isStructured ? Nbd.CMD_FLAG_DF : 0;
    int errno = range(flags, allowed, offset, length, Errno.EINVAL);
    return errno == Errno.OK && length > Nbd.MAX_PAYLOAD_BYTES ? Errno.EINVAL : errno;
  }

  private int change(int flags, int allowed, long offset, long length, int beyondEnd) {
    return isReadOnly ? Errno.EPERM : range(flags, allowed, offset, length, beyondEnd);
  }

  private int range(int flags, int allowed, long offset, long length, int beyondEnd) {
    if (!isKnown(flags, allowed) || ((offset | length) & blockMask) != 0) {
      return Errno.EINVAL;
    }
    return offset < 0 || offset > sizeBytes || length > sizeBytes - offset ? beyondEnd : Errno.OK;
  }

  private static boolean isKnown(int flags, int allowed) {
    return (flags & ~(allowed | Nbd.CMD_FLAG_FUA)) == 0;
  }
}
