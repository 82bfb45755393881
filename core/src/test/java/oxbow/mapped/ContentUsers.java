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
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;

/**
 * Threads that use a device until they are told to stop, and know what it must hold. Each has lanes
 * with a range of their own and one request in flight, so that a request which fails, gets lost, is
 * answered twice, or is carried out again later, shows.
 */
final class ContentUsers {
  private static final int LANES_PER_THREAD = 4;

  private final BlockDevice device;
  private final byte[] model;
  private final int laneBytes;
  private final Arena arena;
  private final List<CompletableFuture<Void>> running = new ArrayList<>();
  private volatile boolean isOver;

  /** Requests that have been answered, of all threads. */
  final AtomicLong answered = new AtomicLong();

  /**
   * Begins.
   *
   * @param model what the device holds; kept up to date
   */
  ContentUsers(BlockDevice device, byte[] model, int threads, long seed, Arena arena) {
    this.device = device;
    this.model = model;
    this.laneBytes = model.length / (threads * LANES_PER_THREAD);
    this.arena = arena;
    for (int i = 0; i < threads; i++) {
      User user = new User(i, new Random(seed + i));
      CompletableFuture<Void> result = new CompletableFuture<>();
      running.add(result);
      Thread.ofPlatform().name("user").start(() -> user.run(result));
    }
  }

  /** Fails if one of them has. */
  void check() {
    running.stream().filter(CompletableFuture::isDone).forEach(Requests::await);
  }

  /** Waits until each has ended its last request, and looks at all that the device holds. */
  void stop() {
    isOver = true;
    running.forEach(Requests::await);
    byte[] found = Requests.read(device, 0, model.length);
    assertThat(Arrays.mismatch(found, model)).as("first byte that differs").isEqualTo(-1);
  }

  /** One thread. */
  private final class User {
    private final Random random;
    private final LinkedBlockingQueue<Lane> idle = new LinkedBlockingQueue<>();

    User(int number, Random random) {
      this.random = random;
      for (int i = 0; i < LANES_PER_THREAD; i++) {
        idle.add(new Lane((number * LANES_PER_THREAD + i) * laneBytes, random, idle));
      }
    }

    void run(CompletableFuture<Void> result) {
      try {
        while (!isOver) {
          Lane lane = take();
          lane.check();
          lane.next(random.nextInt(8));
        }
        for (int i = 0; i < LANES_PER_THREAD; i++) {
          take().check();
        }
        result.complete(null);
      } catch (Throwable wrong) {
        result.completeExceptionally(wrong);
      }
    }

    private Lane take() throws InterruptedException {
      Lane lane = idle.poll(Requests.TIMEOUT_SECONDS, TimeUnit.SECONDS);
      assertThat(lane).as("a request is lost").isNotNull();
      return lane;
    }
  }

  /** A range, and the request to it. */
  private final class Lane {
    private final int base;
    private final Random random;
    private final LinkedBlockingQueue<Lane> idle;
    private final MemorySegment memory = arena.allocate(laneBytes);
    private final BlockRequest request = new BlockRequest();
    private Operation operation = Operation.FLUSH;
    private int at;
    private int length;
    private int errno;

    Lane(int base, Random random, LinkedBlockingQueue<Lane> idle) {
      this.base = base;
      this.random = random;
      this.idle = idle;
    }

    void check() {
      assertThat(errno).as("%s %d+%d", operation, at, length).isEqualTo(Errno.OK);
      if (operation == Operation.READ) {
        byte[] found = memory.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        int wrong = Arrays.mismatch(found, Arrays.copyOfRange(model, at, at + length));
        assertThat(wrong).as("read %d+%d: first byte that differs", at, length).isEqualTo(-1);
      }
    }

    void next(int what) {
      at = base + random.nextInt(laneBytes);
      length = 1 + random.nextInt(base + laneBytes - at);
      switch (what) {
        case 0 -> submitRange(Operation.FLUSH);
        case 1 -> zero();
        case 2, 3, 4 -> write();
        default -> data(Operation.READ, device.readNow(at, memory, 0, length));
      }
    }

    private void zero() {
      Arrays.fill(model, at, at + length, (byte) 0);
      submitRange(Operation.WRITE_ZEROES);
    }

    private void write() {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      System.arraycopy(bytes, 0, model, at, length);
      MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, length);
      data(Operation.WRITE, device.writeNow(at, memory, 0, length));
    }

    private void data(Operation readOrWrite, int now) {
      operation = readOrWrite;
      if (now == Errno.EAGAIN) {
        device.submit(request.data(readOrWrite, at, memory, 0, length, 0, this::ended));
      } else {
        ended(request, now);
      }
    }

    private void submitRange(Operation dataless) {
      operation = dataless;
      boolean isFlush = dataless == Operation.FLUSH;
      device.submit(
          request.range(dataless, isFlush ? 0 : at, isFlush ? 0 : length, 0, this::ended));
    }

    private void ended(BlockRequest ended, int result) {
      errno = result;
      answered.incrementAndGet();
      idle.add(this);
    }
  }
}
