package oxbow.target.linear;

import java.io.IOException;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Sectors;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.Underlay;

/** Makes linear targets. */
public final class LinearTargetType implements TargetType {
  public static final String NAME = "linear";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.4.0";
  }

  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    LinearArgs args = LinearArgs.parse(words);
    Underlay below =
        Underlay.open(
            (address, isWritable) -> openAsMayBe(devices, address),
            args.device(),
            args.offsetSectors(),
            lengthSectors);
    return new LinearTarget(args, Sectors.toBytes(lengthSectors), below);
  }

  /**
   * For writing, or for reading where only that is allowed; a device in use is not. In the kernel
   * the mode is the table's.
   */
  private static BlockDevice openAsMayBe(TargetDevices devices, String address) throws IOException {
    try {
      return devices.open(address, true);
    } catch (DeviceException refused) {
      return switch (refused.errno()) {
        case Errno.EACCES, Errno.EPERM, Errno.EROFS -> devices.open(address, false);
        default -> throw refused;
      };
    }
  }
}
