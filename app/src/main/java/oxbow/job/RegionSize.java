package oxbow.job;

import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.target.clone.CloneArgs;

/**
 * Region sizes as the command line has them, in bytes, under the rules of the table line (C4, C5).
 */
final class RegionSize {
  static final long DEFAULT_BYTES = 4096;
  private static final long MIN_BYTES = Sectors.toBytes(CloneArgs.MIN_REGION_SECTORS);
  private static final long MAX_BYTES = Sectors.toBytes(CloneArgs.MAX_REGION_SECTORS);

  private RegionSize() {}

  /** Checks a size that was asked for, in device-mapper's words and order. */
  static void check(long regionBytes) throws UserException {
    String allowed =
        regionBytes
            + " bytes (powers of 2 from "
            + MIN_BYTES
            + " to "
            + MAX_BYTES
            + " are allowed)";
    if (regionBytes < MIN_BYTES || regionBytes > MAX_BYTES) {
      throw UserException.wrongUsage("clone", "Invalid region size: " + allowed);
    }
    if (Long.bitCount(regionBytes) != 1) {
      throw UserException.wrongUsage("clone", "Region size is not a power of 2: " + allowed);
    }
  }

  /** The smallest size from the default up that makes not too many regions (O12). */
  static long defaultFor(long lengthBytes, int blockSizeBytes) {
    long regionBytes = Math.max(DEFAULT_BYTES, blockSizeBytes);
    while (Math.ceilDiv(lengthBytes, regionBytes) > CloneArgs.MAX_REGIONS) {
      regionBytes *= 2;
    }
    return regionBytes;
  }

  /** Refuses a size that was asked for and makes too many regions (C5). */
  static void checkCount(long lengthBytes, long regionBytes) throws UserException {
    long count = Math.ceilDiv(lengthBytes, regionBytes);
    if (count > CloneArgs.MAX_REGIONS) {
      throw UserException.failed(
              "clone",
              "Too many regions. Consider increasing the region size: %d regions of %s, at most %d"
                  .formatted(count, ByteSize.format(regionBytes), CloneArgs.MAX_REGIONS))
          .advise(
              "Nothing was changed. --region-size "
                  + ByteSize.format(defaultFor(lengthBytes, 1))
                  + " is enough.");
    }
  }
}
