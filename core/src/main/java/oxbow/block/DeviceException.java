package oxbow.block;

import java.io.IOException;

/** An I/O error of a device, with its error number; the message says where and why. */
public final class DeviceException extends IOException {
  private final int errno;

  /**
   * @param errno one of {@link Errno}, not 0
   */
  public DeviceException(int errno, String what) {
    super(what + ": " + Errno.describe(errno));
    this.errno = errno;
  }

  /** One of {@link Errno}. */
  public int errno() {
    return errno;
  }
}
