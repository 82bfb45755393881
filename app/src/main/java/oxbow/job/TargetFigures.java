package oxbow.job;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.mapped.MappedDevice;
import oxbow.target.Target;
import oxbow.target.bow.BowTarget;
import oxbow.target.clone.CloneTarget;
import oxbow.target.logwrites.LogWritesTarget;
import oxbow.target.snapshot.SnapshotMergeTarget;
import oxbow.target.snapshot.SnapshotTarget;

/** What the verbs tell of a target by name, whichever it is. */
public final class TargetFigures {
  private TargetFigures() {}

  /** The figures of a device's target, consistent with each other. Does not block for I/O. */
  public static Map<String, @Nullable Object> of(MappedDevice mapped) {
    return mapped.ask(target -> of(mapped, target));
  }

  private static Map<String, @Nullable Object> of(MappedDevice mapped, Target target) {
    return switch (target) {
      case CloneTarget clone -> CloneFigures.of(mapped, clone);
      case SnapshotTarget snapshot -> SnapshotFields.of(mapped, snapshot.figures());
      case SnapshotMergeTarget merge -> SnapshotFields.of(mapped, merge.figures());
      case BowTarget bow -> BowFields.of(mapped, bow);
      case LogWritesTarget log -> logged(mapped, log);
      default -> common(mapped);
    };
  }

  private static Map<String, @Nullable Object> common(MappedDevice mapped) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("reason", mapped.fault());
    fields.put("devices", ServedDevice.health(mapped));
    return fields;
  }

  /** The words of a log's status line: entries, the highest sector in use, whether it has ended. */
  private static Map<String, @Nullable Object> logged(MappedDevice mapped, LogWritesTarget log) {
    String[] words = log.status().split(" ", -1);
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("entries", Long.valueOf(words[0]));
    fields.put("highestSector", Long.valueOf(words[1]));
    fields.put("loggingDisabled", words.length > 2);
    fields.putAll(common(mapped));
    return fields;
  }
}
