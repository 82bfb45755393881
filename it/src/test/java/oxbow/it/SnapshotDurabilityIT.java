package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.Sectors;
import oxbow.nbd.wire.Nbd;

/**
 * Aim (O41, F2): a power cut takes back nothing that was promised on a snapshot or its origin, and
 * never lets the snapshot show what was written to the origin: chunks are durable before their
 * exceptions, and exceptions before the origin is overwritten. Method: strace writes down what
 * {@code oxbow snapshot} asks of the kernel; {@link PowerCuts} looks at what disks may hold after
 * each call. The same is done with traces that lack one sync each.
 */
@DisplayName("O41, F2: each promise, and each write to the origin, comes after a sync of the store")
class SnapshotDurabilityIT {
  private static final int SIZE_BYTES = 256 << 10;
  private static final int STORE_BYTES = 1 << 20;
  private static final int GRANULES = SIZE_BYTES / VolatileModel.GRANULE_BYTES;

  @TempDir Path temporary;

  private final Promises ofSnapshot = new Promises(GRANULES);
  private final Promises ofOrigin = new Promises(GRANULES);
  private final AtomicInteger nextStamp = new AtomicInteger(1);
  private final long seed = Long.getLong("oxbow.seed", 41);
  private Path directory = Path.of("");
  private byte[] source = {};
  private TestSnapshot snapshot = new TestSnapshot(Path.of(""), "");

  @BeforeEach
  void makeOrigin() throws IOException {
    directory = temporary.toRealPath();
    source = Files.readAllBytes(StampedContent.makeSource(origin(), GRANULES));
    snapshot = new TestSnapshot(directory, origin());
    // The launcher's own work is done before anybody looks.
    Proc.of(Tool.own("oxbow"), "help").run().ok();
  }

  private Path origin() {
    return directory.resolve("origin.img");
  }

  private PromisingClient ofSnapshot(int number) throws IOException {
    return PromisingClient.connect(
        snapshot.socket(), snapshot.name(), ofSnapshot, number, nextStamp);
  }

  private PromisingClient ofOrigin(int number) throws IOException {
    return PromisingClient.connect(
        snapshot.originSocket(), snapshot.originName(), ofOrigin, number, nextStamp);
  }

  private PowerCuts cuts(int chunkSectors) {
    return SnapshotCuts.of(
        ofSnapshot,
        ofOrigin,
        PowerCuts.DiskState.holding(origin().toString(), source),
        PowerCuts.DiskState.missing(snapshot.store().toString(), STORE_BYTES),
        (int) Sectors.toBytes(chunkSectors),
        seed);
  }

  /** All kinds of promises, one after the other, from the creation of the store on. */
  private List<SystemCalls.Event> scenario(int chunkSectors) throws IOException {
    int chunk = (int) Sectors.toBytes(chunkSectors) / VolatileModel.GRANULE_BYTES;
    Path log = directory.resolve("trace");
    try (Server server = snapshot.startTraced(log, options(chunkSectors))) {
      try (PromisingClient then = ofSnapshot(0);
          PromisingClient now = ofOrigin(1)) {
        then.write(0, chunk, 0);
        then.flush();
        now.write(2 * chunk + 3, 5, 0);
        then.write(3 * chunk + 3, 5, Nbd.CMD_FLAG_FUA);
        now.write(3 * chunk, chunk, 0);
        now.write(5 * chunk, 3 * chunk, Nbd.CMD_FLAG_FUA);
        then.write(2 * chunk + 1, 3, 0);
        then.flush();
        then.write(9 * chunk + 1, 2, 0);
        now.write(9 * chunk, chunk, 0);
        now.flush();
        then.zero(Nbd.CMD_WRITE_ZEROES, 0, 5 * chunk - 2, 2 * chunk);
        then.flush();
        now.zero(Nbd.CMD_WRITE_ZEROES, Nbd.CMD_FLAG_FUA, 11 * chunk + 1, chunk);
        now.zero(Nbd.CMD_TRIM, 0, 14 * chunk, 2 * chunk);
        now.flush();
        then.write(14 * chunk + 1, 1, 0);
      }
      assertThat(server.stop()).as("%s", server.standardError()).isZero();
      return Trace.of(log).toTheEnd(server);
    }
  }

  private static Object[] options(int chunkSectors) {
    return new Object[] {"--create", STORE_BYTES, "--chunk-size", Sectors.toBytes(chunkSectors)};
  }

  @Test
  void nothingPromisedIsLostAndTheSnapshotIsNeverNewerThanItsBeginning() throws IOException {
    long begun = System.nanoTime();
    int chunkSectors = 8;
    List<SystemCalls.Event> events = scenario(chunkSectors);
    int seconds = 1 + (int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    try {
      assertThat(cuts(chunkSectors).check(events, true)).isGreaterThan(300);
    } catch (AssertionError e) {
      throw new AssertionError("see " + Trace.of(directory.resolve("trace")).keep(), e);
    }

    // Whatever the program did to be safe was necessary, and its absence is noticed here.
    List<SystemCalls.Call> syncs = syncsWhileServed(events);
    List<String> needless = new ArrayList<>();
    for (SystemCalls.Call call : syncs) {
      if (!cuts(chunkSectors).loses(SystemCalls.without(events, call))) {
        needless.add(call.toString());
      }
    }
    assertThat(syncs).hasSizeGreaterThanOrEqualTo(15);
    // Where the commit of a second comes between a write and its flush, the flush finds it done.
    assertThat(needless).hasSizeLessThanOrEqualTo(2 * seconds);
    for (Path file : List.of(origin(), snapshot.store())) {
      List<SystemCalls.Event> never = new ArrayList<>(events);
      never.removeIf(event -> event.call().isSync() && isOf(event.call(), file));
      assertThat(cuts(chunkSectors).loses(never)).as("without any sync of " + file).isTrue();
    }
  }

  private static boolean isOf(SystemCalls.Call call, Path file) {
    return call.path.equals(file.toString());
  }

  /** The syncs of origin and store after the first answer to a request. */
  private List<SystemCalls.Call> syncsWhileServed(List<SystemCalls.Event> events) {
    List<SystemCalls.Call> syncs = new ArrayList<>();
    boolean isServed = false;
    for (SystemCalls.Event event : events) {
      SystemCalls.Call call = event.call();
      isServed |= !event.isEnd() && PowerCuts.cookies(call).length > 0;
      boolean isOurs = isOf(call, origin()) || isOf(call, snapshot.store());
      if (isServed && event.isEnd() && call.isSync() && isOurs) {
        syncs.add(call);
      }
    }
    return syncs;
  }

  @Test
  void nothingPromisedIsLostUnderTheLoadOfSeveralConnectionsToBoth() throws Exception {
    Path log = directory.resolve("trace");
    List<SystemCalls.Event> events;
    int users = 2;
    // Chunks of one sector: some ten metadata areas become full on the way.
    int chunkSectors = 1;
    try (Server server = snapshot.startTraced(log, options(chunkSectors));
        ExecutorService threads = Executors.newFixedThreadPool(2 * users)) {
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < 2 * users; i++) {
        int number = i;
        ends.add(threads.submit(() -> load(number, users)));
      }
      for (Future<?> end : ends) {
        end.get();
      }
      assertThat(server.stop()).as("%s", server.standardError()).isZero();
      events = Trace.of(log).toTheEnd(server);
    }
    try {
      assertThat(cuts(chunkSectors).check(events, true)).isGreaterThan(1_000);
    } catch (AssertionError e) {
      throw new AssertionError("the trace tells: " + Trace.of(log).keep(), e);
    }
  }

  /**
   * Users of the snapshot come first, then as many of the origin. Each has a part of its device, so
   * that changes of one granule have an order; the parts of the two are the same.
   */
  private Void load(int number, int users) throws IOException {
    Random random = new Random(seed * 31 + number);
    int part = GRANULES / users;
    try (PromisingClient client = number < users ? ofSnapshot(number) : ofOrigin(number)) {
      for (int i = 0; i < 50; i++) {
        int count = 1 + random.nextInt(24);
        int first = number % users * part + random.nextInt(part - count);
        int fua = random.nextInt(6) == 0 ? Nbd.CMD_FLAG_FUA : 0;
        int dice = random.nextInt(10);
        if (dice < 6) {
          client.write(first, count, fua);
        } else if (dice < 8) {
          client.zero(Nbd.CMD_WRITE_ZEROES, fua, first, count);
        } else {
          client.flush();
        }
      }
    }
    return null;
  }
}
