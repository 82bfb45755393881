package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.nbd.wire.Nbd;

/**
 * Many requests at a time, limits, bad clients and the end: what is in flight is neither lost nor
 * mixed up, and nobody pays for another. Method: a raw client that breaks the rules, a device that
 * holds requests until the test lets them go.
 */
class NbdServerTrafficTest extends ServerFixture {
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
      CompletableFuture<Void> closed = beside(() -> assertThat(server.close(DEADLINE)).isTrue());
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
              .as("reproduce with: mvn test -Dtest=NbdServerTrafficTest -Doxbow.seed=%d", seed)
              .isEqualTo(ByteBuffer.wrap(expected, (int) request[1], (int) request[2]));
        }
      }
      sender.get(10, TimeUnit.SECONDS);
      assertThat(device.memory().mismatch(MemorySegment.ofArray(expected)))
          .as("reproduce with: mvn test -Dtest=NbdServerTrafficTest -Doxbow.seed=%d", seed)
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
