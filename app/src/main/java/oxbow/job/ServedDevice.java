package oxbow.job;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import oxbow.block.Remote;
import oxbow.block.Sectors;
import oxbow.control.ControlException;
import oxbow.control.Device;
import oxbow.control.TargetLine;
import oxbow.mapped.DeviceHealth;
import oxbow.mapped.MappedDevice;
import oxbow.target.MessageException;

/**
 * A mapped device of a job as the verbs see it.
 *
 * @param address where it is served
 * @param dependencies addresses of the devices below, the last opened first
 * @param clients how many clients are connected
 * @param figures the status line by name, and what it has no place for; asked under the device's
 *     lock
 */
record ServedDevice(
    MappedDevice mapped,
    String address,
    List<String> dependencies,
    IntSupplier clients,
    Supplier<Map<String, @Nullable Object>> figures)
    implements Device {
  private static final int WORDS_BEFORE_ARGUMENTS = 4;

  /**
   * A device of a job.
   *
   * @param service null when it is not served
   */
  static ServedDevice of(
      MappedDevice mapped,
      @Nullable DeviceService service,
      List<String> dependencies,
      Supplier<Map<String, @Nullable Object>> figures) {
    return new ServedDevice(
        mapped,
        service == null ? "-" : service.uris().getFirst(),
        dependencies,
        () -> service == null ? 0 : service.clients(),
        figures);
  }

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
    return List.of(line(mapped, text, mapped.ask(asked -> figures.get())));
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

  /** How the devices underneath are, as the field {@code devices} of the figures. */
  static List<Map<String, @Nullable Object>> health(MappedDevice mapped) {
    return mapped.health().stream().map(ServedDevice::health).toList();
  }

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
