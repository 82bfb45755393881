package oxbow.job;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowMagic;
import oxbow.inspect.BowLogCheck;

/** Opens devices for the two ways out of a checkpoint. */
final class BowDevices {
  private BowDevices() {}

  /** Opens what can be read and written sector by sector. Blocks. */
  static BlockDevice open(String command, String text, boolean isWritable, DeviceOpener opener)
      throws UserException {
    Address address = DeviceOpener.parse(command, text);
    try {
      BlockDevice device = opener.openCheckpointed(address, isWritable);
      String obstacle = isWritable ? obstacle(device) : "";
      if (!obstacle.isEmpty()) {
        device.close();
        throw UserException.failed(command, text + ": " + obstacle).advise("Nothing was changed.");
      }
      return device;
    } catch (IOException failed) {
      throw UserException.failed(command, failed);
    }
  }

  /** Why no checkpoint can be ended on a device, or begun; empty if it can. */
  static String obstacle(BlockDevice device) {
    int blockBytes = device.limits().blockSizeBytes();
    return device.limits().isReadOnly()
        ? "the device is read-only"
        : blockBytes > Sectors.SIZE_BYTES
            ? "it takes only blocks of "
                + blockBytes
                + " bytes, and sector 0 must be written alone to survive a crash"
            : "";
  }

  /** The log in block 0, if there is one; one that nobody can read is an error. */
  static Optional<BowLog> newest(String command, String text, BlockingIo io)
      throws UserException, IOException {
    Optional<BowLog> newest = BowLogCheck.newest(io);
    if (newest.isEmpty() && io.sizeBytes() >= Sectors.SIZE_BYTES) {
      byte[] head = new byte[Sectors.SIZE_BYTES];
      io.read(0, ByteBuffer.wrap(head));
      if (BowMagic.of(head, 0) != BowMagic.NONE) {
        throw UserException.failed(command, text + ": big-endian log, unsupported");
      }
    }
    return newest;
  }
}
