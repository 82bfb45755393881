package oxbow.device.nbd;

import java.io.IOException;
import oxbow.block.BlockRequest;
import oxbow.engine.DiskPool;
import oxbow.engine.Engine;

/** Engines for tests of devices that have no disk. */
final class TestEngine {
  private TestEngine() {}

  /** One loop, and a disk pool that nobody may use. */
  static Engine create() throws IOException {
    return new Engine(
        1,
        new DiskPool() {
          @Override
          public void submit(BlockRequest request, Work work) {
            throw new AssertionError("no disk here: " + request);
          }

          @Override
          public boolean isCurrent() {
            return false;
          }
        });
  }
}
