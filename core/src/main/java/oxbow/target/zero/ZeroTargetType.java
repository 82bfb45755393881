package oxbow.target.zero;

import java.util.List;
import oxbow.block.Sectors;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;

/** Makes zero targets: {@code zero}, without arguments. */
public final class ZeroTargetType implements TargetType {
  public static final String NAME = "zero";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.1.0";
  }

  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    if (!words.isEmpty()) {
      throw new TargetException("No arguments required");
    }
    return new ZeroTarget(Sectors.toBytes(lengthSectors));
  }
}
