package oxbow.target.clone;

import java.io.IOException;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;

/** Makes clone targets; checks everything before anything is formatted. */
public final class CloneTargetType implements TargetType {
  public static final String NAME = "clone";

  /** Version of the kernel's target that is followed. */
  public static final String VERSION = "v1.0.0";

  private final CloneOptions options;

  /** Clones with these options, which no table line has words for. */
  public CloneTargetType(CloneOptions options) {
    this.options = options;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return VERSION;
  }

  @Override
  public CloneTarget construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    return construct(lengthSectors, words, options, devices);
  }

  /**
   * Makes a target from a table line, checking in the kernel's order (C2). Metadata that is
   * provably empty is formatted (C9, O11). Blocks.
   *
   * @param words after "clone"
   * @throws TargetException with device-mapper's sentence
   */
  public static CloneTarget construct(
      long lengthSectors, List<String> words, CloneOptions options, TargetDevices devices)
      throws TargetException {
    if (words.size() < 4) {
      throw new TargetException("Invalid number of arguments: " + words.size() + ", expected >= 4");
    }
    long length = Sectors.toBytes(lengthSectors);
    BlockDevice metadataDevice = openOwn(devices, words.get(0), "metadata");
    BlockDevice destination = openOwn(devices, words.get(1), "destination");
    checkLength(length, destination, "destination");
    BlockDevice source = openSource(devices, words.get(2));
    checkLength(length, source, "source");
    checkRegions(CloneArgs.parseRegionSize(words.get(3)), length, destination, source);
    CloneArgs args = CloneArgs.parse(words);
    BlockingDevice io = new BlockingDevice(metadataDevice);
    try {
      CloneMetadata metadata = metadata(io, args, lengthSectors);
      RegionMap map = loaded(metadata);
      return new CloneTarget(args, options, length, destination, source, metadata, map, io::close);
    } catch (IOException | IllegalArgumentException e) {
      // A device that is too small to be formatted is an illegal argument.
      io.close();
      throw new TargetException("Failed to load metadata: " + e.getMessage(), e);
    }
  }

  /**
   * Makes a target over what is open already; checks what a table line's constructor checks of it
   * (C3 to C5), and reads the metadata's regions. Blocks.
   *
   * @param metadata closed with the target; not closed if this fails
   */
  public static CloneTarget open(
      CloneArgs args,
      CloneOptions options,
      long lengthBytes,
      BlockDevice destination,
      BlockDevice source,
      CloneMetadata metadata)
      throws TargetException, IOException {
    checkLength(lengthBytes, destination, "destination");
    checkLength(lengthBytes, source, "source");
    checkRegions(args.regionSizeSectors(), lengthBytes, destination, source);
    RegionMap map = loaded(metadata);
    return new CloneTarget(
        args, options, lengthBytes, destination, source, metadata, map, () -> {});
  }

  private static RegionMap loaded(CloneMetadata metadata) throws IOException {
    RegionMap map = new RegionMap(metadata.regionCount());
    metadata.load(map);
    return map;
  }

  private static CloneMetadata metadata(BlockingIo io, CloneArgs args, long lengthSectors)
      throws IOException {
    return CloneMetadata.probe(io).mayBeFormatted()
        ? CloneMetadata.format(io, lengthSectors, args.regionSizeSectors())
        : CloneMetadata.open(io, lengthSectors, args.regionSizeSectors());
  }

  private static BlockDevice openOwn(TargetDevices devices, String address, String role)
      throws TargetException {
    try {
      return devices.openOwn(address);
    } catch (IOException e) {
      throw notOpened(role, e);
    }
  }

  private static BlockDevice openSource(TargetDevices devices, String address)
      throws TargetException {
    try {
      return devices.open(address, false);
    } catch (IOException e) {
      throw notOpened("source", e);
    }
  }

  private static TargetException notOpened(String role, IOException why) {
    return new TargetException("Error opening " + role + " device: " + why.getMessage(), why);
  }

  private static void checkLength(long lengthBytes, BlockDevice device, String role)
      throws TargetException {
    if (device.sizeBytes() < lengthBytes) {
      throw new TargetException(
          "Device size larger than %s device: %d sectors, %s has %d"
              .formatted(
                  role,
                  Sectors.fromBytes(lengthBytes),
                  device.address(),
                  Sectors.fromBytes(device.sizeBytes())));
    }
  }

  private static void checkRegions(
      long regionSectors, long lengthBytes, BlockDevice destination, BlockDevice source)
      throws TargetException {
    long region = Sectors.toBytes(regionSectors);
    int block = Math.max(destination.limits().blockSizeBytes(), source.limits().blockSizeBytes());
    if (region % block != 0) {
      throw new TargetException(
          "Region size is not a multiple of device logical block size: %d bytes, blocks of %d"
              .formatted(region, block));
    }
    long count = Math.ceilDiv(lengthBytes, region);
    if (count > CloneArgs.MAX_REGIONS) {
      throw new TargetException(
          "Too many regions. Consider increasing the region size: %d regions, at most %d"
              .formatted(count, CloneArgs.MAX_REGIONS));
    }
  }
}
