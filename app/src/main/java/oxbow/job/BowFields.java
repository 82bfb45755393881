package oxbow.job;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.mapped.MappedDevice;
import oxbow.target.bow.BowStatus;
import oxbow.target.bow.BowTarget;

/** What the verbs tell of a bow device: its status line by name, and what that has no place for. */
final class BowFields {
  private BowFields() {}

  /** Under the device's lock. */
  static Map<String, @Nullable Object> of(MappedDevice mapped, BowTarget target) {
    Map<String, @Nullable Object> fields = of(target.figures());
    String fault = mapped.fault();
    String problem = target.problem();
    if (fault != null) {
      fields.put("state", "fail");
    }
    fields.put("whenFull", target.whenFull().word());
    fields.put("failed", fault != null || target.hasFailed());
    fields.put("reason", fault != null ? fault : problem.isEmpty() ? null : problem);
    fields.put("devices", ServedDevice.health(mapped));
    return fields;
  }

  /** The figures alone. */
  static Map<String, @Nullable Object> of(BowStatus status) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("state", status.state().word());
    fields.put("stateNumber", status.state().number());
    fields.put("freeBytes", status.freeBytes());
    fields.put("logEntries", status.logEntries());
    fields.put("logBlocks", status.logBlocks());
    fields.put("backedUpBytes", status.backedUpBytes());
    fields.put("sequence", status.sequence());
    fields.put("gainedBytes", status.gainedBytes());
    return fields;
  }
}
