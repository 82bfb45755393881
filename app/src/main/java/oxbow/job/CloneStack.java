package oxbow.job;

import java.io.IOException;
import java.util.Objects;
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
import oxbow.mapped.MappedDevice;
import oxbow.target.TargetException;
import oxbow.target.clone.CloneArgs;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.CloneOptions;
import oxbow.target.clone.CloneProgress;
import oxbow.target.clone.CloneTarget;
import oxbow.target.clone.CloneTargetType;

/**
 * The devices of a running clone, from the plan to their end.
 *
 * <p>The order of creation makes a crash at any moment harmless: the destination comes first, with
 * its size and its name durable, then the metadata, then its format, superblock last. What a crash
 * leaves is therefore one of: nothing; an empty file or an all-hole destination without metadata;
 * the same with metadata of zeros or of an unfinished format. Each is what {@link CloneChecks}
 * takes for a beginning.
 */
final class CloneStack implements AutoCloseable {
  private static final String COMMAND = "clone";

  private final ClonePlan plan;
  private final DeviceStack devices;
  private @Nullable BlockDevice destination;
  private @Nullable CloneTarget target;
  private @Nullable BlockDevice metadataDevice;
  private @Nullable MappedDevice mapped;
  private @Nullable CloneProgress lastProgress;

  private CloneStack(ClonePlan plan, DeviceStack devices) {
    this.plan = plan;
    this.devices = devices;
  }

  /**
   * Creates what is to be created and puts all together; the device is suspended. Blocks.
   *
   * @param devices holds those of the plan; gets the others
   * @param name of the mapped device
   */
  static CloneStack build(
      ClonePlan plan, DeviceStack devices, String name, MappedDevice.Listener listener)
      throws UserException, IOException {
    CloneStack stack = new CloneStack(plan, devices);
    try {
      stack.assemble(name, listener);
      return stack;
    } catch (TargetException refused) {
      throw UserException.failed(COMMAND, refused);
    }
  }

  private void assemble(String name, MappedDevice.Listener listener)
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
      destination = devices.wrap(address, devices.create(address, plan.lengthBytes()));
    }
    this.destination = destination;
    BlockDevice metadataDevice = plan.metadata();
    if (metadataDevice == null) {
      metadataDevice = createMetadata();
    }
    if (plan.isMetadataNew()) {
      syncNameIfFound(plan.destination());
      syncNameIfFound(plan.metadata());
    }
    this.metadataDevice = metadataDevice;
    devices.name("source", plan.source());
    devices.name("dest", destination);
    devices.name("metadata", metadataDevice);
    CloneMetadata metadata = openMetadata(devices.blocking(metadataDevice));
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
    CloneTarget clone = openTarget(args, options, destination, metadata);
    target = clone;
    mapped = devices.map(name, clone, listener);
  }

  /** Once there is a format, the names have been seen to. */
  private void syncNameIfFound(@Nullable BlockDevice found) throws UserException {
    if (found != null) {
      devices.syncName(found, "No clone was made.");
    }
  }

  /** Space for all of the metadata is taken now, so that no commit can run out of it later. */
  private BlockDevice createMetadata() throws UserException, IOException {
    long regions = Math.ceilDiv(plan.lengthBytes(), plan.regionBytes());
    long sizeBytes = CloneMetadata.worstCaseBytes(regions);
    FileDevice device = devices.create(plan.metadataAddress(), sizeBytes);
    int errno = device.allocate(0, sizeBytes);
    if (errno != Errno.OK && errno != Errno.ENOTSUP) {
      String what = device.address() + ": " + ByteSize.format(sizeBytes) + " for metadata";
      throw UserException.failed(COMMAND, new DeviceException(errno, what))
          .advise("Nothing was left behind.");
    }
    return devices.wrap(plan.metadataAddress(), device);
  }

  private CloneMetadata openMetadata(BlockingDevice io) throws UserException {
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
  private CloneTarget openTarget(
      CloneArgs args, CloneOptions options, BlockDevice destination, CloneMetadata metadata)
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

  /** Figures of now, or of the end of the clone; any thread. */
  CloneProgress progress() {
    CloneProgress last = lastProgress;
    return last == null ? mapped().ask(asked -> target().progress()) : last;
  }

  /**
   * Lets the destination take the clone's place, and source and metadata go. Blocks.
   *
   * @return the device over the destination
   * @throws UserException when that cannot be; the clone then goes on
   */
  MappedDevice collapse(CollapsingClone clone) throws UserException, IOException {
    CloneProgress last = progress();
    MappedDevice linear = clone.collapse(devices, destination(), mapped());
    lastProgress = last;
    devices.release(plan.source());
    devices.release(Objects.requireNonNull(metadataDevice));
    return linear;
  }

  boolean isCollapsed() {
    return lastProgress != null;
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
   * Flushes the destination: a commit has done so only if there was one after the last write, and
   * writes to hydrated regions need none. An orderly end leaves nothing that a power cut could take
   * back. Blocks; the device is suspended.
   */
  void flushDestination() throws IOException {
    DeviceStack.flush(destination());
  }

  /**
   * Closes all devices of the plan too. What was created goes metadata first: alone it would be
   * refused, while a destination alone is a beginning.
   */
  @Override
  public void close() throws IOException {
    devices.close();
  }
}
