package oxbow.target.logwrites;

import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.Underlay;

/**
 * Makes log-writes targets: {@code <dev> <log dev>}. Targets of one type that are given the same
 * log device at the same time write to one log: each has a window of it, one after the other.
 */
public final class LogWritesTargetType implements TargetType {
  public static final String NAME = "log-writes";

  /** Logs in use; guarded by itself. */
  private final IdentityHashMap<BlockDevice, WriteLog> logs = new IdentityHashMap<>();

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.1.0";
  }

  /** {@inheritDoc} Surplus words are ignored. A log that is not in use begins anew. */
  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    if (words.size() < 2) {
      throw new TargetException("Invalid argument count");
    }
    BlockDevice device = Underlay.open(devices, words.get(0), 0, lengthSectors).device();
    long lengthBytes = Sectors.toBytes(lengthSectors);
    String table = words.get(0) + " " + words.get(1);
    try {
      BlockDevice logDevice = devices.openOwn(words.get(1));
      synchronized (logs) {
        WriteLog log = logs.get(logDevice);
        if (log == null) {
          log = new WriteLog(new BlockingDevice(logDevice), sectorBytes(device, logDevice));
          log.begin();
        }
        if (device.limits().blockSizeBytes() > log.sectorBytes()) {
          throw new TargetException(
              "Blocks of %s are larger than the sectors of its log: %d bytes, %d"
                  .formatted(words.get(0), device.limits().blockSizeBytes(), log.sectorBytes()));
        }
        logs.put(logDevice, log);
        long base = log.addWindow(lengthBytes);
        return new LogWritesTarget(table, lengthBytes, device, log, base, () -> release(logDevice));
      }
    } catch (IOException e) {
      throw new TargetException("Log device lookup failed: " + e.getMessage(), e);
    }
  }

  private static int sectorBytes(BlockDevice device, BlockDevice log) {
    int block = Math.max(device.limits().blockSizeBytes(), log.limits().blockSizeBytes());
    return Math.max(Sectors.SIZE_BYTES, block);
  }

  /** A target has closed; the last one ends the log. */
  private void release(BlockDevice logDevice) {
    synchronized (logs) {
      WriteLog log = logs.get(logDevice);
      if (log != null && log.removeWindow()) {
        logs.remove(logDevice);
        log.end();
      }
    }
  }
}
