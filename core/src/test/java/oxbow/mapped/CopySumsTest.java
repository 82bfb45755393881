package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.clone.CloneOptions;
import oxbow.target.clone.CloneTarget;
import oxbow.target.clone.CopyChecksums;

/**
 * Aim: whatever copies a region, its sum is that of the source. Method: clones that hydrate in
 * every way there is, retries of failed copies included.
 */
class CopySumsTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 8 * MIB + 512;

  @ParameterizedTest
  @ValueSource(ints = {8, 256, 8192})
  @DisplayName("background, holes, hints, reads and retries leave the source's sums")
  void everyWayOfCopyingLeavesTheSourcesSums(int regionSectors) throws Exception {
    MemDevice source = new MemDevice(SIZE);
    Requests.write(source, MIB, Requests.read(TestClone.random(3 * MIB, 1), 0, 3 * MIB));
    Requests.write(source, 7 * MIB, Requests.read(TestClone.random(MIB + 512, 2), 0, MIB + 512));
    for (boolean isPristine : List.of(true, false)) {
      MemDevice memory = isPristine ? new MemDevice(SIZE) : TestClone.random(SIZE, 3);
      ShapedDevice destination = ShapedDevice.submitOnly(memory);
      CopyChecksums sums = new CopyChecksums(SIZE, regionSectors * 512L);
      try (TestClone clone =
          new TestClone(
              source,
              destination,
              new MemDevice(4 * MIB),
              regionSectors + " 2 no_hydration hydrate_on_read",
              new CloneOptions(true, 0, 10, isPristine, 1_000_000),
              Runnable::run)) {
        clone.device.ask(
            target -> {
              ((CloneTarget) target).sumCopies(sums);
              return true;
            });
        Requests.read(clone.device, MIB + 5, 3000);
        Requests.run(clone.device, Operation.CACHE, 2 * MIB + 7, 100_000, 0);
        destination.failWhen(request -> request.operation() == Operation.WRITE);
        Requests.read(clone.device, 7 * MIB, 3000);
        assertThat(Requests.run(clone.device, Operation.CACHE, 7 * MIB, MIB, 0))
            .isEqualTo(Errno.EIO);
        destination.failWhen(request -> false);
        clone.device.message(List.of("enable_hydration"));
        clone.hydrate();
      }
      for (int region = 0; region < Math.ceilDiv(SIZE, regionSectors * 512); region++) {
        int at = region * regionSectors * 512;
        int length = Math.min(SIZE - at, regionSectors * 512);
        CRC32C crc = new CRC32C();
        crc.update(Requests.read(source, at, length));
        assertThat(sums.sum(region)).as("region %d", region).isEqualTo(CopyChecksums.sumOf(crc));
      }
      assertThat(Requests.read(memory, 0, SIZE)).isEqualTo(Requests.read(source, 0, SIZE));
    }
  }
}
