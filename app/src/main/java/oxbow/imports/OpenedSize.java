package oxbow.imports;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardOpenOption;
import oxbow.block.BlockDevice;
import oxbow.device.Address;
import oxbow.job.DeviceOpener;

/** Sizes as whoever opens the devices sees them. */
public final class OpenedSize implements SourceSize {
  private final DeviceOpener opener;

  /**
   * @param opener outlives this
   */
  public OpenedSize(DeviceOpener opener) {
    this.opener = opener;
  }

  /** A file is looked at without its lock: that it is in use makes it no shorter. */
  @Override
  public long bytes(String address) throws IOException {
    Address parsed = Address.parse(address);
    return switch (parsed) {
      case Address.File file when Files.isDirectory(file.path()) ->
          throw new IOException(address + ": neither a regular file nor a block device");
      case Address.File file -> {
        try (FileChannel channel = FileChannel.open(file.path(), StandardOpenOption.READ)) {
          yield channel.size();
        } catch (NoSuchFileException missing) {
          throw new IOException(address + ": No such file or directory", missing);
        }
      }
      case Address.Named _ ->
          throw new IOException(address + ": a clonetab names devices of the system, not ours");
      default -> {
        try (BlockDevice device = opener.openReadOnly(parsed)) {
          yield device.sizeBytes();
        }
      }
    };
  }
}
