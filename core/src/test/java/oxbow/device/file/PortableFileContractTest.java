package oxbow.device.file;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import oxbow.linux.DiskCalls;

/** Aim: the contract, through what every JDK has. */
class PortableFileContractTest extends FileDeviceContractTest {
  @TempDir Path directory;

  @Override
  DiskCalls calls() {
    return DiskCalls.portable();
  }

  @Override
  Path directory() {
    return directory;
  }
}
