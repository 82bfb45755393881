package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.BlockingDevice;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.format.bow.BowLog;
import oxbow.inspect.BowCondition;
import oxbow.inspect.BowForward;
import oxbow.inspect.BowLogCheck;
import oxbow.inspect.BowLogReport;
import oxbow.inspect.BowRestore;
import oxbow.target.TargetException;
import oxbow.targets.TargetTypes;

/**
 * Aim: the bow target in the real frame, with threads: nothing is lost, neither forward nor back.
 * Method: threads that each have sectors of their own in every block, around a checkpoint.
 */
class MappedBowTest {
  private static final int SIZE = 4 << 20;
  private static final int FREE_FROM = 1 << 20;
  private static final int SECTOR = Sectors.SIZE_BYTES;
  private static final int THREADS = 4;

  private final Random random = new Random(7);
  private final byte[] content = new byte[SIZE];
  private final MemDevice bytes = new MemDevice(SIZE);
  private final TimerLoop timers = new TimerLoop();
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final List<String> events = new ArrayList<>();

  @BeforeEach
  void fill() {
    random.nextBytes(content);
    Requests.write(bytes, 0, content);
  }

  @AfterEach
  void end() {
    threads.close();
  }

  private MappedDevice bow(int blockBytes) throws TargetException {
    List<String> words = List.of("disk", "1", "block_size:" + blockBytes);
    MappedDevice device =
        new MappedDevice(
            "bow",
            new TargetTypes()
                .find("bow")
                .orElseThrow()
                .construct(Sectors.fromBytes(SIZE), words, (address, isWritable) -> bytes),
            timers,
            Runnable::run,
            new MappedDevice.Listener() {
              @Override
              public void event(long number, String why) {
                events.add(why);
              }

              @Override
              public void warning(String what) {
                throw new AssertionError(what);
              }
            });
    device.resume();
    return device;
  }

  /** Every thread writes its own sectors of the first part, and so of every block there. */
  private void writeFromThreads(MappedDevice device)
      throws InterruptedException, ExecutionException {
    List<Future<?>> all = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      int thread = t;
      all.add(
          threads.submit(
              () -> {
                Random own = new Random(thread);
                byte[] sector = new byte[SECTOR];
                for (int i = 0; i < 250; i++) {
                  own.nextBytes(sector);
                  int at = SECTOR * (thread + THREADS * own.nextInt(FREE_FROM / SECTOR / THREADS));
                  Requests.write(device, at, sector);
                  System.arraycopy(sector, 0, content, at, SECTOR);
                }
              }));
    }
    for (Future<?> thread : all) {
      thread.get();
    }
  }

  private static MemDevice copyOf(MemDevice device) {
    MemDevice copy = new MemDevice(SIZE);
    Requests.write(copy, 0, Requests.read(device, 0, SIZE));
    return copy;
  }

  private static byte[] used(byte[] device) {
    return Arrays.copyOf(device, FREE_FROM);
  }

  private static byte[] forward(MemDevice image) throws IOException {
    try (BlockingDevice io = new BlockingDevice(image)) {
      BowForward.run(io, BowLogCheck.newest(io).orElseThrow());
      return Requests.read(image, 0, FREE_FROM);
    }
  }

  private static byte[] back(MemDevice image) throws IOException {
    try (BlockingDevice io = new BlockingDevice(image)) {
      BowLog newest = BowLogCheck.newest(io).orElseThrow();
      BowLogReport report = BowLogCheck.run(io, newest, 9, checked -> {});
      assertThat(report.condition()).isEqualTo(BowCondition.SOUND);
      BowRestore.run(io, report, false, restored -> {});
      return Requests.read(image, 0, FREE_FROM);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096})
  void threadsWriteAroundACheckpoint(int blockBytes) throws Exception {
    try (MappedDevice device = bow(blockBytes)) {
      int free = Requests.run(device, Operation.DISCARD, FREE_FROM, SIZE - FREE_FROM, 0);
      assertThat(free).isEqualTo(Errno.OK);
      writeFromThreads(device);
      byte[] before = used(content);
      assertThat(device.message(List.of("checkpoint"))).isEmpty();
      assertThat(events).containsExactly("checkpoint");
      writeFromThreads(device);
      assertThat(used(Requests.read(device, 0, SIZE))).isEqualTo(used(content));
      assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
      assertThat(forward(copyOf(bytes))).isEqualTo(used(content));
      assertThat(back(copyOf(bytes))).isEqualTo(before);
      device.message(List.of("commit"));
      assertThat(events).contains("committed");
      writeFromThreads(device);
      assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    }
    assertThat(Requests.read(bytes, 0, FREE_FROM)).isEqualTo(used(content));
  }
}
