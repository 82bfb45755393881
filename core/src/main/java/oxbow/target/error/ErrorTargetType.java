package oxbow.target.error;

import java.util.List;
import oxbow.block.Sectors;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetType;

/** Makes error targets: {@code error}, without arguments; those that are given are ignored. */
public final class ErrorTargetType implements TargetType {
  public static final String NAME = "error";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.5.0";
  }

  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices) {
    return new ErrorTarget(Sectors.toBytes(lengthSectors));
  }
}
