package oxbow.target.delay;

import java.util.ArrayList;
import java.util.List;
import oxbow.block.Sectors;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.Underlay;

/** Makes delay targets. */
public final class DelayTargetType implements TargetType {
  public static final String NAME = "delay";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.3.0";
  }

  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    DelayArgs args = DelayArgs.parse(words);
    List<Underlay> given = new ArrayList<>();
    for (DelayArgs.Part part : args.given()) {
      given.add(Underlay.open(devices, part.device(), part.offsetSectors(), lengthSectors));
    }
    return new DelayTarget(args, Sectors.toBytes(lengthSectors), given);
  }
}
