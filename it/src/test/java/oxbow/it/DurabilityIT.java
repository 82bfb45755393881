package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
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
import oxbow.nbd.wire.Nbd;

/**
 * Aim (O41): a power cut takes back nothing that was promised, as far as the whole program can see
 * to it: each promise is a sync of the right file in the right order, and the directory's of a new
 * one. Killing processes cannot show this, since the page cache survives. Method: strace writes
 * down what {@code oxbow clone} asks of the kernel; {@link PowerCuts} goes through it and looks at
 * what disks may hold after each call. The same is done with traces that lack one sync each.
 */
@DisplayName("O41: each promise is a sync of the right file, in the right order")
class DurabilityIT {
  private static final int SIZE_BYTES = 1 << 20;
  private static final int METADATA_BYTES = 1 << 20;
  private static final int GRANULES = SIZE_BYTES / VolatileModel.GRANULE_BYTES;
  private static final int REGION_GRANULES = 4096 / VolatileModel.GRANULE_BYTES;

  @TempDir Path temporary;

  private final Promises promises = new Promises(GRANULES);
  private final AtomicInteger nextStamp = new AtomicInteger(1);
  private final long seed = Long.getLong("oxbow.seed", 41);
  private Path directory = Path.of("");
  private byte[] source = {};

  @BeforeEach
  void makeSource() throws IOException {
    directory = temporary.toRealPath();
    source = new byte[SIZE_BYTES];
    for (int granule = 0; granule < GRANULES; granule++) {
      long offset = (long) granule * VolatileModel.GRANULE_BYTES;
      StampedContent.fill(MemorySegment.ofArray(source), offset, granule, VolatileModel.SOURCE);
    }
    Files.write(directory.resolve("source.img"), source);
    // The launcher's own work is done before anybody looks.
    Proc.of(Tool.own("oxbow"), "help").run().ok();
  }

  private PromisingClient client(int number) throws IOException {
    return PromisingClient.connect(
        directory.resolve("clone.sock"), "vol", promises, number, nextStamp);
  }

  private Server start(Path log, Object... options) {
    List<Object> words = new ArrayList<>();
    words.addAll(List.of("clone", directory.resolve("source.img"), destination()));
    words.addAll(List.of("--name", "vol", "--listen", "unix:" + directory.resolve("clone.sock")));
    words.addAll(List.of("--control", directory.resolve("control.sock")));
    words.addAll(List.of(options));
    return Server.tracedOxbow(directory, log, words.toArray());
  }

  private Path destination() {
    return directory.resolve("dest.img");
  }

  private PowerCuts cuts() {
    return CloneCuts.of(promises, source, destination().toString(), METADATA_BYTES, seed);
  }

  /** All kinds of promises, one after the other, from the creation of both files on. */
  private List<SystemCalls.Event> scenario() throws IOException {
    Path log = directory.resolve("trace");
    try (Server server = start(log, "--no-hydration")) {
      try (PromisingClient client = client(0)) {
        client.write(0, REGION_GRANULES, 0);
        client.flush();
        client.write(REGION_GRANULES + 3, 5, Nbd.CMD_FLAG_FUA);
        client.write(REGION_GRANULES + 5, 5, Nbd.CMD_FLAG_FUA);
        client.write(2, 3, 0);
        client.flush();
        client.zero(Nbd.CMD_WRITE_ZEROES, 0, 3 * REGION_GRANULES + 7, 3 * REGION_GRANULES);
        client.flush();
        client.zero(Nbd.CMD_WRITE_ZEROES, Nbd.CMD_FLAG_FUA, 8 * REGION_GRANULES + 1, 2);
        client.write(200 * REGION_GRANULES, 4 * REGION_GRANULES, Nbd.CMD_FLAG_FUA);
        // Where there was data: that zeros are lost cannot be seen where there were zeros before.
        client.zero(Nbd.CMD_TRIM, 0, 0, 2 * REGION_GRANULES);
        client.flush();
        client.zero(Nbd.CMD_TRIM, Nbd.CMD_FLAG_FUA, 200 * REGION_GRANULES, REGION_GRANULES);
        client.write(202 * REGION_GRANULES + 1, 1, 0);
      }
      assertThat(server.stop()).as("%s", server.standardError()).isZero();
      return Trace.of(log).toTheEnd(server);
    }
  }

  @Test
  void nothingPromisedIsLostFromTheCreationToTheOrderlyEnd() throws IOException {
    long begun = System.nanoTime();
    List<SystemCalls.Event> events = scenario();
    int seconds = 1 + (int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    assertThat(cuts().check(events, true)).isGreaterThan(500);

    // Whatever the program did to be safe was necessary, and its absence is noticed here.
    List<String> needless = new ArrayList<>();
    List<SystemCalls.Call> syncs = syncsWhileServed(events);
    for (SystemCalls.Call call : syncs) {
      if (!cuts().loses(SystemCalls.without(events, call))) {
        needless.add(call.toString());
      }
    }
    List<SystemCalls.Call> answers = promisingAnswers(events);
    for (SystemCalls.Call answer : answers) {
      SystemCalls.Call sync = SystemCalls.lastBefore(events, answer, this::isSyncOfOurs);
      if (!cuts().loses(SystemCalls.moved(events, answer, sync))) {
        needless.add(sync + " before the answer");
      }
    }
    assertThat(syncs).hasSizeGreaterThanOrEqualTo(20);
    assertThat(answers).hasSize(9);
    // Where the commit of a second comes between a write and its flush, the flush finds it done.
    assertThat(needless).hasSizeLessThanOrEqualTo(2 * seconds);
    for (String name : List.of("fsync", "fdatasync")) {
      List<SystemCalls.Event> never = new ArrayList<>(events);
      never.removeIf(event -> event.call().name.equals(name));
      assertThat(cuts().loses(never)).as("without any " + name).isTrue();
    }
  }

  private boolean isSyncOfOurs(SystemCalls.Call call) {
    return call.isSync() && call.path.startsWith(destination().toString());
  }

  /** The syncs of data and metadata after the first answer to a request. */
  private List<SystemCalls.Call> syncsWhileServed(List<SystemCalls.Event> events) {
    List<SystemCalls.Call> syncs = new ArrayList<>();
    boolean isServed = false;
    for (SystemCalls.Event event : events) {
      isServed |= !event.isEnd() && PowerCuts.cookies(event.call()).length > 0;
      if (isServed && event.isEnd() && isSyncOfOurs(event.call())) {
        syncs.add(event.call());
      }
    }
    return syncs;
  }

  private List<SystemCalls.Call> promisingAnswers(List<SystemCalls.Event> events) {
    List<SystemCalls.Call> answers = new ArrayList<>();
    for (SystemCalls.Event event : events) {
      for (long cookie : PowerCuts.cookies(event.call())) {
        if (!event.isEnd() && !promises.by(cookie).isEmpty()) {
          answers.add(event.call());
        }
      }
    }
    return answers;
  }

  @Test
  @DisplayName("M3: what nobody flushed is durable after the commit that comes each second")
  void theCommitOfEachSecondIsDurable() throws IOException {
    Path log = directory.resolve("trace");
    List<SystemCalls.Event> events;
    try (Server server = start(log, "--no-hydration")) {
      try (PromisingClient client = client(0)) {
        client.write(5 * REGION_GRANULES + 1, 2, 0);
        // Its data, the metadata's blocks, the superblock: three syncs after the write.
        Trace.of(log).await(() -> syncsAfterTheLastAnswer(log) >= 3);
      }
      server.kill();
      events = Trace.of(log).toTheEnd(server);
    }
    assertThat(cuts().check(events, true)).isPositive();
    for (SystemCalls.Call call : syncsWhileServed(events)) {
      assertThat(cuts().loses(SystemCalls.without(events, call))).as("without " + call).isTrue();
    }
  }

  private long syncsAfterTheLastAnswer(Path log) {
    try {
      return syncsWhileServed(SystemCalls.read(log)).size();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void nothingPromisedIsLostUnderTheLoadOfSeveralConnectionsWhileItHydrates() throws Exception {
    Path log = directory.resolve("trace");
    List<SystemCalls.Event> events;
    int users = 3;
    try (Server server = start(log, "--rate", "256KiB");
        ExecutorService threads = Executors.newFixedThreadPool(users)) {
      List<Future<?>> ends = new ArrayList<>();
      for (int user = 0; user < users; user++) {
        int number = user;
        ends.add(threads.submit(() -> load(number, users)));
      }
      for (Future<?> end : ends) {
        end.get();
      }
      server.stop();
      events = Trace.of(log).toTheEnd(server);
    }
    try {
      assertThat(cuts().check(events, true)).isGreaterThan(2_000);
    } catch (AssertionError e) {
      throw new AssertionError("the trace tells: " + Trace.of(log).keep(), e);
    }
  }

  /** Each user has a part of the device, so that changes of one granule have an order. */
  private Void load(int user, int users) throws IOException {
    Random random = new Random(seed * 31 + user);
    int part = GRANULES / users;
    try (PromisingClient client = client(user)) {
      for (int i = 0; i < 60; i++) {
        int count = 1 + random.nextInt(3 * REGION_GRANULES);
        int first = user * part + random.nextInt(part - count);
        int fua = random.nextInt(6) == 0 ? Nbd.CMD_FLAG_FUA : 0;
        int dice = random.nextInt(10);
        int firstWhole = Math.ceilDiv(first, REGION_GRANULES) * REGION_GRANULES;
        int whole = (first + count) / REGION_GRANULES * REGION_GRANULES - firstWhole;
        if (dice < 6) {
          client.write(first, count, fua);
        } else if (dice < 7) {
          client.zero(Nbd.CMD_WRITE_ZEROES, fua, first, count);
        } else if (dice < 8 && whole > 0) {
          client.zero(Nbd.CMD_TRIM, fua, firstWhole, whole);
        } else {
          client.flush();
        }
      }
    }
    return null;
  }

  /**
   * What an earlier run had made when it was killed between making a file and syncing its
   * directory: the page cache has the names, the disk does not.
   */
  @Test
  void namesThatAnInterruptedCreationLeftAreDurableBeforeAnythingIsPromised() throws IOException {
    Images.sparse(destination(), SIZE_BYTES);
    Images.sparse(Path.of(destination() + ".meta"), METADATA_BYTES);
    Path log = directory.resolve("trace");
    List<SystemCalls.Event> events;
    try (Server server = start(log, "--no-hydration")) {
      try (PromisingClient client = client(0)) {
        client.write(0, 3, Nbd.CMD_FLAG_FUA);
      }
      assertThat(server.stop()).isZero();
      events = Trace.of(log).toTheEnd(server);
    }
    assertThat(cuts().leftOver().check(events, true)).isPositive();
  }
}
