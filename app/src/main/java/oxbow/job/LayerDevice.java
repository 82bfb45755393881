package oxbow.job;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import oxbow.block.BlockDevice;
import oxbow.control.ControlException;
import oxbow.control.Device;
import oxbow.control.TargetLine;
import oxbow.mapped.Layer;

/**
 * A target for tests below a job's devices, as the verbs see it: its messages make devices fail and
 * heal while they are in use.
 */
record LayerDevice(String name, Layer layer) implements Device {
  @Override
  public String address() {
    return layer.address();
  }

  @Override
  public boolean isSuspended() {
    return layer.mapped().isSuspended();
  }

  @Override
  public boolean isReadOnly() {
    return layer.limits().isReadOnly();
  }

  /** The job has it open, nobody else. */
  @Override
  public int openCount() {
    return 1;
  }

  @Override
  public long eventNumber() {
    return layer.mapped().eventNumber();
  }

  @Override
  public List<TargetLine> table() {
    return List.of(ServedDevice.line(layer.mapped(), layer.mapped().table(), Map.of()));
  }

  @Override
  public List<TargetLine> status(boolean isNoflush) {
    return List.of(ServedDevice.line(layer.mapped(), layer.mapped().status(isNoflush), Map.of()));
  }

  @Override
  public List<String> dependencies() {
    return layer.below().stream().map(BlockDevice::address).toList();
  }

  @Override
  public String message(long sector, List<String> words) throws ControlException {
    return ServedDevice.message(layer.mapped(), sector, words);
  }

  @Override
  public boolean awaitEvent(long afterEvent, Duration atMost) {
    return layer.mapped().awaitEvent(afterEvent, atMost.toNanos());
  }
}
