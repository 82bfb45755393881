package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.clone.CloneOptions;

/**
 * Aim: many threads and many requests at once do each other no harm. Method: lanes, each with a
 * range of its own and one request in flight; lanes of all threads share regions. Meanwhile the
 * device hydrates, ticks, is asked for its status, suspended and resumed. Contents are checked with
 * each read, at the end, and once more after the metadata was opened again.
 */
class MappedCloneStressTest {
  private static final int THREADS = 4;
  private static final int LANES_PER_THREAD = 8;
  private static final int REQUESTS_PER_THREAD = 5000;

  /** Not a multiple of any region size, nor of a sector: neighbours share both (O40). */
  private static final int LANE_BYTES = 130_000;

  private static final int SIZE = THREADS * LANES_PER_THREAD * LANE_BYTES / 512 * 512;

  @ParameterizedTest
  @CsvSource({
    "8, false, 0",
    "32, true, 0",
    "256, false, 0",
    "8, true, 1 hydrate_on_read",
    "64, false, 1 hydrate_on_read"
  })
  @DisplayName(
      "R W D F H O1-O7 O13 O40: 20,000 requests of 4 threads while it hydrates and is suspended")
  void manyThreadsDoEachOtherNoHarm(int regionSectors, boolean isAdaptive, String features)
      throws Exception {
    long seed = Long.getLong("oxbow.seed", 20_250_101L + regionSectors);
    try {
      run(seed, regionSectors, isAdaptive, features);
    } catch (AssertionError e) {
      throw new AssertionError(
          "reproduce with: ./mvnw test -pl core -Dtest=MappedCloneStressTest -Doxbow.seed=" + seed,
          e);
    }
  }

  private void run(long seed, int regionSectors, boolean isAdaptive, String features)
      throws Exception {
    MemDevice source = TestClone.random(SIZE, seed);
    MemDevice destination = TestClone.random(SIZE, seed + 1);
    MemDevice metadata = new MemDevice(4 << 20);
    byte[] model = Requests.read(source, 0, SIZE);
    String tail =
        regionSectors + " " + features + " 4 hydration_threshold 3 hydration_batch_size 2";
    CloneOptions options = new CloneOptions(isAdaptive, 1 << 20, 10, false, 64);
    try (ExecutorService disks = Executors.newFixedThreadPool(3);
        Arena arena = Arena.ofShared()) {
      BlockDevice slowSource = ShapedDevice.elsewhere(source, disks);
      // Every other thread finds the destination in its cache; the others wait for it.
      BlockDevice mixed = new EveryOther(destination, ShapedDevice.elsewhere(destination, disks));
      try (TestClone clone = new TestClone(slowSource, mixed, metadata, tail, options, disks)) {
        List<Lanes> users = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          Random random = new Random(seed + 10 + i);
          users.add(new Lanes(clone.device, model, arena, i, regionSectors * 512, random));
        }
        AtomicBoolean isOver = new AtomicBoolean();
        CompletableFuture<Void> disturber =
            CompletableFuture.runAsync(() -> disturb(clone, isOver, new Random(seed)), disks);
        List<CompletableFuture<Void>> running = new ArrayList<>();
        for (Lanes user : users) {
          CompletableFuture<Void> result = new CompletableFuture<>();
          new Thread(() -> user.run(result), "user").start();
          running.add(result);
        }
        running.forEach(Requests::await);
        isOver.set(true);
        Requests.await(disturber);
        assertEqual(Requests.read(clone.device, 0, SIZE), model);
        assertThat(clone.warnings).isEmpty();
      }
      try (TestClone again =
          new TestClone(source, destination, metadata, tail, CloneOptions.TABLE, disks)) {
        assertEqual(Requests.read(again.device, 0, SIZE), model);
        again.hydrate();
        assertEqual(Requests.read(destination, 0, SIZE), model);
      }
    }
  }

  private static void assertEqual(byte[] found, byte[] expected) {
    int at = Arrays.mismatch(found, expected);
    assertThat(at).as("first byte that differs").isEqualTo(-1);
  }

  /** Ticks, status, suspend and resume, again and again. */
  private static void disturb(TestClone clone, AtomicBoolean isOver, Random random) {
    while (!isOver.get()) {
      clone.timers.fire();
      switch (random.nextInt(20)) {
        case 0 -> {
          assertThat(clone.device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
          clone.device.resume();
        }
        case 1, 2 -> assertThat(clone.device.status(true)).endsWith(" rw");
        default -> Thread.onSpinWait();
      }
    }
  }

  /** One thread's lanes; each has at most one request in flight, whose end begins the next. */
  private static final class Lanes {
    private final BlockDevice device;
    private final byte[] model;
    private final Random random;
    private final int regionBytes;
    private final MemorySegment memory;
    private final int firstByte;
    private final List<Lane> lanes = new ArrayList<>();
    private final LinkedBlockingQueue<Lane> idle = new LinkedBlockingQueue<>();

    Lanes(
        BlockDevice device, byte[] model, Arena arena, int number, int regionBytes, Random random) {
      this.device = device;
      this.regionBytes = regionBytes;
      this.model = model;
      this.random = random;
      this.memory = arena.allocate((long) LANES_PER_THREAD * LANE_BYTES, 4096);
      this.firstByte = number * LANES_PER_THREAD * LANE_BYTES;
      for (int i = 0; i < LANES_PER_THREAD; i++) {
        lanes.add(new Lane(i));
      }
      idle.addAll(lanes);
    }

    void run(CompletableFuture<Void> result) {
      try {
        for (int i = 0; i < REQUESTS_PER_THREAD; i++) {
          Lane lane = idle.take();
          lane.check();
          lane.next();
        }
        for (int i = 0; i < LANES_PER_THREAD; i++) {
          idle.take().check();
        }
        result.complete(null);
      } catch (Throwable e) {
        result.completeExceptionally(e);
      }
    }

    /** A range of its own. */
    private final class Lane {
      private final int base;
      private final long memoryAt;
      private final BlockRequest request = new BlockRequest();
      private volatile int errno;
      private Operation operation = Operation.FLUSH;
      private int at;
      private int length;
      private boolean isElsewhere;

      Lane(int index) {
        this.memoryAt = (long) index * LANE_BYTES;
        this.base = firstByte + index * LANE_BYTES;
      }

      private int end() {
        return Math.min(base + LANE_BYTES, SIZE);
      }

      /** Looks at what the last request has brought. */
      void check() {
        assertThat(errno).as("%s %d+%d", operation, at, length).isEqualTo(Errno.OK);
        if (operation == Operation.READ && !isElsewhere) {
          byte[] found = memory.asSlice(memoryAt, length).toArray(ValueLayout.JAVA_BYTE);
          int wrong = Arrays.mismatch(found, Arrays.copyOfRange(model, at, at + length));
          assertThat(wrong).as("read %d+%d: first byte that differs", at, length).isEqualTo(-1);
        }
      }

      void next() {
        at = base + random.nextInt(end() - base);
        length = 1 + random.nextInt(Math.min(end() - at, random.nextBoolean() ? 2000 : 40_000));
        int flags = random.nextInt(20) == 0 ? Flags.FUA : 0;
        switch (random.nextInt(16)) {
          case 0, 1, 2, 3, 4 -> write(flags);
          case 5 -> {
            Arrays.fill(model, at, at + length, (byte) 0);
            submitRange(Operation.WRITE_ZEROES, flags);
          }
          case 6 -> submitRange(Operation.CACHE, 0);
          case 7 -> discard(flags);
          case 8 -> readElsewhere();
          case 9 -> {
            operation = Operation.FLUSH;
            device.submit(request.flush(this::ended));
          }
          default -> read();
        }
      }

      private void write(int flags) {
        operation = Operation.WRITE;
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        System.arraycopy(bytes, 0, model, at, length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, memoryAt, length);
        int now = flags == 0 ? device.writeNow(at, memory, memoryAt, length) : Errno.EAGAIN;
        if (now == Errno.EAGAIN) {
          device.submit(
              request.data(Operation.WRITE, at, memory, memoryAt, length, flags, this::ended));
        } else {
          ended(request, now);
        }
      }

      /** D1: whole regions only; no other lane has a part of them. */
      private void discard(int flags) {
        int first = Math.ceilDiv(at, regionBytes) * regionBytes;
        int end = (at + length) / regionBytes * regionBytes;
        if (first < end) {
          Arrays.fill(model, first, end, (byte) 0);
        }
        submitRange(Operation.DISCARD, flags);
      }

      /** What others are writing just now: any bytes, but no error. */
      private void readElsewhere() {
        at = random.nextInt(SIZE - length);
        read();
        isElsewhere = true;
      }

      private void read() {
        operation = Operation.READ;
        isElsewhere = false;
        int now = device.readNow(at, memory, memoryAt, length);
        if (now == Errno.EAGAIN) {
          device.submit(request.data(Operation.READ, at, memory, memoryAt, length, 0, this::ended));
        } else {
          ended(request, now);
        }
      }

      private void submitRange(Operation dataless, int flags) {
        operation = dataless;
        device.submit(request.range(dataless, at, length, flags, this::ended));
      }

      private void ended(BlockRequest ended, int result) {
        errno = result;
        idle.add(this);
      }
    }
  }
}
