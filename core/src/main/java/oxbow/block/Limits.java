package oxbow.block;

/**
 * What a device can do, fixed while it is open.
 *
 * @param isReadOnly WRITE, WRITE_ZEROES and DISCARD fail with EPERM
 * @param blockSizeBytes power of two that offsets and lengths of reads and writes must be multiples
 *     of: 1 for a file, more for some NBD exports
 * @param canDiscard DISCARD may free space; otherwise it fails with ENOTSUP
 * @param maxDiscardBytes largest DISCARD in one request; Long.MAX_VALUE when unlimited
 * @param discardReadsZeros a discarded range reads as zeros afterwards
 * @param canWriteZeroesFast WRITE_ZEROES is cheaper than writing zeros
 * @param hasVolatileCache completed writes need a FLUSH to be durable
 */
public record Limits(
    boolean isReadOnly,
    int blockSizeBytes,
    boolean canDiscard,
    long maxDiscardBytes,
    boolean discardReadsZeros,
    boolean canWriteZeroesFast,
    boolean hasVolatileCache) {

  /** Any alignment, everything allowed: what a sparse regular file offers. */
  public static final Limits FILE = new Limits(false, 1, true, Long.MAX_VALUE, true, true, true);

  /** The same for a device opened for reading only. */
  public static final Limits READ_ONLY_FILE = new Limits(true, 1, false, 0, false, false, false);
}
