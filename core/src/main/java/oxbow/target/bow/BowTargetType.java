package oxbow.target.bow;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.format.bow.BowMagic;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.Underlay;

/** Makes bow targets, of devices that hold no log. */
public final class BowTargetType implements TargetType {
  public static final String NAME = "bow";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String version() {
    return "v1.2.0";
  }

  @Override
  public Target construct(long lengthSectors, List<String> words, TargetDevices devices)
      throws TargetException {
    BowArgs args = BowArgs.parse(words);
    BlockDevice device = Underlay.openOwn(devices, args.device(), lengthSectors).device();
    long lengthBytes = Sectors.toBytes(lengthSectors);
    checkGeometry(args, lengthBytes, device);
    checkHasNoLog(device, args.device());
    return new BowTarget(args, lengthBytes, device);
  }

  private static void checkGeometry(BowArgs args, long lengthBytes, BlockDevice device)
      throws TargetException {
    int deviceBlockBytes = device.limits().blockSizeBytes();
    if (deviceBlockBytes > Sectors.SIZE_BYTES) {
      throw new TargetException(
          "%s takes only blocks of %d bytes, and the log needs sectors that are written alone"
              .formatted(args.device(), deviceBlockBytes));
    }
    if (lengthBytes % args.blockBytes() != 0) {
      throw new TargetException(
          "%s: len=%d not aligned to block size %d"
              .formatted(args.device(), Sectors.fromBytes(lengthBytes), args.blockBytes()));
    }
  }

  /** State is not stored: a device with a log goes back or forward before it is mapped again. */
  private static void checkHasNoLog(BlockDevice device, String address) throws TargetException {
    byte[] head = new byte[Sectors.SIZE_BYTES];
    try (BlockingDevice io = new BlockingDevice(device)) {
      io.read(0, ByteBuffer.wrap(head));
    } catch (IOException e) {
      throw new TargetException("Cannot read " + address + ": " + e.getMessage(), e);
    }
    switch (BowMagic.of(head, 0)) {
      case NONE -> {}
      case BOW, WOB ->
          throw new TargetException(
              ("%s: holds a checkpoint: put it back with: oxbow bow restore %s,"
                      + " or keep what was written since with: oxbow bow commit --offline %s")
                  .formatted(address, address, address));
      case BIG_ENDIAN, BIG_ENDIAN_WOB ->
          throw new TargetException(address + ": big-endian log, unsupported");
    }
  }
}
