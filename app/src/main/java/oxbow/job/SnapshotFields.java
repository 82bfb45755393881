package oxbow.job;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.mapped.MappedDevice;
import oxbow.target.snapshot.SnapshotFigures;

/** What the verbs tell of a snapshot: its status line by name, and what that has no place for. */
final class SnapshotFields {
  private SnapshotFields() {}

  /** Under the device's lock. */
  static Map<String, @Nullable Object> of(MappedDevice mapped, SnapshotFigures figures) {
    Map<String, @Nullable Object> fields = of(figures);
    String fault = mapped.fault();
    fields.put("state", fault == null ? fields.get("state") : "fail");
    fields.put("reason", fault != null ? fault : reason(figures));
    fields.put("devices", ServedDevice.health(mapped));
    return fields;
  }

  /** The figures alone. */
  static Map<String, @Nullable Object> of(SnapshotFigures figures) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("state", word(figures));
    fields.put("allocatedSectors", figures.allocatedSectors());
    fields.put("totalSectors", figures.totalSectors());
    fields.put("metadataSectors", figures.metadataSectors());
    fields.put("exceptions", figures.exceptions());
    return fields;
  }

  /** The state as a word: active, invalid, overflow, merge failed. */
  static String word(SnapshotFigures figures) {
    return figures.state().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static @Nullable String reason(SnapshotFigures figures) {
    return figures.why().isEmpty() ? null : figures.why();
  }
}
