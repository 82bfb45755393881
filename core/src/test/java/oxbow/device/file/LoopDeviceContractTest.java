package oxbow.device.file;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockDevice;
import oxbow.device.BlockDeviceContractTest;
import oxbow.engine.WorkerDiskPool;

/**
 * Aim: the contract on a block device. Method: a loop device over a file of zeros, which takes
 * root; skipped elsewhere.
 */
class LoopDeviceContractTest extends BlockDeviceContractTest {
  @TempDir Path directory;

  private final WorkerDiskPool pool = new WorkerDiskPool(6);
  private @Nullable String loopDevice;

  @Override
  protected BlockDevice open(long sizeBytes) throws IOException {
    assumeTrue(Commands.isRoot(), "loop devices take root");
    Path image = directory.resolve("loop.img");
    Files.write(image, new byte[Math.toIntExact(sizeBytes)]);
    Commands.Result attached = Commands.run("losetup", "--find", "--show", image.toString());
    assumeTrue(attached.isSuccess(), "no loop devices here: " + attached.output());
    loopDevice = attached.output();
    return new FileOpener(pool).openWritable(Path.of(attached.output()), FileOpener.OddTail.DROP);
  }

  @AfterEach
  void detach() throws IOException {
    pool.close();
    if (loopDevice != null) {
      Commands.run("losetup", "--detach", loopDevice);
    }
  }
}
