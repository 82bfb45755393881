package oxbow.mapped;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.device.BlockDeviceContractTest;
import oxbow.device.mem.MemDevice;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.TestFrame;
import oxbow.target.delay.DelayTargetType;
import oxbow.target.flakey.FlakeyTargetType;

/**
 * Aim: a device with targets for tests over it is a device like all others. Method: their contract,
 * over a flakey device that is up, over one that is a little late, with real time.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LayerContractTest extends BlockDeviceContractTest {
  private final WorkerDiskPool disks = new WorkerDiskPool(1);
  private Engine engine;

  @BeforeAll
  void start() throws IOException {
    engine = new Engine(1, disks);
  }

  @AfterAll
  void end() {
    engine.close();
    disks.close();
  }

  @Override
  protected BlockDevice open(long sizeBytes) throws IOException {
    BlockDevice late = layer(new DelayTargetType(), "a 0 1", new MemDevice(sizeBytes));
    return layer(new FlakeyTargetType(), "a 0 1 0", late);
  }

  private Layer layer(TargetType type, String words, BlockDevice below) throws IOException {
    try {
      var target =
          type.construct(
              Sectors.fromBytes(below.sizeBytes()),
              List.of(words.split(" ")),
              TestFrame.devices(Map.of("a", below)));
      MappedDevice.Listener nobody =
          new MappedDevice.Listener() {
            @Override
            public void event(long number, String why) {}

            @Override
            public void warning(String what) {}
          };
      return new Layer(
          type.name(),
          new MappedDevice(type.name(), target, engine.nextLoop(), engine.blocking(), nobody),
          List.of(below));
    } catch (TargetException e) {
      throw new IOException(e);
    }
  }
}
