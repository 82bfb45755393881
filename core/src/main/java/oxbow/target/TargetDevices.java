package oxbow.target;

import java.io.IOException;
import oxbow.block.BlockDevice;

/** Opens the devices that a table line names; they stay the opener's to close. Blocks. */
public interface TargetDevices {
  /**
   * Opens a device. One that is open already, under the same address, is given again: the same
   * object.
   *
   * @param address as in the table line
   * @throws IOException if there is no such device, or it is locked; a {@link
   *     oxbow.block.DeviceException} with EACCES, EPERM or EROFS if it may not be written
   */
  BlockDevice open(String address, boolean isWritable) throws IOException;

  /**
   * Opens a device for writing that this target alone may write while it is there: what lies on it
   * is known to the target, and would be wrong if another wrote too.
   *
   * @throws IOException also when another table has it open for writing
   */
  default BlockDevice openOwn(String address) throws IOException {
    return open(address, true);
  }
}
