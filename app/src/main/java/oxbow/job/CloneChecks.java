package oxbow.job;

import java.io.IOException;
import java.nio.file.Files;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.format.clone.CloneSuperblock;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.Probe;

/**
 * Everything that can be wrong with a clone before anything is created or written (O11, O12). Opens
 * and thereby locks what exists: the source first, then destination and metadata, so that two
 * processes meet at the same place. Used once; blocks.
 */
final class CloneChecks {
  private static final String COMMAND = "clone";
  private static final String UNCHANGED = DeviceStack.UNCHANGED;

  private final CloneOrder order;
  private final DeviceStack devices;
  private final Console console;

  /**
   * @param devices gets what is opened
   */
  CloneChecks(CloneOrder order, DeviceStack devices, Console console) {
    this.order = order;
    this.devices = devices;
    this.console = console;
  }

  /**
   * Checks all.
   *
   * @throws UserException says what is in the way
   */
  ClonePlan check() throws UserException, IOException {
    checkWords();
    Address source = DeviceOpener.parse(COMMAND, order.source());
    Address destination = DeviceOpener.parse(COMMAND, order.destination());
    Address metadata = metadataAddress(destination);
    CommandWords.checkDistinct(COMMAND, source, "SOURCE", destination, "DEST");
    CommandWords.checkDistinct(COMMAND, source, "SOURCE", metadata, "the metadata");
    CommandWords.checkDistinct(COMMAND, destination, "DEST", metadata, "the metadata");
    return check(source, destination, metadata);
  }

  /** What can be told from the words alone; wrong ones are a wrong command line. */
  private void checkWords() throws UserException {
    if (order.regionSizeBytes().isPresent()) {
      RegionSize.check(order.regionSizeBytes().getAsLong());
    }
    CommandWords.checkListen(COMMAND, "--listen", order.listen());
    CommandWords.checkName(COMMAND, "--name", order.name());
  }

  private Address metadataAddress(Address destination) throws UserException {
    String given = order.metadata();
    if (given != null) {
      return DeviceOpener.parse(COMMAND, given);
    }
    Address bottom = destination.bottom();
    boolean isFile =
        bottom instanceof Address.File file
            && (Files.notExists(file.path()) || Files.isRegularFile(file.path()));
    if (isFile) {
      return DeviceOpener.parse(COMMAND, bottom.text() + ".meta");
    }
    if (bottom instanceof Address.File file && Files.isDirectory(file.path())) {
      throw UserException.failed(COMMAND, order.destination() + ": Is a directory")
          .advise(UNCHANGED);
    }
    throw UserException.wrongUsage(
        COMMAND,
        "--metadata is missing: " + order.destination() + " is no file that could have it beside");
  }

  private ClonePlan check(
      Address sourceAddress, Address destinationAddress, Address metadataAddress)
      throws UserException, IOException {
    BlockDevice source = open(sourceAddress, false, "source");
    long lengthBytes = length(source);
    BlockDevice destination = openIfThere(destinationAddress, "destination");
    BlockDevice metadata = openIfThere(metadataAddress, "metadata");
    checkDestination(destination, lengthBytes);
    Probe probe = metadata == null ? new Probe.Zero() : probe(metadata);
    long regionBytes = regionBytes(probe, lengthBytes, blockSize(source, destination));
    boolean isNew = mustFormat(probe, metadataAddress, lengthBytes, regionBytes);
    if (isNew) {
      checkOverwritable(destination, destinationAddress, metadataAddress);
    } else if (destination == null) {
      isNew = true;
      refuseUnlessForced(
          order.destination() + " does not exist, but its metadata does: " + metadataAddress.text(),
          "Put it back; or, to clone into a new one from the beginning, add --force.");
    }
    return new ClonePlan(
        order,
        destinationAddress,
        metadataAddress,
        source,
        destination,
        metadata,
        isNew,
        lengthBytes,
        regionBytes);
  }

  /** Null when there is nothing, or an empty file that is to become the device. */
  private @Nullable BlockDevice openIfThere(Address address, String role)
      throws UserException, IOException {
    return DeviceOpener.isMissing(address) || DeviceOpener.isEmptyFile(address)
        ? null
        : open(address, true, role);
  }

  private BlockDevice open(Address address, boolean isWritable, String role) throws UserException {
    FileOpener.OddTail tail = order.isPadded() ? FileOpener.OddTail.PAD : FileOpener.OddTail.DROP;
    return devices.open(address, isWritable, tail, role);
  }

  private long length(BlockDevice source) throws UserException {
    if (source.sizeBytes() == 0) {
      throw UserException.failed(COMMAND, order.source() + ": the source is empty")
          .advise(UNCHANGED);
    }
    if (source instanceof FileDevice file && file.lostBytes() > 0) {
      console.say(
          "warning: "
              + order.source()
              + ": the last "
              + file.lostBytes()
              + " bytes are no whole sector of 512 bytes and are left out; --pad keeps them");
    }
    return source.sizeBytes();
  }

  private void checkDestination(@Nullable BlockDevice destination, long lengthBytes)
      throws UserException {
    if (destination != null && destination.sizeBytes() < lengthBytes) {
      throw UserException.failed(
              COMMAND,
              "Device size larger than destination device: %s has %d bytes, %s has %d"
                  .formatted(
                      order.destination(), destination.sizeBytes(), order.source(), lengthBytes))
          .advise(UNCHANGED);
    }
  }

  private static int blockSize(BlockDevice source, @Nullable BlockDevice destination) {
    int ofDestination =
        destination == null || destination instanceof FileDevice
            ? 1
            : destination.limits().blockSizeBytes();
    return Math.max(source.limits().blockSizeBytes(), ofDestination);
  }

  private static Probe probe(BlockDevice metadata) throws UserException {
    try (BlockingDevice io = new BlockingDevice(metadata)) {
      return CloneMetadata.probe(io);
    } catch (IOException failed) {
      throw UserException.failed(COMMAND, failed).advise(UNCHANGED);
    }
  }

  /** What was asked for; else what existing metadata has; else the default. */
  private long regionBytes(Probe probe, long lengthBytes, int blockSizeBytes) throws UserException {
    OptionalLong asked = order.regionSizeBytes();
    if (asked.isPresent()) {
      if (asked.getAsLong() % blockSizeBytes != 0) {
        throw UserException.failed(
                COMMAND,
                "Region size is not a multiple of device logical block size: %d bytes, blocks of %d"
                    .formatted(asked.getAsLong(), blockSizeBytes))
            .advise(UNCHANGED);
      }
      RegionSize.checkCount(lengthBytes, asked.getAsLong());
      return asked.getAsLong();
    }
    return probe instanceof Probe.Formatted formatted
        ? Sectors.toBytes(formatted.superblock().regionSizeSectors())
        : RegionSize.defaultFor(lengthBytes, blockSizeBytes);
  }

  /** Whether metadata is made anew; refuses to where that loses something. */
  private boolean mustFormat(Probe probe, Address metadata, long lengthBytes, long regionBytes)
      throws UserException {
    return switch (probe) {
      case Probe.Zero zero -> true;
      case Probe.Unfinished unfinished -> true;
      case Probe.Foreign foreign -> {
        refuseUnlessForced(
            metadata.text() + ": no clone metadata, but " + foreign.what(),
            UNCHANGED + " To overwrite it, add --force.");
        yield true;
      }
      case Probe.Damaged damaged ->
          // Not even with --force: what DEST holds of writes since would be lost with it.
          throw UserException.failed(COMMAND, metadata.text() + ": " + damaged.reason())
              .advise(
                  UNCHANGED + " See what is left with: oxbow inspect --check " + metadata.text());
      case Probe.Formatted formatted ->
          isOfAnother(formatted.superblock(), metadata, lengthBytes, regionBytes);
    };
  }

  private boolean isOfAnother(
      CloneSuperblock superblock, Address metadata, long lengthBytes, long regionBytes)
      throws UserException {
    long sectors = Sectors.fromBytes(lengthBytes);
    long regionSectors = Sectors.fromBytes(regionBytes);
    if (superblock.targetSectors() == sectors && superblock.regionSizeSectors() == regionSectors) {
      return false;
    }
    refuseUnlessForced(
        ("%s: Region and/or target size don't match the ones in metadata: regions of %d sectors on"
                + " %d, metadata has %d on %d")
            .formatted(
                metadata.text(),
                regionSectors,
                sectors,
                superblock.regionSizeSectors(),
                superblock.targetSectors()),
        UNCHANGED + " To clone again from the beginning, add --force.");
    return true;
  }

  /** Swapped arguments must not cost the user an image (O11). */
  private void checkOverwritable(
      @Nullable BlockDevice destination, Address address, Address metadata)
      throws UserException, IOException {
    if (destination == null || order.isForced()) {
      return;
    }
    String found = Emptiness.dataIn(destination, address);
    if (!found.isEmpty()) {
      refuseUnlessForced(
          "%s: the destination holds data (%s), and %s is no metadata of a clone"
              .formatted(order.destination(), found, metadata.text()),
          UNCHANGED + " If SOURCE and DEST are not swapped, --force overwrites it.");
    }
  }

  private void refuseUnlessForced(String why, String advice) throws UserException {
    if (!order.isForced()) {
      throw UserException.failed(COMMAND, why).advise(advice);
    }
  }
}
