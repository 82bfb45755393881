package oxbow.daemon;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import oxbow.block.BlockingDevice;
import oxbow.console.Console;
import oxbow.control.DeviceRegistry;
import oxbow.control.TargetLine;
import oxbow.device.file.DeviceInUseException;
import oxbow.job.DeviceOpener;
import oxbow.nbd.server.ExportLimits;
import oxbow.nbd.server.ServerOptions;

/** All of a daemon but its process and its control socket, in a directory. */
final class Scene implements AutoCloseable {
  final Path directory;
  final StateFile state;
  final DeviceOpener opener = new DeviceOpener(_ -> {});
  final DeviceRegistry registry = new DeviceRegistry();
  final ByteArrayOutputStream logged = new ByteArrayOutputStream();
  final DaemonLog log =
      new DaemonLog(
          new Console(
              new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
              new PrintStream(logged, true, StandardCharsets.UTF_8),
              false,
              false));
  final EventLog events = new EventLog(log);
  final Exports exports;
  final Devices devices;

  Scene(Path directory) throws Exception {
    this.directory = directory;
    this.state = StateFile.open(directory.resolve("state"));
    opener.engine();
    this.exports = new Exports(opener, ServerOptions.DEFAULT, events, log);
    this.devices = new Devices(opener, exports, events, state, registry);
  }

  /** A file of holes. */
  Path file(String name, long sizeBytes) throws IOException {
    Path path = directory.resolve(name);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(sizeBytes);
    }
    return path;
  }

  /** A device that is live. */
  ManagedDevice create(String name, String table) throws Exception {
    devices.create(name, table, false, List.of());
    return devices.find(name);
  }

  static ExportOrder at(String listen) {
    return new ExportOrder(listen, null, false, false, ExportLimits.UNLIMITED);
  }

  String socket(String name) {
    return "unix:" + directory.resolve(name);
  }

  /** The live table, a line a target. */
  String table(String device) throws Exception {
    return text(devices.find(device).table());
  }

  String inactive(String device) throws Exception {
    return text(devices.find(device).inactiveTable());
  }

  private static String text(List<TargetLine> lines) {
    return lines.stream()
        .map(
            line ->
                (line.startSector()
                        + " "
                        + line.lengthSectors()
                        + " "
                        + line.target()
                        + " "
                        + line.text())
                    .strip())
        .collect(Collectors.joining("\n"));
  }

  /** Clients that have hung up are counted for a moment more. */
  void awaitUnused(String device) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (devices.find(device).openCount() > 0) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(device + " is still in use");
      }
      Thread.onSpinWait();
    }
  }

  byte[] read(String device, long offsetBytes, int lengthBytes) throws Exception {
    byte[] bytes = new byte[lengthBytes];
    try (BlockingDevice io = new BlockingDevice(devices.find(device).block())) {
      io.read(offsetBytes, ByteBuffer.wrap(bytes));
    }
    return bytes;
  }

  void write(String device, long offsetBytes, byte[] bytes) throws Exception {
    try (BlockingDevice io = new BlockingDevice(devices.find(device).block())) {
      io.write(offsetBytes, ByteBuffer.wrap(bytes));
    }
  }

  /** Whether nobody has a file open as a device: it could be had for writing. */
  static boolean isFree(Path path) throws Exception {
    try (DeviceOpener other = new DeviceOpener(_ -> {})) {
      other.openWritable(DeviceOpener.parse("test", path.toString())).close();
      return true;
    } catch (DeviceInUseException inUse) {
      return false;
    }
  }

  String log() {
    return logged.toString(StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    events.close();
    exports.close();
    devices.close();
    opener.close();
    state.close();
  }
}
