package oxbow.job;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.mapped.MappedDevice;
import oxbow.target.clone.CloneMode;
import oxbow.target.clone.CloneProgress;
import oxbow.target.clone.CloneStatus;
import oxbow.target.clone.CloneTarget;

/** What the verbs tell of a clone: its status line by name, and what that has no place for. */
final class CloneFigures {
  private CloneFigures() {}

  /** Under the device's lock. */
  static Map<String, @Nullable Object> of(MappedDevice mapped, CloneTarget target) {
    CloneStatus status = target.figures();
    CloneProgress progress = target.progress();
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    CloneMode mode = mapped.fault() == null ? status.mode() : CloneMode.FAIL;
    fields.put("mode", mode.word());
    if (mode != CloneMode.FAIL) {
      fields.put("metadataBlockSectors", CloneStatus.METADATA_BLOCK_SECTORS);
      fields.put("usedMetadataBlocks", status.usedMetadataBlocks());
      fields.put("totalMetadataBlocks", status.totalMetadataBlocks());
    }
    fields.put("regionSizeSectors", status.regionSizeSectors());
    fields.put("hydratedRegions", status.hydratedRegions());
    fields.put("totalRegions", status.totalRegions());
    fields.put("hydratingRegions", status.hydratingRegions());
    fields.put("noHydration", status.hasNoHydration());
    fields.put("noDiscardPassdown", status.hasNoDiscardPassdown());
    fields.put("hydrateOnRead", status.hydratesOnRead());
    fields.put("hydrationThreshold", status.hydrationThreshold());
    fields.put("hydrationBatchSize", status.hydrationBatchSize());
    fields.put("hydratedBytes", progress.hydratedBytes());
    fields.put("copiedBytes", progress.copiedBytes());
    fields.put("failures", progress.failures());
    fields.put("commits", progress.commits());
    fields.put("done", progress.isDone());
    fields.put("paused", progress.pausedReason());
    fields.put("reason", mapped.fault() == null ? progress.modeReason() : mapped.fault());
    fields.put("devices", ServedDevice.health(mapped));
    return fields;
  }
}
