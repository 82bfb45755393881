package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.BlockRequest;
import oxbow.block.BlockingDevice;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.engine.Engine;
import oxbow.nbd.client.NbdAddress;

/**
 * Aim: the client works with the servers that people run. Method: real nbdkit and qemu-nbd on Unix
 * sockets; contents whose right value follows from the offset.
 */
@Timeout(60)
class NbdDeviceForeignServersTest {
  private static final int MIB = 1 << 20;

  private final Path directory;
  private final Engine engine;

  NbdDeviceForeignServersTest(@TempDir Path directory) throws IOException {
    this.directory = directory;
    this.engine = TestEngine.create();
  }

  @AfterEach
  void stopEngine() {
    engine.close();
  }

  private NbdDevice open(ForeignServer server) throws IOException {
    return NbdDevice.open(server.address(), engine, NbdOptions.defaults());
  }

  /** nbdkit's pattern plugin: each 8 bytes are their own offset, big-endian. */
  private static void checkPattern(MemorySegment data, long offsetBytes, long lengthBytes) {
    ValueLayout.OfLong layout = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    for (long at = 0; at < lengthBytes; at += 8) {
      if (data.get(layout, at) != offsetBytes + at) {
        throw new AssertionError("wrong bytes at " + (offsetBytes + at));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "--no-sr", "--mask-handshake=0", "--mask-handshake=1"})
  void readsFromNbdkitOldAndNew(String option) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("pattern", "64M"));
    if (!option.isEmpty()) {
      arguments.addFirst(option);
    }
    try (ForeignServer server = ForeignServer.nbdkit(directory, arguments.toArray(String[]::new));
        NbdDevice device = open(server);
        BlockingDevice io = new BlockingDevice(device)) {
      assertThat(device.sizeBytes()).isEqualTo(64 * MIB);
      assertThat(device.limits().isReadOnly()).isTrue();
      for (int length : new int[] {8, 4096, 65536, 5 * MIB}) {
        ByteBuffer into = ByteBuffer.allocateDirect(length);
        io.read(7 * MIB, into);
        checkPattern(MemorySegment.ofBuffer(into.flip()), 7 * MIB, length);
      }
    }
  }

  @Test
  void manyRequestsInFlightFromSeveralThreadsAllComeBackRight() throws Exception {
    try (ForeignServer server = ForeignServer.nbdkit(directory, "pattern", "64M");
        NbdDevice device = open(server)) {
      readFromThreads(device, 4, 40, 2000);
    }
  }

  /** Each thread keeps some reads in flight, of mixed lengths, until it has done its number. */
  static void readFromThreads(NbdDevice device, int threads, int depth, int readsPerThread)
      throws Exception {
    Queue<AssertionError> failures = new ConcurrentLinkedQueue<>();
    CountDownLatch allDone = new CountDownLatch(threads * depth);
    List<Thread> running = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      for (int t = 0; t < threads; t++) {
        int seed = t;
        running.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      for (int slot = 0; slot < depth; slot++) {
                        new PatternReader(
                                device,
                                arena.allocate(MIB),
                                readsPerThread / depth,
                                seed * 1000 + slot,
                                failures,
                                allDone)
                            .start();
                      }
                    }));
      }
      for (Thread thread : running) {
        thread.join();
      }
      assertThat(allDone.await(50, TimeUnit.SECONDS)).isTrue();
      assertThat(failures).isEmpty();
    }
  }

  /** Reads at one place after another; the next read begins in the completion of the former. */
  private static final class PatternReader {
    private static final int[] LENGTHS = {8, 512, 4096, 40_000, 65536, 262_144, MIB};

    private final NbdDevice device;
    private final MemorySegment buffer;
    private final Queue<AssertionError> failures;
    private final CountDownLatch done;
    private final BlockRequest request = new BlockRequest();
    private final Random random;
    private int left;

    PatternReader(
        NbdDevice device,
        MemorySegment buffer,
        int reads,
        int seed,
        Queue<AssertionError> failures,
        CountDownLatch done) {
      this.device = device;
      this.buffer = buffer;
      this.left = reads;
      this.random = new Random(seed);
      this.failures = failures;
      this.done = done;
    }

    void start() {
      int length = LENGTHS[random.nextInt(LENGTHS.length)];
      long offset = random.nextLong(device.sizeBytes() - length) & -8L;
      device.submit(request.data(Operation.READ, offset, buffer, 0, length, 0, this::completed));
    }

    private void completed(BlockRequest ended, int errno) {
      try {
        assertThat(errno).isEqualTo(Errno.OK);
        checkPattern(buffer, ended.offsetBytes(), ended.lengthBytes());
      } catch (AssertionError wrong) {
        failures.add(wrong);
      }
      if (--left > 0) {
        start();
      } else {
        done.countDown();
      }
    }
  }

  @Test
  void readsSurviveTheServersDeath() throws Exception {
    try (ForeignServer server =
            ForeignServer.nbdkit(directory, "--filter=delay", "pattern", "64M", "rdelay=2ms");
        NbdDevice device =
            NbdDevice.open(
                server.address(),
                engine,
                NbdOptions.defaults().withDelaysNanos(1_000_000, 50_000_000))) {
      CompletableFuture<Void> reads =
          CompletableFuture.runAsync(
              () -> {
                try {
                  readFromThreads(device, 2, 40, 4000);
                } catch (Exception e) {
                  throw new AssertionError(e);
                }
              },
              engine.blocking());
      for (int i = 0; i < 3; i++) {
        // Some reads must have come back since the last restart, or nothing was tried.
        CountDownLatch probe = new CountDownLatch(1);
        Queue<AssertionError> failures = new ConcurrentLinkedQueue<>();
        new PatternReader(device, Arena.ofAuto().allocate(MIB), 20, i, failures, probe).start();
        assertThat(probe.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(failures).isEmpty();
        server.kill();
        server.startAgain();
      }
      reads.get(50, TimeUnit.SECONDS);
      assertThat(device.state().lastError()).isNotEmpty();
      assertThat(device.state().phase()).isEqualTo(NbdState.Phase.CONNECTED);
    }
  }

  @Test
  void manyReadsInFlightAtASlowServerComeBackRight() throws Exception {
    try (ForeignServer server =
            ForeignServer.nbdkit(directory, "--filter=delay", "pattern", "64M", "rdelay=5ms");
        NbdDevice device = open(server)) {
      readFromThreads(device, 2, 64, 1280);
    }
  }

  @Test
  void writesFlushesZeroesAndDiscardsReachAFile() throws Exception {
    Path image = Files.createFile(directory.resolve("image"));
    try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {1}), 8 * MIB - 1);
    }
    try (ForeignServer server = ForeignServer.nbdkit(directory, "file", image.toString());
        NbdDevice device = open(server)) {
      assertThat(device.limits().canDiscard()).isTrue();
      Exerciser io = new Exerciser(device);
      io.fill(0, 3 * MIB, (byte) 7, 0);
      io.fill(3 * MIB, 100, (byte) 8, Flags.FUA);
      io.run(Operation.FLUSH, 0, 0, 0);
      io.run(Operation.WRITE_ZEROES, MIB, MIB, Flags.FUA);
      io.run(Operation.DISCARD, 2 * MIB, 4096, 0);
      io.run(Operation.FLUSH, 0, 0, 0);

      byte[] bytes = Files.readAllBytes(image);
      assertThat(bytes[0]).isEqualTo((byte) 7);
      assertThat(bytes[MIB - 1]).isEqualTo((byte) 7);
      assertThat(bytes[MIB]).isZero();
      assertThat(bytes[2 * MIB - 1]).isZero();
      assertThat(bytes[2 * MIB + 4096]).isEqualTo((byte) 7);
      assertThat(bytes[3 * MIB + 99]).isEqualTo((byte) 8);
      assertThat(bytes[8 * MIB - 1]).isEqualTo((byte) 1);
    }
  }

  @Test
  void qemuNbdServesReadsWritesAndExtents() throws Exception {
    Path image = directory.resolve("image");
    try (FileChannel channel =
        FileChannel.open(image, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      channel.write(ByteBuffer.wrap(new byte[] {1}), 16 * MIB - 1);
    }
    try (ForeignServer server =
            ForeignServer.qemuNbd(
                directory, "disk", "--format=raw", "--discard=unmap", image.toString());
        NbdDevice device = open(server)) {
      assertThat(device.sizeBytes()).isEqualTo(16 * MIB);
      Exerciser io = new Exerciser(device);
      io.fill(4 * MIB, MIB, (byte) 5, 0);
      io.run(Operation.FLUSH, 0, 0, 0);

      List<String> extents = io.extents(0, 16 * MIB);
      assertThat(extents)
          .containsExactly("4194304 3", "1048576 0", (11 * MIB - 4096) + " 3", "4096 0");
      assertThat(io.read(5 * MIB - 4, 8)).containsExactly(5, 5, 5, 5, 0, 0, 0, 0);
      assertThatThrownBy(() -> io.run(Operation.READ, 16 * MIB - 4, 8, 0))
          .hasMessageContaining("Invalid argument");
    }
  }

  @Test
  void sparseMemoryTellsItsHolesAndTheQuestionMayBeUnaligned() throws Exception {
    try (ForeignServer server = ForeignServer.nbdkit(directory, "memory", "16T");
        NbdDevice device = open(server)) {
      Exerciser io = new Exerciser(device);
      long tib = 1L << 40;
      io.fill(3 * tib, 65536, (byte) 9, 0);

      assertThat(io.extents(3 * tib - 100, 200)).containsExactly("100 3", "100 0");
      assertThat(io.extents(3 * tib + 65536, 8 * tib).getFirst()).endsWith(" 3");
      assertThat(device.limits().hasVolatileCache()).isTrue();
    }
  }

  @Test
  void aServerWithALargeMinimumBlockIsReadAtAnyOffset() throws Exception {
    try (ForeignServer server =
            ForeignServer.nbdkit(
                directory,
                "--filter=blocksize-policy",
                "pattern",
                "4M",
                "blocksize-minimum=4096",
                "blocksize-preferred=4096",
                "blocksize-maximum=64k",
                "blocksize-error-policy=error");
        NbdDevice device = open(server)) {
      assertThat(device.limits().blockSizeBytes()).isEqualTo(4096);
      Exerciser io = new Exerciser(device);
      for (int[] range :
          new int[][] {{8, 8}, {4088, 16}, {8, 300_000}, {4096, 4104}, {65528, 65544}}) {
        MemorySegment data = MemorySegment.ofArray(io.read(range[0], range[1]));
        checkPattern(data, range[0], range[1]);
      }
    }
  }

  @Test
  void openingSaysInOneLineWhatIsWrong() throws Exception {
    Path image = Files.write(directory.resolve("image"), new byte[4096]);
    try (ForeignServer server =
        ForeignServer.qemuNbd(directory, "disk", "--format=raw", image.toString())) {
      String socket = server.address().socketPath();
      assertThatThrownBy(() -> open(socket, "other"))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("nbd+unix:///other?socket=" + socket + ": ")
          .hasMessageContaining("the server has no export \"other\"");
      assertThatThrownBy(() -> open(socket + ".gone", "disk"))
          .hasMessageContaining("cannot connect: ");
    }
    try (ForeignServer oldstyle = ForeignServer.nbdkit(directory, "--oldstyle", "memory", "1M")) {
      assertThatThrownBy(() -> open(oldstyle)).hasMessageContaining("too old");
    }
  }

  private NbdDevice open(String socket, String exportName) throws IOException {
    return NbdDevice.open(NbdAddress.unix(socket, exportName), engine, NbdOptions.defaults());
  }

  /** Blocking steps that a test makes one after another. */
  private static final class Exerciser {
    private final NbdDevice device;
    private final MemorySegment buffer = Arena.ofAuto().allocate(4 * MIB);

    Exerciser(NbdDevice device) {
      this.device = device;
    }

    void fill(long offsetBytes, int lengthBytes, byte value, int flags) throws Exception {
      buffer.asSlice(0, lengthBytes).fill(value);
      run(Operation.WRITE, offsetBytes, lengthBytes, flags);
    }

    byte[] read(long offsetBytes, int lengthBytes) throws Exception {
      run(Operation.READ, offsetBytes, lengthBytes, 0);
      return buffer.asSlice(0, lengthBytes).toArray(ValueLayout.JAVA_BYTE);
    }

    void run(Operation operation, long offsetBytes, long lengthBytes, int flags) throws Exception {
      AtomicInteger result = new AtomicInteger();
      CountDownLatch done = new CountDownLatch(1);
      device.submit(
          new BlockRequest()
              .data(
                  operation,
                  offsetBytes,
                  buffer,
                  0,
                  lengthBytes,
                  flags,
                  (request, errno) -> {
                    result.set(errno);
                    done.countDown();
                  }));
      assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
      if (result.get() != 0) {
        throw new IOException(operation + ": " + Errno.describe(result.get()));
      }
    }

    /** Each extent as its length and state. */
    List<String> extents(long offsetBytes, long lengthBytes) throws Exception {
      List<String> told = new ArrayList<>();
      CountDownLatch done = new CountDownLatch(1);
      device.extents(
          offsetBytes,
          lengthBytes,
          1000,
          new Extents() {
            @Override
            public void extent(long length, int state) {
              told.add(length + " " + state);
            }

            @Override
            public void end(int errno) {
              if (errno != 0) {
                told.add(Errno.describe(errno));
              }
              done.countDown();
            }
          });
      assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
      return told;
    }
  }
}
