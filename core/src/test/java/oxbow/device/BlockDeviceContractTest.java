package oxbow.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Flags;
import oxbow.block.Operation;

/**
 * Aim: every device keeps the promises of {@link BlockDevice}. Method: each implementation supplies
 * a fresh device of zeros; all tests see only the interface. Offsets are multiples of the device's
 * block size.
 */
public abstract class BlockDeviceContractTest {
  private static final int SIZE_BYTES = 4 << 20;

  private BlockDevice device;
  private int blockBytes;

  /** A writable device of that size whose bytes are zeros. */
  protected abstract BlockDevice open(long sizeBytes) throws IOException;

  /** False for devices that forget what is written. */
  protected boolean keepsWrites() {
    return true;
  }

  @BeforeEach
  void openDevice() throws IOException {
    device = open(SIZE_BYTES);
    blockBytes = device.limits().blockSizeBytes();
  }

  @AfterEach
  void closeDevice() throws IOException {
    if (device != null) { // Null when the test was skipped before there was one.
      device.close();
    }
  }

  private byte[] pattern(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** What a read gives after these bytes were written. */
  private byte[] kept(byte[] written) {
    return keepsWrites() ? written : new byte[written.length];
  }

  private int aligned(int bytes) {
    return bytes & -blockBytes;
  }

  @Test
  void aFreshDeviceHasItsSizeAndReadsAsZeros() {
    assertThat(device.sizeBytes()).isEqualTo(SIZE_BYTES);
    assertThat(Requests.read(device, 0, SIZE_BYTES)).containsOnly(0);
  }

  @Test
  void readsGiveWhatWasWrittenAtAnyAlignment() {
    int[] edges = {0, 1, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 1 << 20, SIZE_BYTES - 1};
    for (int edge : edges) {
      for (int length : new int[] {1, 512, 4096, 5000, 70_000}) {
        int at = aligned(edge);
        int count = aligned(Math.min(length + blockBytes - 1, SIZE_BYTES - at));
        byte[] bytes = pattern(at + length, count);
        Requests.write(device, at, bytes);
        assertThat(Requests.read(device, at, count)).isEqualTo(kept(bytes));
      }
    }
  }

  @Test
  void theWholeDeviceIsWrittenAndReadInOneRequest() {
    byte[] bytes = pattern(1, SIZE_BYTES);
    Requests.write(device, 0, bytes);
    assertThat(Requests.read(device, 0, SIZE_BYTES)).isEqualTo(kept(bytes));
  }

  @Test
  void requestsWithoutLengthSucceed() {
    Operation[] dataless = {
      Operation.FLUSH, Operation.DISCARD, Operation.WRITE_ZEROES, Operation.CACHE
    };
    for (Operation operation : dataless) {
      int errno = Requests.run(device, operation, 0, 0, 0);
      assertThat(errno).as("%s", operation).isIn(Errno.OK, Errno.ENOTSUP);
    }
    assertThat(Requests.tryRead(device, 0, 0, 0)).isEqualTo(Errno.OK);
    assertThat(Requests.write(device, SIZE_BYTES, new byte[0], 0)).isEqualTo(Errno.OK);
  }

  @Test
  void dataMovesToAndFromTheMiddleOfABufferAndTouchesNothingElseOfIt() {
    byte[] bytes = pattern(2, 8192);
    Requests.write(device, 8192, bytes);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(16_384, 4096).fill((byte) 7);
      BlockRequest request = new BlockRequest();
      CountDownLatch done = new CountDownLatch(1);
      device.submit(
          request.data(
              Operation.READ, 8192, buffer, 4096, 8192, 0, (ended, errno) -> done.countDown()));
      awaitZero(done);
      assertThat(buffer.asSlice(0, 4096).toArray(ValueLayout.JAVA_BYTE)).containsOnly(7);
      assertThat(buffer.asSlice(4096, 8192).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(kept(bytes));
      assertThat(buffer.asSlice(12_288, 4096).toArray(ValueLayout.JAVA_BYTE)).containsOnly(7);
    }
  }

  private static void awaitZero(CountDownLatch latch) {
    try {
      assertThat(latch.await(Requests.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void writeZeroesClearsItsRangeAndNothingElse() {
    for (int flags : new int[] {0, Flags.NO_HOLE, Flags.FUA, Flags.NO_HOLE | Flags.FUA}) {
      byte[] bytes = pattern(3, 1 << 20);
      Requests.write(device, 0, bytes);
      int start = aligned(12_345 + blockBytes);
      int end = aligned(777_777);
      assertThat(Requests.run(device, Operation.WRITE_ZEROES, start, end - start, flags))
          .isEqualTo(Errno.OK);
      Arrays.fill(bytes, start, end, (byte) 0);
      assertThat(Requests.read(device, 0, bytes.length)).isEqualTo(kept(bytes));
    }
  }

  @Test
  void fastZeroingWorksOrIsRefusedAndThenChangesNothing() {
    byte[] bytes = pattern(4, 1 << 20);
    Requests.write(device, 0, bytes);
    int errno = Requests.run(device, Operation.WRITE_ZEROES, 8192, 65_536, Flags.FAST_ZERO);
    assertThat(errno).isIn(Errno.OK, Errno.ENOTSUP);
    if (errno == Errno.OK) {
      Arrays.fill(bytes, 8192, 8192 + 65_536, (byte) 0);
    }
    assertThat(Requests.read(device, 0, bytes.length)).isEqualTo(kept(bytes));
  }

  @Test
  void discardLeavesTheRestAloneAndReadsAsZerosWhereTheDeviceSaysSoOrIsRefused() {
    byte[] bytes = pattern(5, 1 << 20);
    Requests.write(device, 0, bytes);
    int start = aligned(100_000);
    int end = aligned(900_000);
    int errno = Requests.run(device, Operation.DISCARD, start, end - start, 0);
    byte[] read = Requests.read(device, 0, bytes.length);
    byte[] expected = kept(bytes);
    if (!device.limits().canDiscard()) {
      assertThat(errno).isEqualTo(Errno.ENOTSUP);
    } else {
      assertThat(errno).isEqualTo(Errno.OK);
      if (device.limits().discardReadsZeros()) {
        Arrays.fill(expected, start, end, (byte) 0);
      } else {
        System.arraycopy(read, start, expected, start, end - start);
      }
    }
    assertThat(read).isEqualTo(expected);
  }

  @Test
  void flushAndForcedUnitAccessSucceed() {
    byte[] bytes = pattern(6, 4096);
    assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    assertThat(Requests.write(device, 4096, bytes, Flags.FUA)).isEqualTo(Errno.OK);
    assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    assertThat(Requests.read(device, 4096, 4096)).isEqualTo(kept(bytes));
  }

  @Test
  void bulkRequestsSeeTheSameBytesAsOrdinaryOnes() {
    byte[] bytes = pattern(7, 1 << 20);
    Requests.write(device, 0, bytes);
    assertThat(Requests.read(device, 0, bytes.length, Flags.BULK)).isEqualTo(kept(bytes));
    byte[] odd = pattern(8, aligned(300_001 + blockBytes));
    assertThat(Requests.write(device, 65_536, odd, Flags.BULK)).isEqualTo(Errno.OK);
    assertThat(Requests.read(device, 65_536, odd.length)).isEqualTo(kept(odd));
    byte[] end = pattern(9, 100_000);
    int at = aligned(SIZE_BYTES - end.length);
    byte[] tail = Arrays.copyOf(end, SIZE_BYTES - at);
    assertThat(Requests.write(device, at, tail, Flags.BULK)).isEqualTo(Errno.OK);
    assertThat(Requests.read(device, at, tail.length, Flags.BULK)).isEqualTo(kept(tail));
  }

  @Test
  void cachingARangeKeepsItsContents() {
    byte[] bytes = pattern(10, 1 << 20);
    Requests.write(device, 0, bytes);
    assertThat(Requests.run(device, Operation.CACHE, 0, 1 << 20, 0)).isIn(Errno.OK, Errno.ENOTSUP);
    assertThat(Requests.read(device, 0, bytes.length)).isEqualTo(kept(bytes));
  }

  @Test
  void aReadThatDoesNotWaitGivesTheBytesOrSaysThatItWouldWait() {
    byte[] bytes = pattern(11, 65_536);
    Requests.write(device, 131_072, bytes);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(65_536);
      int errno = device.readNow(131_072, buffer, 0, 65_536);
      assertThat(errno).isIn(Errno.OK, Errno.EAGAIN);
      if (errno == Errno.OK) {
        assertThat(buffer.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(kept(bytes));
      }
    }
  }

  @Test
  void aWriteThatDoesNotWaitIsDoneOrNotAtAll() {
    byte[] before = pattern(12, 16_384);
    byte[] after = pattern(13, 16_384);
    Requests.write(device, 0, before);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(16_384);
      MemorySegment.copy(after, 0, buffer, ValueLayout.JAVA_BYTE, 0, after.length);
      for (int length : new int[] {4096, aligned(5000), 16_384}) {
        int errno = device.writeNow(0, buffer, 0, length);
        assertThat(errno).isIn(Errno.OK, Errno.EAGAIN);
        if (errno == Errno.OK) {
          System.arraycopy(after, 0, before, 0, length);
        }
        assertThat(Requests.read(device, 0, 16_384)).isEqualTo(kept(before));
      }
    }
  }

  @Test
  void extentsCoverTheirRangeFromItsStartAndAreZeroOnlyWhereReadsAre() {
    Requests.write(device, 1 << 20, pattern(14, 1 << 20));
    Requests.write(device, (3 << 20) + 65_536, pattern(15, 65_536));
    long start = aligned(300_000);
    List<Requests.Extent> extents = Requests.extents(device, start, SIZE_BYTES - start, 1000);
    assertThat(extents).isNotEmpty();
    long end = start;
    for (Requests.Extent extent : extents) {
      assertThat(extent.lengthBytes()).isPositive();
      end += extent.lengthBytes();
      if (extent.isZero()) {
        byte[] bytes =
            Requests.read(device, extent.offsetBytes(), Math.toIntExact(extent.lengthBytes()));
        assertThat(bytes).containsOnly(0);
      }
    }
    assertThat(end).isLessThanOrEqualTo(SIZE_BYTES);
  }

  @Test
  void noMoreExtentsAreReportedThanAskedFor() {
    for (int i = 0; i < 4; i++) {
      Requests.write(device, i * (1L << 20), pattern(i, 65_536));
    }
    for (int max = 1; max <= 4; max++) {
      assertThat(Requests.extents(device, 0, SIZE_BYTES, max)).hasSizeBetween(1, max);
    }
  }

  @Test
  void requestsFromManyThreadsEachCompleteExactlyOnce() throws InterruptedException {
    int threads = 4;
    int perThread = 64;
    int length = 16_384;
    AtomicIntegerArray completions = new AtomicIntegerArray(threads * perThread);
    CountDownLatch left = new CountDownLatch(threads * perThread);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate((long) threads * perThread * length, 4096);
      MemorySegment.copy(pattern(16, SIZE_BYTES), 0, data, ValueLayout.JAVA_BYTE, 0, SIZE_BYTES);
      Thread[] issuers = new Thread[threads];
      for (int t = 0; t < threads; t++) {
        int first = t * perThread;
        issuers[t] =
            new Thread(
                () -> {
                  for (int i = first; i < first + perThread; i++) {
                    int index = i;
                    long at = (long) index * length;
                    device.submit(
                        new BlockRequest()
                            .data(
                                Operation.WRITE,
                                at,
                                data,
                                at,
                                length,
                                index % 16 == 0 ? Flags.FUA : index % 3 == 0 ? Flags.BULK : 0,
                                (request, errno) -> {
                                  completions.addAndGet(index, errno == Errno.OK ? 1 : 1000);
                                  left.countDown();
                                }));
                  }
                });
        issuers[t].start();
      }
      for (Thread issuer : issuers) {
        issuer.join();
      }
      awaitZero(left);
    }
    for (int i = 0; i < completions.length(); i++) {
      assertThat(completions.get(i)).as("request %d", i).isEqualTo(1);
    }
    assertThat(Requests.read(device, 0, SIZE_BYTES)).isEqualTo(kept(pattern(16, SIZE_BYTES)));
  }

  @Test
  void randomOperationsAgreeWithAnArrayOfBytes() {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    Random random = new Random(seed);
    byte[] model = new byte[SIZE_BYTES];
    try {
      for (int step = 0; step < 400; step++) {
        randomStep(random, model);
      }
      assertThat(Requests.read(device, 0, SIZE_BYTES)).isEqualTo(kept(model));
    } catch (AssertionError e) {
      String test = getClass().getSimpleName();
      throw new AssertionError(
          "reproduce with: mvn test -Dtest=" + test + " -Doxbow.seed=" + seed, e);
    }
  }

  private void randomStep(Random random, byte[] model) {
    int at = aligned(random.nextInt(SIZE_BYTES));
    int length = aligned(Math.min(1 + random.nextInt(200_000), SIZE_BYTES - at));
    int flags = random.nextInt(8) == 0 ? Flags.BULK : random.nextInt(16) == 0 ? Flags.FUA : 0;
    switch (random.nextInt(5)) {
      case 0, 1 -> {
        byte[] bytes = pattern(random.nextInt(), length);
        assertThat(Requests.write(device, at, bytes, flags)).isEqualTo(Errno.OK);
        System.arraycopy(bytes, 0, model, at, length);
      }
      case 2 -> {
        int keep = random.nextBoolean() ? Flags.NO_HOLE : 0;
        assertThat(Requests.run(device, Operation.WRITE_ZEROES, at, length, flags | keep))
            .isEqualTo(Errno.OK);
        Arrays.fill(model, at, at + length, (byte) 0);
      }
      case 3 -> {
        if (device.limits().discardReadsZeros()) {
          assertThat(Requests.run(device, Operation.DISCARD, at, length, 0)).isEqualTo(Errno.OK);
          Arrays.fill(model, at, at + length, (byte) 0);
        }
      }
      default ->
          assertThat(Requests.read(device, at, length, flags & Flags.BULK))
              .isEqualTo(kept(Arrays.copyOfRange(model, at, at + length)));
    }
  }

  @Test
  void holeWithoutZeroIsNeverReportedByADeviceOfZeros() {
    for (Requests.Extent extent : Requests.extents(device, 0, SIZE_BYTES, 1000)) {
      boolean isHole = (extent.state() & Extents.HOLE) != 0;
      assertThat(!isHole || extent.isZero()).as("O6: a hole of a fresh device is zeros").isTrue();
    }
  }
}
