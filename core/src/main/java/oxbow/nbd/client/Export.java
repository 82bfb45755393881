package oxbow.nbd.client;

import oxbow.nbd.wire.Nbd;

/**
 * What a server has told about an export during one handshake.
 *
 * @param sizeBytes 0 to 2^63 - 1
 * @param flags the transmission flags, bits {@code Nbd.FLAG_...}
 * @param minBlockBytes power of two, at most 64 KiB: offsets and lengths are multiples of it
 * @param maxPayloadBytes longest READ or WRITE; a multiple of minBlockBytes
 * @param hasStructuredReplies READs are answered in chunks
 * @param hasAllocation BLOCK_STATUS tells base:allocation
 * @param allocationId the server's number for base:allocation; 0 without it
 */
public record Export(
    long sizeBytes,
    int flags,
    int minBlockBytes,
    int maxPayloadBytes,
    boolean hasStructuredReplies,
    boolean hasAllocation,
    int allocationId) {

  /** Flags that offer a command or a promise; the rest are hints or of no use to us. */
  private static final int OFFERS =
      Nbd.FLAG_SEND_FLUSH
          | Nbd.FLAG_SEND_FUA
          | Nbd.FLAG_SEND_TRIM
          | Nbd.FLAG_SEND_WRITE_ZEROES
          | Nbd.FLAG_SEND_CACHE
          | Nbd.FLAG_SEND_FAST_ZERO;

  public boolean isReadOnly() {
    return has(Nbd.FLAG_READ_ONLY);
  }

  /** Completed writes may be volatile until a FLUSH; without it nothing is known to be. */
  public boolean canFlush() {
    return has(Nbd.FLAG_SEND_FLUSH);
  }

  public boolean canFua() {
    return has(Nbd.FLAG_SEND_FUA);
  }

  public boolean canTrim() {
    return has(Nbd.FLAG_SEND_TRIM);
  }

  public boolean canWriteZeroes() {
    return has(Nbd.FLAG_SEND_WRITE_ZEROES);
  }

  public boolean canFastZero() {
    return has(Nbd.FLAG_SEND_FAST_ZERO);
  }

  public boolean canCache() {
    return has(Nbd.FLAG_SEND_CACHE);
  }

  /** A FLUSH on one connection covers what was completed on all; several connections are safe. */
  public boolean canMultiConnect() {
    return has(Nbd.FLAG_CAN_MULTI_CONN);
  }

  private boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /**
   * Whether this can stand in for what was offered before a reconnection: nobody above is told that
   * a device has become smaller or can do less.
   *
   * @return empty if it can; else what has changed, for people
   */
  public String whyNotInsteadOf(Export before) {
    if (sizeBytes < before.sizeBytes) {
      return "the export has shrunk from " + before.sizeBytes + " to " + sizeBytes + " bytes";
    }
    if (isReadOnly() && !before.isReadOnly()) {
      return "the export has become read-only";
    }
    if (minBlockBytes > before.minBlockBytes) {
      return "the export's minimum block has grown from "
          + before.minBlockBytes
          + " to "
          + minBlockBytes
          + " bytes";
    }
    if (maxPayloadBytes < before.maxPayloadBytes) {
      return "the export's maximum request has shrunk from "
          + before.maxPayloadBytes
          + " to "
          + maxPayloadBytes
          + " bytes";
    }
    if (before.hasAllocation && !hasAllocation) {
      return "the export no longer tells how it is allocated";
    }
    int gone = before.flags & ~flags & OFFERS;
    if (gone != 0) {
      return "the export no longer offers all it did: transmission flags were 0x"
          + Integer.toHexString(before.flags)
          + ", now 0x"
          + Integer.toHexString(flags);
    }
    return "";
  }
}
