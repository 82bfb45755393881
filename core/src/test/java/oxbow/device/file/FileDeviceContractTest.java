package oxbow.device.file;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import oxbow.block.BlockDevice;
import oxbow.device.BlockDeviceContractTest;
import oxbow.engine.WorkerDiskPool;
import oxbow.linux.DiskCalls;

/** Aim: files keep the contract. Each subclass names a directory and the calls to go through. */
abstract class FileDeviceContractTest extends BlockDeviceContractTest {
  private static final int THREADS = 6;

  private final WorkerDiskPool pool = new WorkerDiskPool(THREADS);

  abstract DiskCalls calls();

  abstract Path directory();

  @Override
  protected BlockDevice open(long sizeBytes) throws IOException {
    return new FileOpener(calls(), pool).create(directory().resolve("contract.img"), sizeBytes);
  }

  @AfterEach
  void endPool() {
    pool.close();
  }
}
