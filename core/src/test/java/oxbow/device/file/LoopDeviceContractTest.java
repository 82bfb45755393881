package oxbow.device.file;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import oxbow.block.BlockDevice;
import oxbow.device.BlockDeviceContractTest;
import oxbow.engine.WorkerDiskPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.jspecify.annotations.Nullable;

/**
 * Aim: the contract on a block device. Method: a loop device over a file of zeros, which takes root;
 * skipped elsewhere.
 */
class LoopDeviceContractTest extends BlockDeviceContractTest {
  @TempDir Path directory;

  private final WorkerDiskPool pool = new WorkerDiskPool(6);
  private @Nullable String loopDevice;

  @Override
  protected BlockDevice open(long sizeBytes) throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "loop devices take root");
    Path image = directory.resolve("loop.img");
    Files.write(image, new byte[Math.toIntExact(sizeBytes)]);
    String name = run("losetup", "--find", "--show", image.toString());
    assumeTrue(name.startsWith("/dev/"), "no loop devices here: " + name);
    loopDevice = name;
    return new FileOpener(pool).openWritable(Path.of(name), FileOpener.OddTail.DROP);
  }

  @AfterEach
  void detach() throws IOException {
    pool.close();
    if (loopDevice != null) {
      run("losetup", "--detach", loopDevice);
    }
  }

  /** What the command printed, errors included; empty when it does not exist. */
  private static String run(String... command) throws IOException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException missing) {
      return "";
    }
    try (var output = process.inputReader()) {
      String text = output.readAllAsString().strip();
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        throw new IOException("still running: " + String.join(" ", command));
      }
      return text;
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
