package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.clone.CloneOptions;

/**
 * Aim: whoever uses a device while its tables are replaced notices a pause and nothing else.
 * Method: four threads that know what they wrote, over tables of any shape that all show the same
 * memory.
 */
class TableSwapStressTest {
  private static final int THREADS = 4;
  private static final int SWAPS = 400;
  private static final int SIZE = 1 << 20;

  private final TestTables tables = new TestTables();
  private final TableDevice device = tables.device;
  private final long seed = Long.getLong("oxbow.seed", 20_261_102L);

  private AssertionError reproducible(Throwable wrong) {
    return new AssertionError(
        "reproduce with: ./mvnw test -pl core -Dtest=TableSwapStressTest -Doxbow.seed=" + seed,
        wrong);
  }

  /** One to five strips. */
  private Table anyShape(BlockDevice below, Random random) {
    int sectors = SIZE / 512;
    return tables.strips(
        below,
        random
            .longs(random.nextInt(5), 1, sectors)
            .map(sector -> sector * 512)
            .sorted()
            .distinct()
            .toArray());
  }

  @Test
  void usersNoticeNothingOfSwaps() throws Exception {
    MemDevice memory = TestClone.random(SIZE, seed);
    Random random = new Random(seed);
    try (ExecutorService disks = Executors.newFixedThreadPool(2);
        Arena arena = Arena.ofShared()) {
      BlockDevice mixed = new EveryOther(memory, ShapedDevice.elsewhere(memory, disks));
      device.resume(anyShape(mixed, random));
      byte[] model = Requests.read(memory, 0, SIZE);
      ContentUsers users = new ContentUsers(device, model, THREADS, seed, arena);
      for (int swap = 0; swap < SWAPS; swap++) {
        long before = users.answered.get();
        device.suspend(TestTables.PATIENCE, random.nextBoolean());
        Table former = Objects.requireNonNull(device.resume(anyShape(mixed, random)));
        former.close();
        TestTables.until(() -> users.answered.get() > before);
        users.check();
      }
      users.stop();
      assertThat(tables.warnings).isEmpty();
      assertThat(users.answered.get()).isGreaterThan(SWAPS);
      tables.close();
    } catch (Throwable wrong) {
      throw reproducible(wrong);
    }
  }

  @Test
  void usersNoticeNothingOfAFinishedCloneThatIsReplacedByItsDestination() throws Exception {
    MemDevice source = TestClone.random(SIZE, seed);
    MemDevice destination = new MemDevice(SIZE);
    try (ExecutorService disks = Executors.newFixedThreadPool(2);
        Arena arena = Arena.ofShared()) {
      BlockDevice mixed = new EveryOther(destination, ShapedDevice.elsewhere(destination, disks));
      MemDevice metadata = new MemDevice(4 << 20);
      try (TestClone clone =
          new TestClone(source, mixed, metadata, "8", CloneOptions.TABLE, disks)) {
        assertThat(clone.device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
        device.resume(new Table(List.of(clone.device)));
        byte[] model = Requests.read(source, 0, SIZE);
        ContentUsers users = new ContentUsers(device, model, THREADS, seed, arena);
        clone.hydrate();
        device.suspend(TestTables.PATIENCE, true);
        device.resume(tables.strips(mixed, SIZE / 2));
        long before = users.answered.get();
        TestTables.until(() -> users.answered.get() > before + 1000);
        users.stop();
        assertThat(Requests.read(destination, 0, SIZE)).isEqualTo(model);
        assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
        assertThat(clone.committedCount()).isEqualTo(SIZE / 4096);
      }
      tables.close();
    } catch (Throwable wrong) {
      throw reproducible(wrong);
    }
  }
}
