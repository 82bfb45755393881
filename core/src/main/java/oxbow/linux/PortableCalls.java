package oxbow.linux;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import oxbow.block.DeviceException;
import oxbow.block.Errno;

/** Opens files with what every JDK has. */
final class PortableCalls extends DiskCalls {
  static final PortableCalls INSTANCE = new PortableCalls();

  private PortableCalls() {}

  @Override
  public DiskFile open(Path path, DiskFile.Mode mode) throws IOException {
    Set<OpenOption> options =
        switch (mode) {
          case READ_ONLY -> Set.of(StandardOpenOption.READ);
          case READ_WRITE -> Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
          case CREATE_NEW ->
              Set.of(
                  StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        };
    if (Files.isDirectory(path)) {
      throw new IOException(path + ": neither a regular file nor a block device");
    }
    try {
      return new PortableFile(FileChannel.open(path, options), path);
    } catch (NoSuchFileException e) {
      throw new DeviceException(Errno.ENOENT, path.toString());
    } catch (AccessDeniedException e) {
      throw new DeviceException(Errno.EACCES, path.toString());
    } catch (FileAlreadyExistsException e) {
      throw new DeviceException(Errno.EEXIST, path.toString());
    }
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
