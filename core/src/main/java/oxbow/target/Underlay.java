package oxbow.target;

import java.io.IOException;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;

/**
 * A device underneath, and where on it the target begins: the words {@code <dev> <offset>} that
 * many table lines have.
 *
 * @param device stays its opener's
 */
public record Underlay(BlockDevice device, long offsetBytes) {
  private static final long MAX_SECTOR = Sectors.fromBytes(Long.MAX_VALUE);

  /** Reads the sector of such a pair of words. */
  public static long parseSector(Words words, String sentence) throws TargetException {
    return words.nextNumber(MAX_SECTOR, sentence);
  }

  /**
   * Opens the device, for writing, and checks that the target fits on it from that sector on, and
   * that its blocks (of {@link oxbow.block.Limits#blockSizeBytes}) are blocks of the device.
   *
   * @throws TargetException with device-mapper's sentences
   */
  public static Underlay open(
      TargetDevices devices, String address, long offsetSectors, long lengthSectors)
      throws TargetException {
    return fitting(devices, address, offsetSectors, lengthSectors);
  }

  /** The same, from its beginning, of a device that the target alone may write. */
  public static Underlay openOwn(TargetDevices devices, String address, long lengthSectors)
      throws TargetException {
    return fitting((named, _) -> devices.openOwn(named), address, 0, lengthSectors);
  }

  private static Underlay fitting(
      TargetDevices opener, String address, long offsetSectors, long lengthSectors)
      throws TargetException {
    BlockDevice device;
    try {
      device = opener.open(address, true);
    } catch (IOException e) {
      throw new TargetException("Device lookup failed: " + e.getMessage(), e);
    }
    long deviceSectors = Sectors.fromBytes(device.sizeBytes());
    if (offsetSectors > deviceSectors - lengthSectors) {
      throw new TargetException(
          "%s too small for target: start=%d, len=%d, dev_size=%d"
              .formatted(address, offsetSectors, lengthSectors, deviceSectors));
    }
    checkAligned(device, address, "start", offsetSectors);
    checkAligned(device, address, "len", lengthSectors);
    return new Underlay(device, Sectors.toBytes(offsetSectors));
  }

  private static void checkAligned(BlockDevice device, String address, String what, long sectors)
      throws TargetException {
    int blockBytes = device.limits().blockSizeBytes();
    if (Sectors.toBytes(sectors) % blockBytes != 0) {
      throw new TargetException(
          "%s=%d not aligned to h/w logical block size %d of %s"
              .formatted(what, sectors, blockBytes, address));
    }
  }
}
