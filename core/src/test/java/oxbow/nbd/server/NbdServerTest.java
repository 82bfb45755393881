package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Flags;
import oxbow.block.Limits;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.nbd.wire.Nbd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The server carries out each command, refuses what the protocol says it must, and stands its
 * clients. Method: a raw client on a real Unix socket, a device in memory that can hold requests.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NbdServerTest {
  private static final int SIZE_BYTES = 64 << 20;
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  @TempDir Path directory;

  private final ArenaDevice device = new ArenaDevice(SIZE_BYTES).logging();
  private final WorkerDiskPool disks = new WorkerDiskPool(1);
  private Engine engine;
  private NbdServer server;
  private SocketAddress address;

  @BeforeEach
  void start() throws IOException {
    engine = new Engine(2, disks);
    start(ServerOptions.DEFAULT);
  }

  private void start(ServerOptions options) throws IOException {
    server = new NbdServer(engine, options);
    server.add(Export.of("disk", device));
    Path socket = directory.resolve("s" + System.nanoTime());
    address = server.listen(UnixDomainSocketAddress.of(socket)).address();
  }

  @AfterEach
  void stop() throws IOException {
    device.letGo();
    assertThat(server.close(DEADLINE)).isTrue();
    assertThat(server.connectionCount()).isZero();
    engine.close();
    disks.close();
  }

  private RawClient client() throws IOException {
    return RawClient.go(address, "disk");
  }

  /** An action beside the test's own thread. */
  private interface Action {
    void run() throws Exception;
  }

  /** On a thread of its own: the common pool may have a single one. */
  private static CompletableFuture<Void> beside(Action action) {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    Thread.ofPlatform()
        .start(
            () -> {
              try {
                action.run();
                ended.complete(null);
              } catch (Exception | AssertionError e) {
                ended.completeExceptionally(e);
              }
            });
    return ended;
  }

  private static byte[] random(int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    new Random(lengthBytes).nextBytes(bytes);
    return bytes;
  }

  private byte[] stored(long offset, int length) {
    return device.memory().asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private void awaitNoConnections() {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (server.connectionCount() > 0) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  @Test
  void readReturnsWhatWasWrittenAtAnyOffsetAndLength() throws IOException {
    int[] lengths = {1, 511, 4096, 4097, 70_001, 256 << 10, (256 << 10) + 1, 1 << 20, 32 << 20};
    try (RawClient client = client()) {
      for (int length : lengths) {
        for (long offset : new long[] {0, 513, SIZE_BYTES - length}) {
          byte[] data = random(length);
          assertThat(client.write(offset, data)).isZero();
          assertThat(stored(offset, length)).isEqualTo(data);
          assertThat(client.read(offset, length)).isEqualTo(ByteBuffer.wrap(data));
        }
      }
    }
  }

  @Test
  void deviceThatCannotAnswerAtOnceIsServedToo() throws IOException {
    device.declining();
    readReturnsWhatWasWrittenAtAnyOffsetAndLength();
  }

  @Test
  void structuredReadCarriesItsOffset() throws IOException {
    byte[] data = random(5000);
    try (RawClient client = RawClient.goStructured(address, "disk")) {
      assertThat(client.write(77, data)).isZero();
      for (int flags : new int[] {0, Nbd.CMD_FLAG_DF}) {
        client.request(Nbd.CMD_READ, flags, 42, 77, 5000);
        RawClient.Answer answer = client.answer(0);
        assertThat(answer.type()).isEqualTo(Nbd.REPLY_TYPE_OFFSET_DATA);
        assertThat(answer.cookie()).isEqualTo(42);
        assertThat(answer.payload().getLong()).isEqualTo(77);
        assertThat(answer.payload()).isEqualTo(ByteBuffer.wrap(data));
      }
      client.request(Nbd.CMD_READ, 0, 43, 0, 0);
      assertThat(client.answer(0).type()).isEqualTo(Nbd.REPLY_TYPE_NONE);
      client.request(Nbd.CMD_READ, 0, 44, SIZE_BYTES, 1);
      RawClient.Answer error = client.answer(0);
      assertThat(error.type()).isEqualTo(Nbd.REPLY_TYPE_ERROR);
      assertThat(error.error()).isEqualTo(Errno.EINVAL);
    }
  }

  @Test
  void largeStructuredReadLeavesFromItsOwnBuffer() throws IOException {
    byte[] data = random(3 << 20);
    try (RawClient client = RawClient.goStructured(address, "disk")) {
      assertThat(client.write(0, data)).isZero();
      ByteBuffer payload = client.read(0, data.length);
      assertThat(payload.getLong()).isZero();
      assertThat(payload).isEqualTo(ByteBuffer.wrap(data));
    }
  }

  @Test
  void rangeErrorsAreThoseOfTheProtocol() throws IOException {
    try (RawClient client = client()) {
      assertThat(client.error(Nbd.CMD_READ, 0, SIZE_BYTES - 1, 2)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_READ, 0, -1, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_READ, 0, Long.MAX_VALUE, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(SIZE_BYTES, new byte[1])).isEqualTo(Errno.ENOSPC);
      assertThat(client.write(-5, new byte[10])).isEqualTo(Errno.ENOSPC);
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, 0, SIZE_BYTES, 1)).isEqualTo(Errno.ENOSPC);
      assertThat(client.error(Nbd.CMD_TRIM, 0, SIZE_BYTES, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_CACHE, 0, SIZE_BYTES, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.read(0, 1).remaining()).isEqualTo(1);
    }
  }

  @Test
  void flagsAndCommandsThatWereNotOfferedAreInvalid() throws IOException {
    try (RawClient client = client()) {
      assertThat(client.error(Nbd.CMD_READ, Nbd.CMD_FLAG_DF, 0, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(Nbd.CMD_FLAG_NO_HOLE, 0, new byte[9])).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_FLUSH, 0x80, 0, 0)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_BLOCK_STATUS, 0, 0, 512)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(99, 0, 0, 0)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
    }
  }

  @Test
  void oversizePayloadIsRefusedAndPassedOver() throws IOException {
    int tooMany = Nbd.MAX_PAYLOAD_BYTES + 1;
    try (RawClient client = client()) {
      assertThat(client.error(Nbd.CMD_READ, 0, 0, tooMany)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(0, new byte[tooMany])).isEqualTo(Errno.EINVAL);
      assertThat(client.write(0, new byte[8])).isZero();
    }
  }

  @Test
  void readOnlyExportRefusesAllThatWrites() throws IOException {
    server.add(new Export("ro", "", device, true, true, 9));
    try (RawClient client = RawClient.go(address, "ro")) {
      assertThat(client.write(0, random(4096))).isEqualTo(Errno.EPERM);
      assertThat(client.error(Nbd.CMD_TRIM, 0, 0, 512)).isEqualTo(Errno.EPERM);
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, 0, 0, 512)).isEqualTo(Errno.EPERM);
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
      assertThat(client.read(0, 4096)).isEqualTo(ByteBuffer.allocate(4096));
    }
    assertThat(device.log()).containsExactly("FLUSH 0+0");
  }

  @Test
  void flagsReachTheDeviceUnderItsOwnNames() throws IOException {
    int both = Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_NO_HOLE;
    try (RawClient client = client()) {
      assertThat(client.write(Nbd.CMD_FLAG_FUA, 5, new byte[7])).isZero();
      assertThat(client.error(Nbd.CMD_TRIM, Nbd.CMD_FLAG_FUA, 512, 1024)).isZero();
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, both, 0, 3)).isZero();
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, Nbd.CMD_FLAG_FAST_ZERO, 1, 2)).isZero();
      assertThat(client.error(Nbd.CMD_CACHE, 0, 0, SIZE_BYTES)).isZero();
      assertThat(client.error(Nbd.CMD_FLUSH, Nbd.CMD_FLAG_FUA, 0, 0)).isZero();
      assertThat(client.error(Nbd.CMD_TRIM, 0, 0, 0)).isZero();
    }
    assertThat(device.log())
        .containsExactly(
            "WRITE 5+7 FUA",
            "DISCARD 512+1024 FUA",
            "WRITE_ZEROES 0+3 FUA flags " + (Flags.FUA | Flags.NO_HOLE),
            "WRITE_ZEROES 1+2 flags " + Flags.FAST_ZERO,
            "CACHE 0+" + SIZE_BYTES,
            "FLUSH 0+0");
  }

  @Test
  void discardLargerThanTheDeviceTakesGoesInPieces() throws IOException {
    Limits pieces = new Limits(false, 1, true, 1 << 20, true, true, true);
    ArenaDevice small = new ArenaDevice(4 << 20, pieces).logging();
    server.add(Export.of("small", small));
    try (RawClient client = RawClient.go(address, "small")) {
      assertThat(client.error(Nbd.CMD_TRIM, 0, 1000, (2 << 20) + 5)).isZero();
    }
    assertThat(small.log())
        .containsExactly(
            "DISCARD 1000+1048576", "DISCARD 1049576+1048576", "DISCARD 2098152+5");
  }

  @Test
  void deviceWithoutDiscardRefusesIt() throws IOException {
    Limits none = new Limits(false, 512, false, 0, false, false, true);
    server.add(Export.of("none", new ArenaDevice(1 << 20, none)));
    try (RawClient client = RawClient.go(address, "none")) {
      assertThat(client.error(Nbd.CMD_TRIM, 0, 0, 512)).isEqualTo(Errno.ENOTSUP);
      assertThat(client.error(Nbd.CMD_READ, 0, 1, 512)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(0, new byte[511])).isEqualTo(Errno.EINVAL);
      assertThat(client.write(512, new byte[512])).isZero();
    }
  }

  @Test
  void errorOfTheDeviceReachesItsOwnRequestOnly() throws IOException {
    try (RawClient client = client()) {
      device.failWith(Errno.ENOSPC);
      assertThat(client.write(0, new byte[4096])).isEqualTo(Errno.ENOSPC);
      device.failWith(Errno.ETIMEDOUT);
      assertThat(client.error(Nbd.CMD_READ, 0, 0, 4096)).isEqualTo(Errno.EIO);
      assertThat(client.error(Nbd.CMD_READ, 0, 0, 8 << 20)).isEqualTo(Errno.EIO);
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isEqualTo(Errno.EIO);
      device.failWith(Errno.OK);
      assertThat(client.write(0, new byte[4096])).isZero();
    }
  }

  @Test
  void blockStatusMergesEqualExtentsAndStaysInItsRange() throws IOException {
    int hole = Extents.HOLE | Extents.ZERO;
    device.extents(
        new long[] {4096, 0}, new long[] {4096, 0}, new long[] {8192, hole}, new long[] {1 << 30, 2});
    try (RawClient client = RawClient.goStructured(address, "disk")) {
      client.request(Nbd.CMD_BLOCK_STATUS, 0, 8, 0, 1 << 20);
      RawClient.Answer answer = client.answer(0);
      assertThat(answer.type()).isEqualTo(Nbd.REPLY_TYPE_BLOCK_STATUS);
      ByteBuffer expected = ByteBuffer.allocate(28).putInt(Negotiation.BASE_ALLOCATION_ID);
      expected.putInt(8192).putInt(0).putInt(8192).putInt(hole);
      expected.putInt((1 << 20) - 16384).putInt(2).flip();
      assertThat(answer.payload()).isEqualTo(expected);

      client.request(Nbd.CMD_BLOCK_STATUS, Nbd.CMD_FLAG_REQ_ONE, 8, 0, 1 << 20);
      assertThat(client.answer(0).payload().remaining()).isEqualTo(12);
      device.failWith(Errno.EIO);
      client.request(Nbd.CMD_BLOCK_STATUS, 0, 8, 0, 1 << 20);
      assertThat(client.answer(0).error()).isEqualTo(Errno.EIO);
    }
  }

  @Test
  void repliesComeInTheOrderInWhichTheDeviceCompletes() throws Exception {
    device.holding();
    try (RawClient client = client()) {
      for (int i = 0; i < 8; i++) {
        client.request(Nbd.CMD_READ, 0, i, i * 4096L, 4096);
      }
      List<BlockRequest> held = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        held.add(device.takeHeld());
      }
      for (BlockRequest each : held.reversed()) {
        device.carryOut(each);
        assertThat(client.answer(4096).cookie()).isEqualTo(each.offsetBytes() / 4096);
      }
    }
  }

  @Test
  void quickRequestsOvertakeAHeldFlush() throws Exception {
    try (RawClient client = client()) {
      device.holding();
      client.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
      BlockRequest flush = device.takeHeld();
      client.request(Nbd.CMD_READ, 0, 2, 0, 0);
      assertThat(client.answer(0).cookie()).isEqualTo(2);
      flush.complete(Errno.OK);
      assertThat(client.answer(0).cookie()).isEqualTo(1);
    }
  }

  @Test
  void manyCompletionsFromOtherThreadsAllArrive() throws Exception {
    device.holding();
    int count = 20_000;
    CompletableFuture<Void> completer =
        beside(
            () -> {
              for (int i = 0; i < count; i++) {
                device.carryOut(device.takeHeld());
              }
            });
    try (RawClient client = client()) {
      CompletableFuture<Void> sender =
          beside(
              () -> {
                for (int i = 0; i < count; i++) {
                  client.request(Nbd.CMD_READ, 0, i, i, 100);
                }
              });
      boolean[] isAnswered = new boolean[count];
      for (int i = 0; i < count; i++) {
        int cookie = (int) client.answer(100).cookie();
        assertThat(isAnswered[cookie]).isFalse();
        isAnswered[cookie] = true;
      }
      sender.get(10, TimeUnit.SECONDS);
      completer.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void requestsBeyondTheLimitWaitForASlot() throws Exception {
    server.close(DEADLINE);
    start(ServerOptions.DEFAULT.withInFlight(4, 1 << 20));
    device.holding();
    try (RawClient client = client()) {
      for (int i = 0; i < 10; i++) {
        client.request(Nbd.CMD_READ, 0, i, 0, 512);
      }
      for (int i = 0; i < 10; i++) {
        List<BlockRequest> held = new ArrayList<>();
        held.add(device.takeHeld());
        assertThat(device.heldCount()).isLessThan(4);
        device.carryOut(held.getFirst());
        assertThat(client.answer(512).cookie()).isEqualTo(i);
      }
    }
  }

  @Test
  void requestLargerThanTheLimitOfBytesPassesAlone() throws Exception {
    server.close(DEADLINE);
    start(ServerOptions.DEFAULT.withInFlight(4, 1 << 20));
    device.holding();
    byte[] data = random(4 << 20);
    try (RawClient client = client()) {
      client.request(Nbd.CMD_WRITE, 0, 1, 0, data.length);
      client.send(ByteBuffer.wrap(data));
      client.request(Nbd.CMD_READ, 0, 2, 0, data.length);
      BlockRequest write = device.takeHeld();
      assertThat(device.heldCount()).isZero();
      device.carryOut(write);
      assertThat(client.answer(0).cookie()).isEqualTo(1);
      device.carryOut(device.takeHeld());
      assertThat(client.answer(data.length).payload()).isEqualTo(ByteBuffer.wrap(data));
    }
  }

  @Test
  void clientThatDoesNotListenIsNotReadFromForever() throws Exception {
    int requests = 40_000; // 160 MiB of answers, far more than all buffers take.
    try (RawClient client = client();
        RawClient other = client()) {
      CompletableFuture<Void> sender =
          beside(
              () -> {
                for (int i = 0; i < requests; i++) {
                  client.request(Nbd.CMD_READ, 0, i, 0, 4096);
                }
              });
      assertThat(other.write(0, random(100))).isZero();
      for (int i = 0; i < requests; i++) {
        assertThat(client.answer(4096).cookie()).isEqualTo(i);
      }
      sender.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void disconnectInTheMiddleOfAPayloadCostsNothing() throws IOException {
    for (int length : new int[] {4096, 8 << 20}) {
      try (RawClient client = client()) {
        client.request(Nbd.CMD_WRITE, 0, 1, 0, length);
        client.send(ByteBuffer.allocate(length / 2));
      }
    }
    awaitNoConnections();
    try (RawClient client = client()) {
      assertThat(client.read(0, 512)).isEqualTo(ByteBuffer.allocate(512));
    }
  }

  /** N2: the buffers of a dead connection stay untouched until the device is done with them. */
  @Test
  void requestsInFlightOfADeadConnectionKeepTheirBuffers() throws Exception {
    device.holding();
    byte[] data = random(100_000);
    try (RawClient client = client()) {
      client.request(Nbd.CMD_WRITE, 0, 1, 0, data.length);
      client.send(ByteBuffer.wrap(data));
      client.request(Nbd.CMD_READ, 0, 2, 0, 4096);
      client.request(Nbd.CMD_FLUSH, 0, 3, 0, 0);
    }
    BlockRequest write = device.takeHeld();
    BlockRequest read = device.takeHeld();
    BlockRequest flush = device.takeHeld();
    // Another connection would get the buffers now, were they free.
    try (RawClient client = client()) {
      client.request(Nbd.CMD_WRITE, 0, 1, 1 << 20, data.length);
      client.send(ByteBuffer.allocate(data.length));
      device.carryOut(device.takeHeld());
      assertThat(client.answer(0).error()).isZero();
    }
    assertThat(write.data().asSlice(0, data.length).mismatch(MemorySegment.ofArray(data)))
        .isEqualTo(-1);
    assertThat(server.connectionCount()).isPositive();
    device.carryOut(write);
    device.carryOut(flush);
    device.carryOut(read);
    awaitNoConnections();
    assertThat(stored(0, data.length)).isEqualTo(data);
  }

  @Test
  void nonsenseCostsItsOwnConnectionOnly() throws IOException {
    try (RawClient good = client();
        RawClient bad = client();
        RawClient worse = RawClient.connect(address)) {
      bad.send(ByteBuffer.wrap(random(200)));
      assertThat(bad.isHungUp()).isTrue();
      worse.send(ByteBuffer.wrap(random(200)));
      assertThat(worse.isHungUp()).isTrue();
      assertThat(good.write(0, new byte[10])).isZero();
    }
  }

  @Test
  void whoDoesNotNegotiateInTimeIsHungUpOn() throws IOException {
    server.close(DEADLINE);
    start(ServerOptions.DEFAULT.withHandshakeTimeout(Duration.ofMillis(100)));
    try (RawClient slow = RawClient.connect(address);
        RawClient quick = client()) {
      slow.greet();
      assertThat(slow.isHungUp()).isTrue();
      assertThat(quick.write(0, new byte[10])).isZero();
    }
  }

  @Test
  void clientsBeyondTheLimitAreHungUpOn() throws IOException {
    server.close(DEADLINE);
    start(ServerOptions.DEFAULT.withMaxConnections(2));
    try (RawClient first = client();
        RawClient second = client()) {
      try (RawClient third = RawClient.connect(address)) {
        assertThat(third.isHungUp()).isTrue();
      }
      assertThat(first.write(0, new byte[10])).isZero();
      assertThat(second.write(0, new byte[10])).isZero();
    }
  }

  @Test
  void disconnectIsGrantedAfterWhatIsInFlight() throws Exception {
    device.holding();
    try (RawClient client = client()) {
      client.request(Nbd.CMD_READ, 0, 1, 0, 512);
      client.request(Nbd.CMD_DISC, 0, 0, 0, 0);
      device.carryOut(device.takeHeld());
      assertThat(client.answer(512).cookie()).isEqualTo(1);
      assertThat(client.isHungUp()).isTrue();
    }
  }

  @Test
  void closingAnswersWhatIsInFlightAndRefusesTheRest() throws Exception {
    device.holding();
    try (RawClient client = client()) {
      client.request(Nbd.CMD_READ, 0, 1, 0, 512);
      BlockRequest read = device.takeHeld();
      CompletableFuture<Void> closed =
          beside(() -> assertThat(server.close(DEADLINE)).isTrue());
      RawClient.Answer refused;
      do {
        client.request(Nbd.CMD_WRITE, 0, 2, 0, 0);
        refused = client.answer(0);
      } while (refused.error() == 0);
      assertThat(refused.error()).isEqualTo(Errno.ESHUTDOWN);
      device.carryOut(read);
      assertThat(client.answer(512).cookie()).isEqualTo(1);
      assertThat(client.isHungUp()).isTrue();
      closed.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void closingSaysWhenADeviceDoesNotGiveRequestsBack() throws Exception {
    device.holding();
    try (RawClient client = client()) {
      client.request(Nbd.CMD_READ, 0, 1, 0, 512);
      BlockRequest read = device.takeHeld();
      assertThat(server.close(Duration.ofMillis(50))).isFalse();
      assertThat(client.isHungUp()).isTrue();
      device.carryOut(read);
    }
  }

  @Test
  void removedExportEndsItsClientsAndNoOthers() throws IOException {
    server.add(Export.of("other", new ArenaDevice(4096)));
    try (RawClient client = client();
        RawClient other = RawClient.go(address, "other")) {
      assertThat(server.remove("disk", DEADLINE)).isTrue();
      assertThat(client.isHungUp()).isTrue();
      assertThat(other.write(0, new byte[10])).isZero();
      try (RawClient late = RawClient.connect(address)) {
        late.greet();
        assertThat(late.optionGo("disk")).containsExactly(Nbd.REP_ERR_UNKNOWN);
      }
    }
  }

  @Test
  void requestsThatArriveByteByByteAreUnderstood() throws IOException {
    byte[] data = random(40);
    ByteBuffer all = ByteBuffer.allocate(28 + 40 + 28);
    all.put(RawClient.header(Nbd.CMD_WRITE, 0, 1, 9, 40)).put(data);
    all.put(RawClient.header(Nbd.CMD_READ, 0, 2, 9, 40)).flip();
    try (RawClient client = client()) {
      for (int i = 0; i < all.limit(); i++) {
        client.send(all.slice(i, 1));
      }
      assertThat(client.answer(0).cookie()).isEqualTo(1);
      assertThat(client.answer(40).payload()).isEqualTo(ByteBuffer.wrap(data));
    }
  }

  @Test
  void batchBeyondAllBuffersComesBackInOrder() throws Exception {
    int count = 3000;
    ByteBuffer batch = ByteBuffer.allocate(count * (28 + 4096 + 28));
    for (int i = 0; i < count; i++) {
      batch.put(RawClient.header(Nbd.CMD_WRITE, 0, 2L * i, i * 4096L, 4096));
      batch.put(new byte[4092]).putInt(i);
      batch.put(RawClient.header(Nbd.CMD_READ, 0, 2L * i + 1, i * 4096L, 4096));
    }
    batch.flip();
    try (RawClient client = client()) {
      CompletableFuture<Void> sender =
          beside(
              () -> {
                client.send(batch);
              });
      for (int i = 0; i < count; i++) {
        assertThat(client.answer(0).cookie()).isEqualTo(2L * i);
        RawClient.Answer read = client.answer(4096);
        assertThat(read.cookie()).isEqualTo(2L * i + 1);
        assertThat(read.payload().getInt(4092)).isEqualTo(i);
      }
      sender.get(10, TimeUnit.SECONDS);
    }
  }

  /** Requests of all sizes in flight together, from a client that takes its time to listen. */
  @Test
  void randomTrafficIsCarriedOutExactly() throws Exception {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    Random random = new Random(seed);
    int[] sizes = {1, 512, 4096, 65_536, 200_000, 300_000, 1 << 20};
    byte[] expected = new byte[SIZE_BYTES];
    random.nextBytes(expected);
    int half = SIZE_BYTES / 2;
    MemorySegment.copy(expected, half, device.memory(), ValueLayout.JAVA_BYTE, half, half);
    List<long[]> requests = new ArrayList<>(); // Writes to the first half, reads of the second.
    for (long written = 0; written < half; ) {
      boolean isWrite = random.nextBoolean();
      int length = (int) Math.min(sizes[random.nextInt(sizes.length)], half - written);
      long offset = isWrite ? written : half + random.nextInt(half - length);
      requests.add(new long[] {isWrite ? 1 : 0, offset, length});
      written += isWrite ? length : 0;
    }
    try (RawClient client = client()) {
      CompletableFuture<Void> sender = beside(() -> sendAll(client, requests, expected));
      for (int i = 0; i < requests.size(); i++) {
        ByteBuffer header = client.receive(16);
        assertThat(header.getInt(4)).isZero();
        long[] request = requests.get((int) header.getLong(8));
        if (request[0] == 0) {
          ByteBuffer data = client.receive((int) request[2]);
          assertThat(data)
              .as("reproduce with: mvn test -Dtest=NbdServerTest -Doxbow.seed=%d", seed)
              .isEqualTo(ByteBuffer.wrap(expected, (int) request[1], (int) request[2]));
        }
      }
      sender.get(10, TimeUnit.SECONDS);
      assertThat(device.memory().mismatch(MemorySegment.ofArray(expected)))
          .as("reproduce with: mvn test -Dtest=NbdServerTest -Doxbow.seed=%d", seed)
          .isEqualTo(-1);
    }
  }

  @Test
  void randomTrafficIsCarriedOutExactlyByADeviceThatWaits() throws Exception {
    device.declining();
    randomTrafficIsCarriedOutExactly();
  }

  private static void sendAll(RawClient client, List<long[]> requests, byte[] data)
      throws IOException {
    for (int i = 0; i < requests.size(); i++) {
      long[] request = requests.get(i);
      int command = request[0] == 1 ? Nbd.CMD_WRITE : Nbd.CMD_READ;
      client.request(command, 0, i, request[1], request[2]);
      if (request[0] == 1) {
        client.send(ByteBuffer.wrap(data, (int) request[1], (int) request[2]));
      }
    }
  }
}
