package oxbow.targets;

import java.util.List;
import java.util.Optional;
import oxbow.target.TargetType;
import oxbow.target.bow.BowTargetType;
import oxbow.target.clone.CloneOptions;
import oxbow.target.clone.CloneTargetType;
import oxbow.target.delay.DelayTargetType;
import oxbow.target.error.ErrorTargetType;
import oxbow.target.flakey.FlakeyTargetType;
import oxbow.target.linear.LinearTargetType;
import oxbow.target.logwrites.LogWritesTargetType;
import oxbow.target.snapshot.Origins;
import oxbow.target.snapshot.SnapshotMergeTargetType;
import oxbow.target.snapshot.SnapshotOriginTargetType;
import oxbow.target.snapshot.SnapshotTargetType;
import oxbow.target.zero.ZeroTargetType;

/**
 * The targets there are. A new one is a line here. Each program makes one of these and keeps it:
 * targets that share something (a log) find it through their type.
 */
public final class TargetTypes {
  private final Origins origins = new Origins();

  private final List<TargetType> types =
      List.of(
          new BowTargetType(),
          new CloneTargetType(CloneOptions.TABLE),
          new DelayTargetType(),
          new ErrorTargetType(),
          new FlakeyTargetType(),
          new LinearTargetType(),
          new LogWritesTargetType(),
          new SnapshotTargetType(origins),
          new SnapshotMergeTargetType(origins),
          new SnapshotOriginTargetType(origins),
          new ZeroTargetType());

  /** All, by name in alphabetical order. */
  public List<TargetType> all() {
    return types;
  }

  /** The target with that word in the table line. */
  public Optional<TargetType> find(String name) {
    return types.stream().filter(type -> type.name().equals(name)).findFirst();
  }
}
