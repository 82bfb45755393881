package oxbow.device.file;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import oxbow.block.BlockDevice;
import oxbow.linux.DiskCalls;

/**
 * Aim: the contract on a file system that lacks zero ranges and reads that do not wait. Method:
 * Linux has a tmpfs at /dev/shm.
 */
class MemoryFileSystemContractTest extends FileDeviceContractTest {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  private Path directory = SHARED_MEMORY;

  @Override
  protected BlockDevice open(long sizeBytes) throws IOException {
    assumeTrue(Files.isWritable(SHARED_MEMORY), "no tmpfs at " + SHARED_MEMORY);
    directory = Files.createTempDirectory(SHARED_MEMORY, "oxbow-test");
    return super.open(sizeBytes);
  }

  @AfterEach
  void removeDirectory() throws IOException {
    if (!directory.equals(SHARED_MEMORY)) {
      Files.deleteIfExists(directory.resolve("contract.img"));
      Files.deleteIfExists(directory);
    }
  }

  @Override
  DiskCalls calls() {
    return DiskCalls.best();
  }

  @Override
  Path directory() {
    return directory;
  }
}
