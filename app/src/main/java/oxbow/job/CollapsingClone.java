package oxbow.job;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import oxbow.block.BlockDevice;
import oxbow.console.UserException;
import oxbow.mapped.MappedDevice;
import oxbow.mapped.Table;
import oxbow.mapped.TableDevice;

/**
 * A clone that becomes its destination: its clients see one device, whose table is the clone at
 * first, and a {@code linear} of the destination once that is a full copy.
 */
final class CollapsingClone {
  /** How long requests in flight may hold up the change; the clone goes on if they do. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final TableDevice device;

  /**
   * A device without a table.
   *
   * @param listener hears of the events of both tables
   */
  CollapsingClone(String name, MappedDevice.Listener listener) {
    this.device = new TableDevice(name, false, listener);
  }

  /** What the clone tells its events to. */
  MappedDevice.Listener cloneListener() {
    return device.targetListener();
  }

  /** What is served: the clone, which is still suspended. */
  BlockDevice begin(MappedDevice clone) {
    device.lay(new Table(List.of(clone)));
    return device;
  }

  void resume() {
    device.resume(null);
  }

  /** Events raised so far, by both tables. */
  long eventNumber() {
    return device.eventNumber();
  }

  /**
   * Puts the destination in the place of the clone, whose target ends. Requests wait meanwhile;
   * none fails. Blocks.
   *
   * @param destination stays its opener's
   * @return the device over the destination
   * @throws UserException when something does not end, or cannot be made durable; the clone then
   *     goes on
   */
  MappedDevice collapse(DeviceStack devices, BlockDevice destination, MappedDevice clone)
      throws UserException, IOException {
    String address = destination.address();
    MappedDevice linear =
        devices.map(
            device.name(),
            devices.target(
                "linear",
                clone.sizeBytes(),
                List.of(address, "0"),
                Map.of(address, destination),
                "The clone goes on as it is."),
            device.targetListener());
    try {
      device.suspend(PATIENCE, true);
    } catch (IOException busy) {
      devices.end(linear);
      throw UserException.failed("clone: collapse", busy).advise("The clone goes on as it is.");
    }
    device.resume(new Table(List.of(linear)));
    devices.end(clone);
    return linear;
  }

  /**
   * Blocks until the device has raised more events than that.
   *
   * @return false when the time ran out first
   */
  boolean awaitEvent(long afterEvent, Duration atMost) {
    return device.awaitEvent(afterEvent, atMost.toNanos());
  }
}
