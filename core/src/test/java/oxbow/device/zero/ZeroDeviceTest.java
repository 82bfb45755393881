package oxbow.device.zero;

import oxbow.block.BlockDevice;
import oxbow.device.BlockDeviceContractTest;

/** Aim: a device of zeros keeps every promise but one: it forgets what is written. */
class ZeroDeviceTest extends BlockDeviceContractTest {
  @Override
  protected BlockDevice open(long sizeBytes) {
    return new ZeroDevice(sizeBytes);
  }

  @Override
  protected boolean keepsWrites() {
    return false;
  }
}
