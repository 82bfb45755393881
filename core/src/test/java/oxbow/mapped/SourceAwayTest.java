package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.MessageException;
import oxbow.target.clone.CloneOptions;

/**
 * Aim: a source that goes away and comes back costs nobody wrong data; whether requests wait or
 * fail meanwhile is the user's choice, which can be changed. Method: a source that goes when the
 * test says so, under three clients, each of which knows what it must read.
 */
class SourceAwayTest {
  private static final int REGION = 4096;
  private static final int CLIENTS = 3;

  /** Not a multiple of a region: clients share regions. */
  private static final int LANE_BYTES = 200 * REGION + 1024;

  private static final int SIZE = CLIENTS * LANE_BYTES;
  private static final int REQUESTS = 1500;
  private static final String TAIL = "8 1 no_hydration";

  private final MemDevice sourceMemory = TestClone.random(SIZE, 1);
  private final ShapedDevice source = ShapedDevice.submitOnly(sourceMemory);
  private final MemDevice destination = TestClone.random(SIZE, 2);

  private static CompletableFuture<Integer> zero(MappedDevice device, long at) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .range(Operation.WRITE_ZEROES, at, 9, 0, (request, errno) -> done.complete(errno)));
    return done;
  }

  @Test
  void aLimitChangedWhileRequestsAreHeldReleasesThem() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      String well = clone.device.status(true);
      assertThat(well).endsWith(" rw");
      source.goAway("Connection refused");
      CompletableFuture<Integer> held = zero(clone.device, 1);
      clone.timers.fire();
      assertThat(held).isNotDone();
      assertThat(clone.device.status(true))
          .startsWith(well.replace(" 0 1 no_hydration", " 1 1 no_hydration") + " source_away ")
          .endsWith("s held 1");
      assertThat(clone.events).hasSize(1).first().asString().contains("(Connection refused)");

      clone.device.message(List.of("source_hold", "fail"));
      assertThat(held).isCompletedWithValue(Errno.EIO);
      assertThat(zero(clone.device, 1)).isCompletedWithValue(Errno.EIO);
      clone.device.message(List.of("source_hold", "forever"));
      held = zero(clone.device, 1);
      assertThat(held).isNotDone();
      source.comeBack();
      assertThat(held).isCompletedWithValue(Errno.OK);
      clone.timers.fire();
      assertThat(clone.events).last().asString().endsWith("is back");
      assertThat(clone.device.status(true)).endsWith(" rw");
    }
  }

  /** A status that waited for the commit would never tell what is wrong. */
  @Test
  void theStatusAboveADestinationThatIsAwayIsAnswered() throws Exception {
    ShapedDevice farDestination = ShapedDevice.submitOnly(destination);
    try (TestClone clone = new TestClone(source, farDestination, TAIL)) {
      assertThat(Requests.run(clone.device, Operation.WRITE_ZEROES, 0, REGION, 0)).isZero();
      farDestination.goAway("Connection refused");
      assertThat(clone.device.status(false)).contains(" rw destination_away ");
      farDestination.comeBack();
      assertThat(clone.device.status(false)).endsWith(" rw");
      assertThat(clone.committedCount()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("O9: without a hold hydration pauses, and goes on by itself when the source is back")
  void hydrationPausesWithoutTheSourceAndGoesOn() throws Exception {
    CloneOptions options = new CloneOptions(true, 0, 10, false, 8);
    try (TestClone clone =
        new TestClone(source, destination, new MemDevice(4 << 20), TAIL, options, Runnable::run)) {
      clone.device.message(List.of("source_hold", "fail"));
      source.goAway("Connection refused");
      clone.device.message(List.of("enable_hydration"));
      tickUntil(clone, () -> clone.progress().pausedReason() != null);
      assertThat(clone.events).anyMatch(event -> event.contains("hydration paused: 8 copies"));
      source.comeBack();
      clone.hydrate();
      assertThat(clone.events).anyMatch(event -> event.contains("goes on: the source is back"));
      assertThat(Requests.read(destination, 0, SIZE))
          .isEqualTo(Requests.read(sourceMemory, 0, SIZE));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"forever", "fail"})
  void threeClientsReadNothingWrongWhileTheSourceComesAndGoes(String hold) throws Exception {
    long seed = Long.getLong("oxbow.seed", 77);
    byte[] model = Requests.read(sourceMemory, 0, SIZE);
    try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
        TestClone clone =
            new TestClone(
                source,
                destination,
                new MemDevice(4 << 20),
                TAIL,
                CloneOptions.FOREGROUND,
                Runnable::run)) {
      clone.device.message(List.of("source_hold", hold));
      List<Client> clients = new ArrayList<>();
      List<CompletableFuture<Void>> running = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Client client = new Client(clone.device, model, i, new Random(seed + i));
        clients.add(client);
        running.add(CompletableFuture.runAsync(client, threads));
      }
      boolean isHeld = hold.equals("forever");
      int absences = comeAndGo(clone, clients, running, isHeld);
      running.forEach(Requests::await);
      assertThat(absences).as("absences").isGreaterThan(3);
      int failures = clients.stream().mapToInt(client -> client.failures.get()).sum();
      assertThat(failures == 0).as("%d requests failed", failures).isEqualTo(isHeld);
      clone.device.message(List.of("enable_hydration"));
      clone.hydrate();
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.OK);
      clients.forEach(Client::checkAll);
      assertThat(Arrays.mismatch(Requests.read(destination, 0, SIZE), model)).isEqualTo(-1);
    } catch (AssertionError e) {
      throw new AssertionError(
          "reproduce with: ./mvnw test -pl core -Dtest=SourceAwayTest -Doxbow.seed=" + seed, e);
    }
  }

  /**
   * The source goes; when that is felt it comes back; when that is felt it goes again. Hydration
   * runs only while it is away: otherwise it would have everything in no time.
   */
  private int comeAndGo(
      TestClone clone, List<Client> clients, List<CompletableFuture<Void>> running, boolean isHeld)
      throws MessageException {
    int absences = 0;
    while (unfinished(running) > 0) {
      long doneBefore = done(clients);
      int failedBefore = failed(clients);
      source.goAway("gone for a test");
      clone.device.message(List.of("enable_hydration"));
      absences++;
      // One may be the background's; and of two clients one may wait for the other's region.
      tickUntil(
          clone,
          () ->
              unfinished(running) == 0
                  || (isHeld
                      ? source.heldCount() >= (unfinished(running) == CLIENTS ? 2 : 1)
                      : failed(clients) >= failedBefore + 5));
      clone.device.message(List.of("disable_hydration"));
      source.comeBack();
      tickUntil(clone, () -> unfinished(running) == 0 || done(clients) >= doneBefore + 60);
    }
    return absences;
  }

  private static void tickUntil(TestClone clone, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TestClone.TIMEOUT_NANOS;
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime())
          .as("too late: %s", clone.device.status(true))
          .isLessThan(deadline);
      clone.timers.fire();
    }
  }

  private static long unfinished(List<CompletableFuture<Void>> running) {
    return running.stream().filter(client -> !client.isDone()).count();
  }

  private static long done(List<Client> clients) {
    return clients.stream().mapToLong(client -> client.requests.get()).sum();
  }

  private static int failed(List<Client> clients) {
    return clients.stream().mapToInt(client -> client.failures.get()).sum();
  }

  /** Reads and writes a range of its own, one request at a time, and knows what it must read. */
  private static final class Client implements Runnable {
    final AtomicInteger requests = new AtomicInteger();
    final AtomicInteger failures = new AtomicInteger();
    private final MappedDevice device;
    private final byte[] model;
    private final int start;
    private final Random random;

    /** What a byte may be instead since a write to it has failed; -1 for nothing else. */
    private final short[] otherwise = new short[SIZE];

    Client(MappedDevice device, byte[] model, int index, Random random) {
      this.device = device;
      this.model = model;
      this.start = index * LANE_BYTES;
      this.random = random;
      Arrays.fill(otherwise, (short) -1);
    }

    @Override
    public void run() {
      for (int i = 0; i < REQUESTS; i++) {
        int length = 1 + random.nextInt(random.nextInt(8) == 0 ? 5 * REGION : REGION / 2);
        int at = start + random.nextInt(LANE_BYTES - length);
        if (random.nextInt(3) == 0) {
          write(at, length);
        } else {
          read(at, length);
        }
        requests.incrementAndGet();
      }
    }

    private void write(int at, int length) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      boolean isDone = Requests.write(device, at, bytes, 0) == Errno.OK;
      failures.addAndGet(isDone ? 0 : 1);
      for (int i = 0; i < length; i++) {
        if (isDone) {
          model[at + i] = bytes[i];
          otherwise[at + i] = -1;
        } else if (otherwise[at + i] < 0) {
          otherwise[at + i] = (short) (bytes[i] & 0xff);
        } else {
          // Failed twice: read before anything is said of it again.
          settle(at + i, bytes[i]);
        }
      }
    }

    /** Of a byte whose writes have failed twice nothing is known but that it is one of three. */
    private void settle(int at, byte newest) {
      byte[] found = new byte[1];
      if (tryRead(at, found)) {
        assertThat(found[0]).isIn(model[at], (byte) otherwise[at], newest);
        model[at] = found[0];
        otherwise[at] = -1;
      } else {
        otherwise[at] = -1; // Unhydrated still: so neither write has happened.
      }
    }

    private void read(int at, int length) {
      byte[] found = new byte[length];
      if (!tryRead(at, found)) {
        failures.incrementAndGet();
        return;
      }
      check(at, found);
    }

    private boolean tryRead(int at, byte[] into) {
      return Requests.tryRead(device, at, into) == Errno.OK;
    }

    private void check(int at, byte[] found) {
      for (int i = 0; i < found.length; i++) {
        boolean isOther = otherwise[at + i] >= 0 && found[i] == (byte) otherwise[at + i];
        if (found[i] != model[at + i] && !isOther) {
          throw new AssertionError(
              "byte %d is %02x, not %02x".formatted(at + i, found[i], model[at + i]));
        }
        model[at + i] = found[i];
        otherwise[at + i] = -1;
      }
    }

    void checkAll() {
      check(start, Requests.read(device, start, LANE_BYTES));
    }
  }
}
