package oxbow.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.engine.Engine;
import oxbow.mapped.Layer;
import oxbow.mapped.MappedDevice;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;

/**
 * All that a job has open, from the first check to its end: devices that were there, files that it
 * created, mapped devices over them. Closed in reverse; what was created is removed again unless
 * {@link #keep} has been called. Used by one thread; blocks.
 */
final class DeviceStack implements AutoCloseable {
  static final String UNCHANGED = "Nothing was changed.";

  private static final long SUSPEND_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final String command;
  private final DeviceOpener opener;
  private final List<Path> created = new ArrayList<>();
  private final List<BlockDevice> devices = new ArrayList<>();
  private final Map<String, BlockDevice> roles = new LinkedHashMap<>();
  private final List<BlockingDevice> buffers = new ArrayList<>();
  private final List<MappedDevice> mapped = new ArrayList<>();
  private boolean isClosed;

  /**
   * @param opener outlives the stack
   */
  DeviceStack(String command, DeviceOpener opener) {
    this.command = command;
    this.opener = opener;
  }

  DeviceOpener opener() {
    return opener;
  }

  /**
   * Opens what exists, and thereby locks it.
   *
   * @param role what the device is to the job, for messages: "source", or just "device"
   * @throws UserException also when it is to be written and cannot be
   */
  BlockDevice open(Address address, boolean isWritable, FileOpener.OddTail tail, String role)
      throws UserException {
    try {
      BlockDevice device =
          isWritable ? opener.openWritable(address) : opener.openReadOnly(address, tail);
      devices.add(device);
      // A file that was opened for writing can be written; asking for its limits would touch it.
      if (isWritable && !(device instanceof FileDevice) && device.limits().isReadOnly()) {
        throw UserException.failed(command, address.text() + ": the " + role + " is read-only")
            .advise(UNCHANGED);
      }
      return device;
    } catch (IOException failed) {
      // Where there is but one device it has no other role.
      String called = role.equals("device") ? role : role + " device";
      throw UserException.failed(command + ": Error opening " + called, failed).advise(UNCHANGED);
    }
  }

  /** Creates the file at the bottom of an address; its layers are not there yet. */
  FileDevice create(Address address, long sizeBytes) throws UserException {
    if (!(address.bottom() instanceof Address.File file)) {
      throw new IllegalStateException("only files are created: " + address.text());
    }
    Path path = file.path();
    try {
      FileDevice device;
      if (DeviceOpener.isEmptyFile(address)) {
        device = opener.files().createInEmpty(path, sizeBytes);
      } else {
        device = opener.files().create(path, sizeBytes);
        created.add(path);
      }
      devices.add(device);
      return device;
    } catch (IOException failed) {
      throw UserException.failed(command + ": create", failed).advise("Nothing was left behind.");
    }
  }

  /** Puts the layers of an address over the file that was created last. */
  BlockDevice wrap(Address address, FileDevice file) throws IOException {
    devices.removeLast();
    BlockDevice device = opener.wrapBottom(address, file);
    devices.add(device);
    return device;
  }

  /**
   * Makes the name of a file that was found durable: what a killed run had created before us may
   * have no durable name yet, and nothing may be promised before it has one.
   *
   * @param advice for the user, if that fails
   */
  void syncName(BlockDevice found, String advice) throws UserException {
    if (found instanceof FileDevice file) {
      try {
        opener.files().syncName(file);
      } catch (IOException failed) {
        throw UserException.failed(command + ": " + file.address(), failed).advise(advice);
      }
    } else if (found instanceof Layer layer) {
      for (BlockDevice below : layer.below()) {
        syncName(below, advice);
      }
    }
  }

  /** A way to read and write a device that waits; it ends with the stack, after the targets. */
  BlockingDevice blocking(BlockDevice device) {
    BlockingDevice io = new BlockingDevice(device);
    buffers.add(io);
    return io;
  }

  /** Names what a device is to the job, so that the verbs find its layers. */
  void name(String role, BlockDevice device) {
    roles.put(role, device);
  }

  /**
   * A target over some of these, made from a table line.
   *
   * @param below the devices by the words that stand for them in the line
   * @param advice for the user, if the line is refused
   */
  Target target(
      String type,
      long lengthBytes,
      List<String> words,
      Map<String, BlockDevice> below,
      String advice)
      throws UserException {
    TargetDevices opened =
        (word, isWritable) -> {
          BlockDevice device = below.get(word);
          if (device == null) {
            throw new IOException(word + ": not opened");
          }
          return device;
        };
    try {
      return opener
          .types()
          .find(type)
          .orElseThrow()
          .construct(Sectors.fromBytes(lengthBytes), words, opened);
    } catch (TargetException refused) {
      throw UserException.failed(command, refused).advise(advice);
    }
  }

  /** A mapped device over some of these; suspended. It ends before those that were made before. */
  MappedDevice map(String name, Target target, MappedDevice.Listener listener) throws IOException {
    Engine engine = opener.engine();
    MappedDevice device =
        new MappedDevice(name, target, engine.nextLoop(), engine.blocking(), listener);
    mapped.add(device);
    return device;
  }

  /** Ends a mapped device before the others; it is suspended, or never was resumed. Blocks. */
  void end(MappedDevice device) throws IOException {
    if (!device.suspend(SUSPEND_NANOS)) {
      throw new IOException(device.name() + ": requests have not ended");
    }
    mapped.remove(device);
    device.close();
  }

  /** Lets a device go before the others; nothing lies on it any more. Blocks. */
  void release(BlockDevice device) throws IOException {
    devices.remove(device);
    roles.values().remove(device);
    device.close();
  }

  /**
   * The targets for tests below the job's devices, as the verbs see them: NAME-source, NAME-dest,
   * NAME-metadata, and under each other NAME-source-2 and so on.
   */
  List<LayerDevice> layers(String name) {
    List<LayerDevice> layers = new ArrayList<>();
    roles.forEach(
        (role, device) -> {
          BlockDevice at = device;
          for (int depth = 1; at instanceof Layer layer && !layer.below().isEmpty(); depth++) {
            String own = name + "-" + role + (depth == 1 ? "" : "-" + depth);
            layers.add(new LayerDevice(own, layer));
            at = layer.below().getFirst();
          }
        });
    return layers;
  }

  /** From now on what was created stays: somebody may rely on it. */
  void keep() {
    created.clear();
  }

  /**
   * Lets requests to servers that are gone fail soon, and targets for tests keep nothing back, so
   * that nobody waits for them at the end.
   */
  void holdNoLonger() {
    devices.forEach(DeviceOpener::holdNoLonger);
  }

  /**
   * Has the mapped devices wait for what is in flight, and commit, the last one first.
   *
   * @return false if something did not end in time; the ones made before are not suspended then
   */
  boolean suspend() {
    for (MappedDevice device : mapped.reversed()) {
      if (!device.suspend(SUSPEND_NANOS)) {
        return false;
      }
    }
    return true;
  }

  /** Makes durable what was written to a device. Blocks. */
  static void flush(BlockDevice device) throws IOException {
    try (BlockingDevice io = new BlockingDevice(device)) {
      io.flush();
    }
  }

  /**
   * Suspends, and closes all devices; leaves them to the system where something does not end, since
   * closing a device under a request would be worse. A second time does nothing.
   */
  @Override
  public void close() throws IOException {
    if (isClosed) {
      return;
    }
    isClosed = true;
    if (!suspend()) {
      opener.abandon();
      return;
    }
    for (MappedDevice device : mapped.reversed()) {
      closeMapped(device);
    }
    buffers.forEach(BlockingDevice::close);
    IOException failure = null;
    for (BlockDevice device : devices.reversed()) {
      try {
        device.close();
      } catch (IOException failed) {
        failure = failed;
      }
    }
    // The last one first: a job that is cut off here finds what it makes first.
    for (Path path : created.reversed()) {
      Files.deleteIfExists(path);
    }
    if (failure != null) {
      throw failure;
    }
  }

  private void closeMapped(MappedDevice device) throws IOException {
    try {
      device.close();
    } catch (IOException unfinished) {
      opener.abandon();
      throw unfinished;
    }
  }
}
