package oxbow.it;

import static oxbow.it.VolatileModel.GRANULE_BYTES;
import static oxbow.it.VolatileModel.SOURCE;
import static oxbow.it.VolatileModel.ZERO;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.nbd.NbdDevice;
import oxbow.device.nbd.NbdOptions;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.nbd.client.NbdAddress;

/**
 * Random requests from several connections, many in flight, each answer compared with a model. Goes
 * on until the server is killed in the middle of it.
 */
final class Workload {
  private static final int CONNECTIONS = 3;
  private static final int THREADS_PER_CONNECTION = 4;
  private static final int REGION_GRANULES = 4096 / GRANULE_BYTES;
  private static final int LONGEST_GRANULES = 512;

  /** Most commits are over by then. */
  private static final int LONGEST_COMMIT_NANOS = 3_000_000;

  /** Most requests are close to the frontier between what was used before and what was not. */
  private static final int WINDOW_GRANULES = (1 << 20) / GRANULE_BYTES;

  private final int granuleCount;
  private final List<Volume> volumes;
  private final AtomicInteger nextStamp = new AtomicInteger(1);
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  /** What a discard of whole regions does. */
  enum Discards {
    /** There are none. */
    NONE,
    /** All that is discarded reads as zeros; in a clone, be it hydrated or not (O7). */
    ZEROS,
    /** The same, and nobody asks for parts of regions, which not only clones would discard. */
    ZEROS_WHOLE_REGIONS,
    /** What was hydrated stays as it is (D3), and the rest reads as zeros. */
    ZEROS_OR_NOTHING
  }

  /** A device that is served, with {@link StampedContent} on it at first. */
  record Volume(NbdAddress address, VolatileModel model, Discards discards) {}

  /**
   * @param volumes of one server; all are used at a time
   */
  Workload(int granuleCount, Volume... volumes) {
    this.granuleCount = granuleCount;
    this.volumes = List.of(volumes);
  }

  /** When the server is killed, once enough operations have begun. */
  enum Moment {
    /** At once, whatever goes on. */
    ANY,
    /** As soon as the answer to a flush has come. */
    FLUSH_ANSWERED,
    /** Some time after a flush was sent, and most likely before its answer. */
    IN_COMMIT
  }

  /** One time from a start of the server to its end. */
  private final class Round {
    final AtomicInteger operations;
    final int end;
    final double total;
    final Moment moment;
    final Runnable kill;
    final AtomicBoolean isKilling = new AtomicBoolean();
    volatile boolean isKilled;

    Round(int begin, int end, int total, Moment moment, Runnable kill) {
      this.operations = new AtomicInteger(begin);
      this.end = end;
      this.total = total;
      this.moment = moment;
      this.kill = kill;
    }

    /** Counts an operation; false when the server is dead, or about to die of this. */
    boolean next(User user) {
      if (operations.incrementAndGet() >= end && isKilling.compareAndSet(false, true)) {
        switch (moment) {
          case ANY -> kill();
          case FLUSH_ANSWERED -> {
            if (user.flush()) {
              kill();
            }
          }
          case IN_COMMIT -> {
            user.sendFlush();
            LockSupport.parkNanos(user.random.nextInt(LONGEST_COMMIT_NANOS));
            kill();
          }
        }
      }
      return !isKilled;
    }

    void kill() {
      isKilled = true;
      kill.run();
    }

    int frontier() {
      return (int) (operations.get() / total * granuleCount);
    }
  }

  /**
   * Runs operations {@code begin} to {@code end} of {@code total}, then kills the server at that
   * moment, while others are in flight, and waits until all threads have ended.
   */
  void run(long seed, int begin, int end, int total, Moment moment, Runnable kill)
      throws Exception {
    Round round = new Round(begin, end, total, moment, kill);
    try (WorkerDiskPool disks = new WorkerDiskPool(1);
        Engine engine = new Engine(1, disks)) {
      List<NbdDevice> connections = new ArrayList<>();
      List<User> users = new ArrayList<>();
      List<Thread> threads = new ArrayList<>();
      try {
        for (int i = 0; i < CONNECTIONS * volumes.size(); i++) {
          Volume volume = volumes.get(i % volumes.size());
          connections.add(connect(volume, engine));
          for (int j = 0; j < THREADS_PER_CONNECTION; j++) {
            users.add(new User(volume, connections.getLast(), round, seed * 31 + users.size()));
          }
        }
        for (User user : users) {
          threads.add(Thread.ofPlatform().name("user-" + threads.size()).start(user));
        }
        for (Thread thread : threads) {
          thread.join();
        }
      } finally {
        for (NbdDevice connection : connections) {
          connection.close();
        }
      }
    }
    Throwable failed = failure.get();
    if (failed != null) {
      throw new AssertionError("in operation " + round.operations.get(), failed);
    }
  }

  private static NbdDevice connect(Volume volume, Engine engine) throws IOException {
    NbdOptions once = NbdOptions.defaults().withConnections(1).withHoldNanos(0);
    return NbdDevice.open(volume.address(), engine, once);
  }

  /**
   * Reads all after a crash; each granule must be one of those the model allows, and is from then
   * on what was found.
   */
  void recover() throws IOException {
    for (Volume volume : volumes) {
      recover(volume);
    }
  }

  private void recover(Volume volume) throws IOException {
    List<Set<Integer>> allowed = volume.model().afterCrash();
    int[] found = new int[granuleCount];
    int piece = (1 << 20) / GRANULE_BYTES;
    try (WorkerDiskPool disks = new WorkerDiskPool(1);
        Engine engine = new Engine(1, disks);
        NbdDevice device = connect(volume, engine)) {
      for (int first = 0; first < granuleCount; first += piece) {
        byte[] bytes = Requests.read(device, (long) first * GRANULE_BYTES, piece * GRANULE_BYTES);
        MemorySegment memory = MemorySegment.ofArray(bytes);
        for (int i = 0; i < piece; i++) {
          found[first + i] = identify(volume, memory, i, first + i, allowed.get(first + i));
        }
      }
    }
    volume.model().restart(found);
  }

  private static int identify(
      Volume volume, MemorySegment memory, int index, int granule, Set<Integer> allowed) {
    long offset = (long) index * GRANULE_BYTES;
    for (int stamp : allowed) {
      if (StampedContent.matches(memory, offset, granule, stamp)) {
        return stamp;
      }
    }
    throw new AssertionError(
        ("%s, byte %d (region %d): after the crash there is %s, allowed are the stamps %s"
                + " (%d: source, %d: zeros)")
            .formatted(
                volume.address(),
                (long) granule * GRANULE_BYTES,
                granule / REGION_GRANULES,
                StampedContent.describe(memory, offset, granule),
                allowed,
                SOURCE,
                ZERO));
  }

  /** A thread with one request at a time. */
  private final class User implements Runnable {
    private final VolatileModel model;
    private final Discards discards;
    private final BlockDevice device;
    private final Round round;
    private final Random random;
    private final MemorySegment buffer;
    private final BlockRequest request = new BlockRequest();
    private final Semaphore done = new Semaphore(0);
    private int errno;

    User(Volume volume, BlockDevice device, Round round, long seed) {
      this.model = volume.model();
      this.discards = volume.discards();
      this.device = device;
      this.round = round;
      this.random = new Random(seed);
      this.buffer = Arena.ofAuto().allocate((long) LONGEST_GRANULES * GRANULE_BYTES, 4096);
    }

    @Override
    public void run() {
      try {
        while (failure.get() == null && round.next(this) && operate()) {
          // Until the server is gone.
        }
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
        if (!round.isKilled) {
          round.kill();
        }
      }
    }

    /** One random request; false when it failed because the server was killed. */
    private boolean operate() {
      int dice = random.nextInt(100);
      if (dice < 5) {
        return flush();
      }
      int first;
      int count;
      do {
        boolean isWholeRegions = random.nextInt(3) == 0;
        count = 1 + random.nextInt(random.nextInt(8) == 0 ? LONGEST_GRANULES : 64);
        first = choosePlace();
        if (isWholeRegions) {
          first -= first % REGION_GRANULES;
          count = Math.ceilDiv(count, REGION_GRANULES) * REGION_GRANULES;
        }
        count = Math.min(count, granuleCount - first);
      } while (!model.tryHold(first, count)); // Where another user is, try another place.
      boolean isAlive = operate(dice, first, count);
      if (isAlive) {
        model.release(first, count);
      }
      return isAlive;
    }

    private boolean operate(int dice, int first, int count) {
      if (dice < 30) {
        return read(first, count);
      } else if (dice < 70) {
        return write(first, count);
      } else if (dice < 80) {
        return writeZeroes(first, count);
      } else if (dice < 90 && discards != Discards.NONE) {
        return discard(first, count);
      } else if (dice < 95) {
        return isDone(Operation.CACHE, first, count, 0);
      }
      return blockStatus(first, count);
    }

    private int choosePlace() {
      int frontier = round.frontier();
      int dice = random.nextInt(10);
      int place =
          dice < 6
              ? frontier + random.nextInt(WINDOW_GRANULES)
              : dice < 9
                  ? random.nextInt(frontier + WINDOW_GRANULES)
                  : random.nextInt(granuleCount);
      return Math.min(place, granuleCount - 1);
    }

    /** Sends a flush and does not wait for its answer. */
    void sendFlush() {
      device.submit(new BlockRequest().range(Operation.FLUSH, 0, 0, 0, (ended, result) -> {}));
    }

    private boolean flush() {
      long begun = model.flushBegins();
      if (!isDone(Operation.FLUSH, 0, 0, 0)) {
        return false;
      }
      model.flushed(begun);
      return true;
    }

    private boolean read(int first, int count) {
      if (!isDone(Operation.READ, first, count, 0)) {
        return false;
      }
      for (int i = 0; i < count; i++) {
        int expected = model.newest(first + i);
        if (!StampedContent.matches(buffer, (long) i * GRANULE_BYTES, first + i, expected)) {
          throw new AssertionError(
              "read of granules %d+%d: granule %d (region %d) is %s, expected stamp %d"
                  .formatted(
                      first,
                      count,
                      first + i,
                      (first + i) / REGION_GRANULES,
                      StampedContent.describe(buffer, (long) i * GRANULE_BYTES, first + i),
                      expected));
        }
      }
      return true;
    }

    private boolean write(int first, int count) {
      int stamp = nextStamp.getAndIncrement();
      for (int i = 0; i < count; i++) {
        StampedContent.fill(buffer, (long) i * GRANULE_BYTES, first + i, stamp);
      }
      return change(Operation.WRITE, first, count, stamp, random.nextInt(10) == 0 ? Flags.FUA : 0);
    }

    private boolean writeZeroes(int first, int count) {
      int noHole = random.nextBoolean() ? Flags.NO_HOLE : 0;
      int flags = noHole | (random.nextInt(10) == 0 ? Flags.FUA : 0);
      return change(Operation.WRITE_ZEROES, first, count, ZERO, flags);
    }

    private boolean change(Operation operation, int first, int count, int stamp, int flags) {
      long order = model.begin(first, count, stamp);
      if (!isDone(operation, first, count, flags)) {
        return false;
      }
      model.acknowledged(order, (flags & Flags.FUA) != 0);
      return true;
    }

    /** Only whole regions are discarded (D1). */
    private boolean discard(int first, int count) {
      int begin = Math.ceilDiv(first, REGION_GRANULES) * REGION_GRANULES;
      int end = (first + count) / REGION_GRANULES * REGION_GRANULES;
      if (discards == Discards.ZEROS_WHOLE_REGIONS) {
        return begin < end
            ? change(Operation.DISCARD, begin, end - begin, ZERO, 0)
            : read(first, count);
      }
      List<Long> orders = new ArrayList<>();
      for (int region = begin; region < end; region += REGION_GRANULES) {
        orders.add(model.begin(region, REGION_GRANULES, ZERO));
      }
      if (!isDone(Operation.DISCARD, first, count, 0)) {
        return false;
      }
      for (int i = 0; i < orders.size(); i++) {
        int region = begin + i * REGION_GRANULES;
        if (discards == Discards.ZEROS) {
          model.acknowledged(orders.get(i), false);
        } else if (!isDone(Operation.READ, region, REGION_GRANULES, 0)) {
          return false;
        } else if (isZero(region)) {
          model.acknowledged(orders.get(i), false);
        } else {
          // Was hydrated, so that nothing happened (D3); the read below would see anything else.
          model.hadNoEffect(orders.get(i));
        }
      }
      return read(first, count);
    }

    private boolean isZero(int region) {
      for (int i = 0; i < REGION_GRANULES; i++) {
        if (!StampedContent.matches(buffer, (long) i * GRANULE_BYTES, region + i, ZERO)) {
          return false;
        }
      }
      return true;
    }

    /** Where block status says zeros, a read must return zeros (O7). */
    private boolean blockStatus(int first, int count) {
      List<Requests.Extent> extents;
      try {
        extents =
            Requests.extents(
                device, (long) first * GRANULE_BYTES, (long) count * GRANULE_BYTES, 64);
      } catch (AssertionError failed) {
        if (round.isKilled) {
          return false;
        }
        throw failed;
      }
      if (!isDone(Operation.READ, first, count, 0)) {
        return false;
      }
      long from = (long) first * GRANULE_BYTES;
      long end = from + (long) count * GRANULE_BYTES;
      for (Requests.Extent extent : extents) {
        long length = Math.min(extent.lengthBytes(), end - extent.offsetBytes());
        MemorySegment said = buffer.asSlice(extent.offsetBytes() - from, length);
        if (extent.isZero() && said.mismatch(zeros(length)) >= 0) {
          throw new AssertionError("block status says zeros where there are none: " + extent);
        }
      }
      return true;
    }

    private static MemorySegment zeros(long lengthBytes) {
      return MemorySegment.ofArray(new byte[(int) lengthBytes]);
    }

    private boolean isDone(Operation operation, int first, int count, int flags) {
      boolean hasData = operation == Operation.READ || operation == Operation.WRITE;
      device.submit(
          request.data(
              operation,
              (long) first * GRANULE_BYTES,
              hasData ? buffer : MemorySegment.NULL,
              0,
              (long) count * GRANULE_BYTES,
              flags,
              (ended, result) -> {
                errno = result;
                done.release();
              }));
      done.acquireUninterruptibly();
      if (errno != Errno.OK && !round.isKilled) {
        throw new AssertionError(request + " failed: " + Errno.describe(errno));
      }
      return errno == Errno.OK;
    }
  }
}
