package oxbow.device.file;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import oxbow.linux.DiskCalls;

/** Aim: the contract, through the system's own calls. */
class NativeFileContractTest extends FileDeviceContractTest {
  @TempDir Path directory;

  @Override
  DiskCalls calls() {
    return DiskCalls.best();
  }

  @Override
  Path directory() {
    return directory;
  }
}
