package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.device.zero.ZeroDevice;
import oxbow.target.TargetException;
import oxbow.target.clone.CloneOptions;

/**
 * Aim: copies and merges move the right bytes with bounded memory and a bounded stack, and give
 * back what they take. Method: clones over devices that end at once, late, on other threads or not.
 */
class TransferTest {
  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;

  /** So little stack that a chain of calls, one for each of a few hundred steps, does not fit. */
  private static final long SMALL_STACK_BYTES = 160 * KIB;

  /** A zeroing of the first bytes of so many regions, each a request of its own. */
  private static List<CompletableFuture<Integer>> startMerges(
      BlockDevice device, int count, long regionBytes) {
    List<CompletableFuture<Integer>> merges = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      CompletableFuture<Integer> done = new CompletableFuture<>();
      device.submit(
          new BlockRequest()
              .range(
                  Operation.WRITE_ZEROES,
                  i * regionBytes + 1,
                  10,
                  0,
                  (request, errno) -> done.complete(errno)));
      merges.add(done);
    }
    return merges;
  }

  private static void expectAll(List<CompletableFuture<Integer>> requests, int errno) {
    for (CompletableFuture<Integer> request : requests) {
      assertThat(Requests.await(request)).isEqualTo(errno);
    }
  }

  /** Runs it on a thread with a small stack; what it throws is thrown here. */
  private static void onASmallStack(ThrowingRunnable body) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    Runnable task =
        () -> {
          try {
            body.run();
            result.complete(null);
          } catch (Throwable e) {
            result.completeExceptionally(e);
          }
        };
    new Thread(null, task, "small stack", SMALL_STACK_BYTES).start();
    Requests.await(result);
  }

  /** What a test does. */
  private interface ThrowingRunnable {
    void run() throws Exception;
  }

  @Test
  @DisplayName("O2: 1 GiB in pieces of 1 MiB over devices that end at once needs no deep stack")
  void aGibibyteOverInlineDevicesNeedsNoDeepStack() {
    ZeroDevice source = new ZeroDevice(1L << 30);
    ShapedDevice destination = ShapedDevice.inline(new ZeroDevice(1L << 30));
    onASmallStack(
        () -> {
          try (TestClone clone = new TestClone(source, destination, "2097152 1 no_hydration")) {
            assertThat(Requests.run(clone.device, Operation.WRITE_ZEROES, 5, 7, 0))
                .isEqualTo(Errno.OK);
            assertThat(clone.hydrated()).isEqualTo("1/1");
          }
        });
    assertThat(destination.log().stream().filter(line -> line.startsWith("WRITE ")).count())
        .isEqualTo(1024);
  }

  @Test
  @DisplayName("H3: thousands of copies over devices that end at once need no deep stack")
  void thousandsOfCopiesOverInlineDevicesNeedNoDeepStack() {
    MemDevice source = TestClone.random(16 * MIB, 1);
    MemDevice destination = TestClone.random(16 * MIB, 2);
    onASmallStack(
        () -> {
          try (TestClone clone =
              new TestClone(source, destination, "8 0 2 hydration_threshold 4096")) {
            clone.hydrate();
          }
        });
    assertThat(Requests.read(destination, 0, 16 * MIB))
        .isEqualTo(Requests.read(source, 0, 16 * MIB));
  }

  @Test
  @DisplayName("O2: more large copies than there are buffers wait, and one stack serves them all")
  void copiesThatWaitForBuffersNeedNoDeepStack() {
    int regions = 400;
    long region = 2L * MIB;
    ShapedDevice source = ShapedDevice.submitOnly(new ZeroDevice(regions * region));
    ZeroDevice destination = new ZeroDevice(regions * region);
    onASmallStack(
        () -> {
          try (TestClone clone = new TestClone(source, destination, "4096 1 no_hydration")) {
            source.hold();
            List<CompletableFuture<Integer>> writes = startMerges(clone.device, regions, region);
            assertThat(source.heldCount()).as("bounded by the buffers").isLessThan(regions);
            source.release();
            expectAll(writes, Errno.OK);
            assertThat(clone.hydrated()).isEqualTo(regions + "/" + regions);
          }
        });
  }

  @Test
  @DisplayName("O2: more merges than there are buffers wait for them, and all buffers come back")
  void mergesThatWaitForBuffersGiveThemBack() throws Exception {
    int count = 300;
    for (int region : new int[] {64 * KIB, MIB}) {
      MemDevice memory = new MemDevice((long) count * region);
      Requests.write(memory, 0, filled(count * 8 * KIB));
      ShapedDevice source = ShapedDevice.submitOnly(memory);
      byte[] before = Requests.read(memory, 0, 64 * KIB);
      MemDevice destination = new MemDevice((long) count * region);
      try (TestClone clone = new TestClone(source, destination, region / 512 + " 1 no_hydration")) {
        source.hold();
        List<CompletableFuture<Integer>> merges = startMerges(clone.device, count, region);
        int atOnce = source.heldCount();
        assertThat(atOnce).isBetween(1, count - 1);
        while (source.releaseOne()) {
          assertThat(source.heldCount()).isLessThanOrEqualTo(atOnce);
        }
        expectAll(merges, Errno.OK);
        Arrays.fill(before, 1, 11, (byte) 0);
        assertThat(Requests.read(clone.device, 0, 64 * KIB)).isEqualTo(before);
        assertThat(clone.hydrated()).isEqualTo(count + "/" + count);
      }
    }
  }

  private static byte[] filled(int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 5);
    return bytes;
  }

  @Test
  @DisplayName("W6: merges and copies that fail give their buffers back as well")
  void failedMergesAndCopiesGiveTheirBuffersBack() throws Exception {
    int region = MIB;
    int count = 100;
    ShapedDevice source = ShapedDevice.submitOnly(new ZeroDevice((long) count * region));
    ShapedDevice destination = ShapedDevice.submitOnly(new ZeroDevice((long) count * region));
    try (TestClone clone = new TestClone(source, destination, region / 512 + " 1 no_hydration")) {
      source.failWhen(request -> request.operation() == Operation.READ);
      expectAll(startMerges(clone.device, count, region), Errno.EIO);
      assertThat(Requests.run(clone.device, Operation.CACHE, 0, count * (long) region, 0))
          .isEqualTo(Errno.EIO);
      source.failWhen(request -> false);
      destination.failWhen(request -> request.operation() == Operation.WRITE);
      expectAll(startMerges(clone.device, count, region), Errno.EIO);
      destination.failWhen(request -> false);
      source.hold();
      List<CompletableFuture<Integer>> merges = startMerges(clone.device, count, region);
      assertThat(source.heldCount()).as("as many as ever").isGreaterThanOrEqualTo(32);
      source.release();
      expectAll(merges, Errno.OK);
    }
  }

  @Test
  @DisplayName("O2: copies, merges and waits for buffers on many threads move the right bytes")
  void copiesAndMergesOnManyThreadsMoveTheRightBytes() throws Exception {
    int region = 128 * KIB;
    int count = 256;
    MemDevice source = TestClone.random((long) count * region, 3);
    byte[] expected = Requests.read(source, 0, count * region);
    try (ExecutorService threads = Executors.newFixedThreadPool(3);
        TestClone clone =
            new TestClone(
                ShapedDevice.elsewhere(source, threads),
                ShapedDevice.elsewhere(TestClone.random((long) count * region, 4), threads),
                new MemDevice(4 * MIB),
                region / 512 + " 0 4 hydration_threshold 64 hydration_batch_size 3",
                CloneOptions.TABLE,
                threads)) {
      List<CompletableFuture<Integer>> merges = startMerges(clone.device, count, region);
      expectAll(merges, Errno.OK);
      clone.hydrate();
      for (int i = 0; i < count; i++) {
        Arrays.fill(expected, i * region + 1, i * region + 11, (byte) 0);
      }
      assertThat(Requests.read(clone.device, 0, count * region)).isEqualTo(expected);
    }
  }

  @Test
  @DisplayName("O6: only runs of data are written where the destination is known to hold zeros")
  void onlyRunsOfDataAreWrittenToAPristineDestination() throws TargetException, IOException {
    // One extent of data, as the source tells it, with zeros inside.
    MemDevice memory = new MemDevice(64 * KIB);
    Requests.write(memory, 4 * KIB, filled(4 * KIB));
    Requests.write(memory, 20 * KIB + 100, filled(10 * KIB));
    ShapedDevice destination = ShapedDevice.inline(new MemDevice(64 * KIB));
    CloneOptions pristine = new CloneOptions(false, 0, 10, true, 64);
    try (TestClone clone =
        new TestClone(
            memory, destination, new MemDevice(4 * MIB), "128", pristine, Runnable::run)) {
      clone.hydrate();
      assertThat(destination.log().stream().filter(line -> line.startsWith("WRITE")))
          .containsExactly("WRITE 4096+4096", "WRITE 20480+12288");
      assertThat(Requests.read(clone.device, 0, 64 * KIB))
          .isEqualTo(Requests.read(memory, 0, 64 * KIB));
    }
  }
}
