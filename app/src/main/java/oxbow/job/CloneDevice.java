package oxbow.job;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import oxbow.block.Remote;
import oxbow.block.Sectors;
import oxbow.control.ControlException;
import oxbow.control.Device;
import oxbow.control.TargetLine;
import oxbow.mapped.DeviceHealth;
import oxbow.mapped.MappedDevice;
import oxbow.target.MessageException;
import oxbow.target.clone.CloneMode;
import oxbow.target.clone.CloneProgress;
import oxbow.target.clone.CloneStatus;
import oxbow.target.clone.CloneTarget;

/**
 * A clone as the verbs see it.
 *
 * @param target the target of the mapped device
 * @param address where it is served
 * @param clients how many clients are connected
 */
record CloneDevice(
    MappedDevice mapped,
    CloneTarget target,
    String address,
    List<String> dependencies,
    IntSupplier clients)
    implements Device {
  private static final int WORDS_BEFORE_ARGUMENTS = 4;

  @Override
  public String name() {
    return mapped.name();
  }

  @Override
  public boolean isSuspended() {
    return mapped.isSuspended();
  }

  @Override
  public boolean isReadOnly() {
    return mapped.limits().isReadOnly();
  }

  @Override
  public int openCount() {
    return clients.getAsInt();
  }

  @Override
  public long eventNumber() {
    return mapped.eventNumber();
  }

  @Override
  public List<TargetLine> table() {
    return List.of(line(mapped, mapped.table(), Map.of()));
  }

  @Override
  public List<TargetLine> status(boolean isNoflush) {
    String text = mapped.status(isNoflush);
    return List.of(line(mapped, text, mapped.ask(asked -> figures())));
  }

  /** A line of a mapped device, taken apart. */
  static TargetLine line(MappedDevice mapped, String text, Map<String, @Nullable Object> fields) {
    String[] words = text.split(" ", WORDS_BEFORE_ARGUMENTS);
    return new TargetLine(
        0,
        Sectors.fromBytes(mapped.sizeBytes()),
        words[WORDS_BEFORE_ARGUMENTS - 2],
        words[WORDS_BEFORE_ARGUMENTS - 1],
        fields);
  }

  /** The status line by name, and what it has no place for. */
  private Map<String, @Nullable Object> figures() {
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
    fields.put("done", progress.isDone());
    fields.put("paused", progress.pausedReason());
    fields.put("reason", mapped.fault() == null ? progress.modeReason() : mapped.fault());
    fields.put("devices", mapped.health().stream().map(CloneDevice::health).toList());
    return fields;
  }

  /** How one of the devices underneath is. */
  private static Map<String, @Nullable Object> health(DeviceHealth health) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("role", health.role());
    fields.put("address", health.address());
    fields.put("state", health.stateWord());
    fields.put("seconds", health.seconds());
    fields.put("why", health.why());
    fields.put("held", health.held());
    boolean hasLimit = health.isRemote() && health.holdNanos() != Remote.FOREVER;
    fields.put("holdSeconds", hasLimit ? TimeUnit.NANOSECONDS.toSeconds(health.holdNanos()) : null);
    return fields;
  }

  @Override
  public String message(long sector, List<String> words) throws ControlException {
    return message(mapped, sector, words);
  }

  /** Gives a mapped device a message. */
  static String message(MappedDevice mapped, long sector, List<String> words)
      throws ControlException {
    if (sector >= Sectors.fromBytes(mapped.sizeBytes())) {
      throw new ControlException("Target message sector outside device.");
    }
    try {
      return mapped.message(words);
    } catch (MessageException refused) {
      throw new ControlException(String.valueOf(refused.getMessage()), refused);
    }
  }

  @Override
  public boolean awaitEvent(long afterEvent, Duration atMost) {
    return mapped.awaitEvent(afterEvent, atMost.toNanos());
  }
}
