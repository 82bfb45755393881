package oxbow.target.snapshot;

import java.io.IOException;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;

/** Makes targets that stand in front of the origin of snapshots. */
public final class SnapshotOriginTargetType implements TargetType {
  public static final String NAME = "snapshot-origin";

  private final Origins origins;

  /** Finds snapshots by what they have in common. */
  public SnapshotOriginTargetType(Origins origins) {
    this.origins = origins;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.9.0";
  }

  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    OriginArgs args = OriginArgs.parse(words);
    BlockDevice origin;
    try {
      origin = devices.open(args.origin(), true);
    } catch (IOException e) {
      throw new TargetException("Cannot get target device: " + e.getMessage(), e);
    }
    long deviceSectors = Sectors.fromBytes(origin.sizeBytes());
    if (lengthSectors > deviceSectors) {
      throw new TargetException(
          "%s too small for target: start=0, len=%d, dev_size=%d"
              .formatted(args.origin(), lengthSectors, deviceSectors));
    }
    long lengthBytes = Sectors.toBytes(lengthSectors);
    return new SnapshotOriginTarget(lengthBytes, origin, origins.join(origin));
  }
}
