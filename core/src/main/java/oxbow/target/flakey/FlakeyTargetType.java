package oxbow.target.flakey;

import java.util.List;
import oxbow.block.Sectors;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.Underlay;

/** Makes flakey targets. */
public final class FlakeyTargetType implements TargetType {
  public static final String NAME = "flakey";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.5.0";
  }

  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    FlakeyArgs args = FlakeyArgs.parse(words);
    Underlay below = Underlay.open(devices, args.device(), args.offsetSectors(), lengthSectors);
    return new FlakeyTarget(args, Sectors.toBytes(lengthSectors), below);
  }
}
