package oxbow.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.ByteSize;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Remote;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.engine.Engine;
import oxbow.mapped.Layer;
import oxbow.mapped.MappedDevice;
import oxbow.target.TargetException;
import oxbow.target.clone.CloneArgs;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.CloneOptions;
import oxbow.target.clone.CloneProgress;
import oxbow.target.clone.CloneTarget;
import oxbow.target.clone.CloneTargetType;

/**
 * The devices of a running clone, from the plan to their end. What it had to create is removed
 * again unless {@link #keep} has been called.
 *
 * <p>The order of creation makes a crash at any moment harmless: the destination comes first, with
 * its size and its name durable, then the metadata, then its format, superblock last. What a crash
 * leaves is therefore one of: nothing; an empty file or an all-hole destination without metadata;
 * the same with metadata of zeros or of an unfinished format. Each is what {@link CloneChecks}
 * takes for a beginning.
 */
final class CloneStack implements AutoCloseable {
  private static final String COMMAND = "clone";

  /** How long requests to a lost server may hold up the end of the job. */
  private static final long HOLD_AT_END_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** And how long those to one that says nothing; some disks take their time for a last flush. */
  private static final long SILENCE_AT_END_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final long SUSPEND_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final DeviceOpener opener;
  private final List<Path> created = new ArrayList<>();
  private final List<BlockDevice> devices = new ArrayList<>();
  private final Map<String, BlockDevice> roles = new LinkedHashMap<>();
  private @Nullable BlockingDevice metadataIo;
  private @Nullable BlockDevice destination;
  private @Nullable CloneTarget target;
  private @Nullable MappedDevice mapped;

  private CloneStack(DeviceOpener opener) {
    this.opener = opener;
  }

  /**
   * Creates what is to be created and puts all together; the device is suspended. Blocks.
   *
   * @param name of the mapped device
   */
  static CloneStack build(
      ClonePlan plan, String name, DeviceOpener opener, MappedDevice.Listener listener)
      throws UserException, IOException {
    CloneStack stack = new CloneStack(opener);
    stack.devices.add(plan.source());
    addIfThere(stack.devices, plan.destination());
    addIfThere(stack.devices, plan.metadata());
    try {
      stack.assemble(plan, name, listener);
      return stack;
    } catch (TargetException refused) {
      stack.close();
      throw UserException.failed(COMMAND, refused);
    } catch (UserException | IOException | RuntimeException failed) {
      stack.close();
      throw failed;
    }
  }

  private static void addIfThere(List<BlockDevice> devices, @Nullable BlockDevice device) {
    if (device != null) {
      devices.add(device);
    }
  }

  private void assemble(ClonePlan plan, String name, MappedDevice.Listener listener)
      throws UserException, IOException, TargetException {
    CloneOrder order = plan.order();
    Remote sourceServer = plan.source().remote();
    if (sourceServer != null) {
      sourceServer.holdNanos(order.sourcePatience().holdNanos());
      sourceServer.silenceNanos(order.sourcePatience().silenceNanos());
    }
    BlockDevice destination = plan.destination();
    boolean isDestinationNew = destination == null;
    if (destination == null) {
      Address address = plan.destinationAddress();
      destination = wrap(address, create(address, plan.lengthBytes()));
    }
    this.destination = destination;
    BlockDevice metadataDevice = plan.metadata();
    if (metadataDevice == null) {
      metadataDevice = createMetadata(plan);
    }
    if (plan.isMetadataNew()) {
      syncNameIfFound(plan.destination());
      syncNameIfFound(plan.metadata());
    }
    roles.put("source", plan.source());
    roles.put("dest", destination);
    roles.put("metadata", metadataDevice);
    BlockingDevice io = new BlockingDevice(metadataDevice);
    metadataIo = io;
    CloneMetadata metadata = openMetadata(plan, io);
    CloneArgs args =
        CloneArgs.of(
            plan.metadataAddress().text(),
            plan.destinationAddress().text(),
            order.source(),
            Sectors.fromBytes(plan.regionBytes()),
            order.features(),
            order.hydrationThreshold().orElse(1),
            order.hydrationBatchSize().orElse(1));
    CloneOptions usual = order.isPaceGiven() ? CloneOptions.TABLE : CloneOptions.FOREGROUND;
    CloneOptions options =
        new CloneOptions(
            usual.isAdaptive(),
            order.rateBytesPerSecond(),
            usual.minimumSharePercent(),
            isDestinationNew,
            usual.failureLimit());
    CloneTarget clone = openTarget(plan, args, options, destination, metadata);
    target = clone;
    Engine engine = opener.engine();
    mapped = new MappedDevice(name, clone, engine.nextLoop(), engine.blocking(), listener);
  }

  /** The layers of the address over the file that was created last. */
  private BlockDevice wrap(Address address, FileDevice file) throws IOException {
    devices.removeLast();
    BlockDevice device = opener.wrapBottom(address, file);
    devices.add(device);
    return device;
  }

  /**
   * What a killed run had created before us may have no durable name yet, and nothing may be
   * promised before it has one. Once there is a format, the names have been seen to.
   */
  private void syncNameIfFound(@Nullable BlockDevice found) throws UserException {
    if (found instanceof FileDevice file) {
      try {
        opener.files().syncName(file);
      } catch (IOException failed) {
        throw UserException.failed(COMMAND + ": " + file.address(), failed)
            .advise("No clone was made.");
      }
    } else if (found instanceof Layer layer) {
      for (BlockDevice below : layer.below()) {
        syncNameIfFound(below);
      }
    }
  }

  /** Creates the file at the bottom of an address. */
  private FileDevice create(Address address, long sizeBytes) throws UserException {
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
      throw UserException.failed(COMMAND + ": create", failed).advise("Nothing was left behind.");
    }
  }

  /** Space for all of the metadata is taken now, so that no commit can run out of it later. */
  private BlockDevice createMetadata(ClonePlan plan) throws UserException, IOException {
    long regions = Math.ceilDiv(plan.lengthBytes(), plan.regionBytes());
    long sizeBytes = CloneMetadata.worstCaseBytes(regions);
    FileDevice device = create(plan.metadataAddress(), sizeBytes);
    int errno = device.allocate(0, sizeBytes);
    if (errno != Errno.OK && errno != Errno.ENOTSUP) {
      String what = device.address() + ": " + ByteSize.format(sizeBytes) + " for metadata";
      throw UserException.failed(COMMAND, new DeviceException(errno, what))
          .advise("Nothing was left behind.");
    }
    return wrap(plan.metadataAddress(), device);
  }

  private static CloneMetadata openMetadata(ClonePlan plan, BlockingDevice io)
      throws UserException {
    long sectors = Sectors.fromBytes(plan.lengthBytes());
    long regionSectors = Sectors.fromBytes(plan.regionBytes());
    String text = plan.metadataAddress().text();
    try {
      return plan.isMetadataNew()
          ? CloneMetadata.format(io, sectors, regionSectors)
          : CloneMetadata.open(io, sectors, regionSectors);
    } catch (IllegalArgumentException tooSmall) {
      throw UserException.failed(COMMAND + ": " + text, tooSmall).advise("Nothing was changed.");
    } catch (IOException failed) {
      throw UserException.failed(COMMAND + ": " + text, failed)
          .advise(
              plan.isMetadataNew()
                  ? "No clone was made."
                  : "Nothing was changed. See what is left with: oxbow inspect --check " + text);
    }
  }

  /** Reads all of the metadata: what is damaged in it shows here at the latest. */
  private static CloneTarget openTarget(
      ClonePlan plan,
      CloneArgs args,
      CloneOptions options,
      BlockDevice destination,
      CloneMetadata metadata)
      throws UserException, TargetException {
    try {
      return CloneTargetType.open(
          args, options, plan.lengthBytes(), destination, plan.source(), metadata);
    } catch (IOException failed) {
      String text = plan.metadataAddress().text();
      throw UserException.failed(COMMAND + ": " + text, failed)
          .advise("Nothing was changed. See what is left with: oxbow inspect --check " + text);
    }
  }

  MappedDevice mapped() {
    MappedDevice device = mapped;
    if (device == null) {
      throw new IllegalStateException("not assembled");
    }
    return device;
  }

  /** Figures of now; any thread. */
  CloneProgress progress() {
    return mapped().ask(asked -> target().progress());
  }

  private BlockDevice destination() {
    BlockDevice assembled = destination;
    if (assembled == null) {
      throw new IllegalStateException("not assembled");
    }
    return assembled;
  }

  CloneTarget target() {
    CloneTarget assembled = target;
    if (assembled == null) {
      throw new IllegalStateException("not assembled");
    }
    return assembled;
  }

  /**
   * The targets for tests below the clone, as the verbs see them: NAME-source, NAME-dest,
   * NAME-metadata, and under each other NAME-source-2 and so on.
   */
  List<LayerDevice> layers() {
    List<LayerDevice> layers = new ArrayList<>();
    roles.forEach(
        (role, device) -> {
          BlockDevice at = device;
          for (int depth = 1; at instanceof Layer layer && !layer.below().isEmpty(); depth++) {
            String name = mapped().name() + "-" + role + (depth == 1 ? "" : "-" + depth);
            layers.add(new LayerDevice(name, layer));
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
   * that nobody waits for them at the end. What they would have hydrated stays unhydrated.
   */
  void holdNoLonger() {
    devices.forEach(CloneStack::holdNoLonger);
  }

  private static void holdNoLonger(BlockDevice device) {
    Remote server = device.remote();
    if (server != null) {
      server.holdNanos(Math.min(server.holdNanos(), HOLD_AT_END_NANOS));
      server.silenceNanos(SILENCE_AT_END_NANOS);
    }
    if (device instanceof Layer layer) {
      layer.mapped().keepNothingBack();
      layer.below().forEach(CloneStack::holdNoLonger);
    }
  }

  /**
   * Waits for what is in flight, and commits (Z1). Blocks.
   *
   * @return false if something did not end in time
   */
  boolean suspend() {
    return mapped().suspend(SUSPEND_NANOS);
  }

  /**
   * Flushes the destination: a commit has done so only if there was one after the last write, and
   * writes to hydrated regions need none. An orderly end leaves nothing that a power cut could take
   * back. Blocks; the device is suspended.
   */
  void flushDestination() throws IOException {
    try (BlockingDevice io = new BlockingDevice(destination())) {
      io.flush();
    }
  }

  /**
   * Suspends, and closes all devices; leaves them to the system where something does not end, since
   * closing a device under a request would be worse.
   */
  @Override
  public void close() throws IOException {
    IOException failure = null;
    if (mapped != null) {
      if (!mapped.suspend(SUSPEND_NANOS)) {
        opener.abandon();
        return;
      }
      mapped.close();
    }
    if (metadataIo != null) {
      metadataIo.close();
    }
    for (BlockDevice device : devices.reversed()) {
      try {
        device.close();
      } catch (IOException failed) {
        failure = failed;
      }
    }
    // Metadata first: alone it would be refused, while a destination alone is a beginning.
    for (Path path : created.reversed()) {
      Files.deleteIfExists(path);
    }
    if (failure != null) {
      throw failure;
    }
  }
}
