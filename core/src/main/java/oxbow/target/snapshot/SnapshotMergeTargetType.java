package oxbow.target.snapshot;

import java.util.List;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;

/** Makes merges of snapshots; checks everything before a store is formatted. */
public final class SnapshotMergeTargetType implements TargetType {
  public static final String NAME = "snapshot-merge";

  private final StoreTargetMaker maker;

  /**
   * @param origins shared with the other types of the family
   */
  public SnapshotMergeTargetType(Origins origins) {
    maker = new StoreTargetMaker(origins);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.5.0";
  }

  @Override
  public SnapshotMergeTarget construct(
      long lengthSectors, List<String> words, TargetDevices devices) throws TargetException {
    return maker.make(lengthSectors, words, devices, true, SnapshotMergeTarget::new);
  }
}
