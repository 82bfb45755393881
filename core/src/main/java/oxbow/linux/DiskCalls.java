package oxbow.linux;

import java.io.IOException;
import java.nio.file.Path;

/** Opens files for block I/O, the best way this machine offers. */
public abstract class DiskCalls {
  /**
   * The byte that openings of this program lock, "Oxbow" in ASCII: far from those that QEMU locks
   * in an image (from 100 on), so that looking into an image with its tools stays possible.
   */
  static final long LOCKED_BYTE = 0x4F78626F77L;

  /** The system's own calls where we know them and may use them, else the portable ones. */
  public static DiskCalls best() {
    return Best.INSTANCE;
  }

  /**
   * Starts on a thread of its own what the first call of {@link #best} would wait for, some tens of
   * milliseconds. Programs that want to be quick call this first of all.
   */
  public static void prepare() {
    Thread.ofPlatform().daemon().name("oxbow-link").start(DiskCalls::best);
  }

  /** What every JDK can do: no holes, no discards, no direct I/O, no reads that do not wait. */
  public static DiskCalls portable() {
    return PortableCalls.INSTANCE;
  }

  /**
   * Opens a file or block device. A block device that is opened for writing must not be mounted or
   * otherwise claimed.
   *
   * @throws oxbow.block.DeviceException with the path and the system's reason
   */
  public abstract DiskFile open(Path path, DiskFile.Mode mode) throws IOException;

  /** Makes the names in a directory durable: the second half of creating a file for good. */
  public abstract void syncDirectory(Path directory) throws IOException;

  /** Chosen at first use: native linking takes longer than all else at start-up. */
  private static final class Best {
    static final DiskCalls INSTANCE = choose();

    private static DiskCalls choose() {
      Syscalls.Abi abi = Syscalls.Abi.usable();
      return abi == null ? PortableCalls.INSTANCE : new LinuxCalls(abi);
    }
  }
}
