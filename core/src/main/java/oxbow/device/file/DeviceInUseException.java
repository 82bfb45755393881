package oxbow.device.file;

import java.io.IOException;
import java.nio.file.Path;

/** Another opening of the file, usually by another process, holds a lock that excludes ours. */
public final class DeviceInUseException extends IOException {
  DeviceInUseException(Path path) {
    super(path + ": in use by another process");
  }
}
