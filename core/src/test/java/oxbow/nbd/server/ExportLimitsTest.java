package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.SimpleReply;

/**
 * The limits of an export hold for all its clients together, whoever waits is served in turn, and a
 * client that misbehaves costs the others nothing. Method: clients on two loops, a device that
 * holds requests until the test lets them go.
 */
class ExportLimitsTest extends ServerFixture {
  private static final int MAX_REQUESTS = 3;
  private static final long MAX_BYTES = 200_000;
  private static final int CLIENTS = 6;

  private void offer(int requests, long bytes) {
    ExportLimits limits = ExportLimits.UNLIMITED.withInFlight(requests, bytes);
    server.add(new Export("limited", "", device, false, true, limits));
    device.holding();
  }

  private RawClient limited() throws IOException {
    return RawClient.go(address, "limited");
  }

  /** Sends a READ, and returns when it has been tried: what came with it is answered then. */
  private static void tryRead(RawClient client, long cookie, int length) throws IOException {
    ByteBuffer both = ByteBuffer.allocate(2 * 28);
    both.put(RawClient.header(Nbd.CMD_READ, 0, 1000, 0, 0));
    both.put(RawClient.header(Nbd.CMD_READ, 0, cookie, cookie * 512, length)).flip();
    client.send(both);
    assertThat(client.answer(0).cookie()).isEqualTo(1000);
  }

  @Test
  void connectionsTakeTurnsInTheOrderInWhichTheyBeganToWait() throws Exception {
    offer(1, Long.MAX_VALUE);
    try (RawClient first = limited();
        RawClient second = limited();
        RawClient third = limited()) {
      List<RawClient> clients = List.of(first, second, third);
      for (int i = 0; i < 3; i++) {
        tryRead(clients.get(i), i, 512);
      }
      for (int i = 0; i < 30; i++) {
        BlockRequest held = device.takeHeld();
        assertThat(device.heldCount()).isZero();
        assertThat(held.offsetBytes()).isEqualTo(i * 512L);
        device.carryOut(held);
        assertThat(clients.get(i % 3).answer(512).cookie()).isEqualTo(i);
        tryRead(clients.get(i % 3), i + 3, 512);
      }
      device.letGo();
    }
  }

  @Test
  void bytesOfAllClientsCountTogether() throws Exception {
    offer(100, 10_000);
    try (RawClient first = limited();
        RawClient second = limited()) {
      tryRead(first, 1, 6000);
      tryRead(second, 2, 6000);
      BlockRequest held = device.takeHeld();
      assertThat(device.heldCount()).isZero();
      device.carryOut(held);
      assertThat(first.answer(6000).error()).isZero();
      device.carryOut(device.takeHeld());
      assertThat(second.answer(6000).cookie()).isEqualTo(2);
    }
  }

  @Test
  void requestsBeyondAnyLimitPassOneByOne() throws Exception {
    offer(100, 1);
    byte[] data = random(4 << 20);
    try (RawClient first = limited();
        RawClient second = limited()) {
      for (RawClient client : List.of(first, second)) {
        client.request(Nbd.CMD_WRITE, 0, 1, 0, data.length);
        client.send(ByteBuffer.wrap(data));
      }
      for (int i = 0; i < 2; i++) {
        BlockRequest held = device.takeHeld();
        assertThat(device.heldCount()).isZero();
        device.carryOut(held);
      }
      assertThat(first.answer(0).error()).isZero();
      assertThat(second.answer(0).error()).isZero();
    }
  }

  /** N1: neither half a payload nor answers that nobody takes hold what others wait for. */
  @Test
  void clientsThatStallDoNotHoldTheOthersUp() throws Exception {
    offer(1, 1 << 20);
    int large = 8 << 20;
    try (RawClient half = limited();
        RawClient deaf = limited();
        RawClient good = limited()) {
      half.request(Nbd.CMD_WRITE, 0, 1, 0, large);
      half.send(ByteBuffer.allocate(large / 2));
      tryRead(deaf, 2, large);
      tryRead(deaf, 3, large);
      device.carryOut(device.takeHeld());
      for (int i = 0; i < 100; i++) {
        good.request(Nbd.CMD_READ, 0, i, 0, 512);
        BlockRequest held = device.takeHeld();
        assertThat(held.lengthBytes()).isEqualTo(512);
        device.carryOut(held);
        assertThat(good.answer(512).cookie()).isEqualTo(i);
      }
    }
  }

  @Test
  void connectionThatDiesInTheLineMakesWay() throws Exception {
    offer(1, 1 << 20);
    try (RawClient first = limited();
        RawClient last = limited()) {
      tryRead(first, 1, 512);
      try (RawClient dying = limited()) {
        tryRead(dying, 2, 512);
        tryRead(last, 3, 512);
      }
      device.carryOut(device.takeHeld());
      assertThat(first.answer(512).cookie()).isEqualTo(1);
      BlockRequest next = device.takeHeld();
      if (next.offsetBytes() == 2 * 512) {
        device.carryOut(next); // Its end was not noticed yet.
        next = device.takeHeld();
      }
      device.carryOut(next);
      assertThat(last.answer(512).cookie()).isEqualTo(3);
    }
  }

  @Test
  void removedExportEndsThoseWhoWaitToo() throws Exception {
    offer(1, 1 << 20);
    try (RawClient first = limited();
        RawClient second = limited();
        RawClient third = limited()) {
      tryRead(first, 1, 512);
      tryRead(second, 2, 512);
      third.request(Nbd.CMD_WRITE, 0, 3, 0, 512);
      third.send(ByteBuffer.allocate(512));
      BlockRequest held = device.takeHeld();
      assertThat(server.remove("limited", Duration.ofMillis(50))).isFalse();
      assertThat(second.isHungUp()).isTrue();
      assertThat(third.isHungUp()).isTrue();
      device.carryOut(held);
      awaitNoConnections();
      assertThat(device.heldCount()).isZero();
    }
  }

  @Test
  void closingAnswersWhatWaitsInTheLine() throws Exception {
    offer(1, 1 << 20);
    try (RawClient first = limited();
        RawClient second = limited()) {
      tryRead(first, 1, 512);
      tryRead(second, 2, 512);
      BlockRequest held = device.takeHeld();
      CompletableFuture<Void> closed = beside(() -> assertThat(server.close(DEADLINE)).isTrue());
      assertThat(second.answer(512).error()).isEqualTo(Errno.ESHUTDOWN); // It had not got in.
      device.carryOut(held);
      assertThat(first.answer(512).error()).isZero();
      closed.get(10, TimeUnit.SECONDS);
    }
  }

  /** Many clients, some of which die, against a device that completes in any order. */
  @Test
  void seededTrafficEndsAndNeverExceedsTheLimits() throws Exception {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    String reproduce = "reproduce with: mvn test -Dtest=ExportLimitsTest -Doxbow.seed=" + seed;
    offer(MAX_REQUESTS, MAX_BYTES);
    AtomicInteger running = new AtomicInteger(CLIENTS);
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      Random random = new Random(seed + i);
      all.add(beside(() -> lives(random, running)));
    }
    all.add(beside(() -> completeInAnyOrder(new Random(seed), running)));
    for (CompletableFuture<Void> each : all) {
      assertThat(each).as(reproduce).succeedsWithin(DEADLINE);
    }
    // What was let in has been given back, no more and no less.
    try (RawClient client = limited()) {
      ByteBuffer more = ByteBuffer.allocate((MAX_REQUESTS + 2) * 28);
      more.put(RawClient.header(Nbd.CMD_READ, 0, 1000, 0, 0));
      for (int i = 0; i <= MAX_REQUESTS; i++) {
        more.put(RawClient.header(Nbd.CMD_READ, 0, i, 0, 512));
      }
      client.send(more.flip());
      assertThat(client.answer(0).cookie()).isEqualTo(1000);
      assertThat(device.heldCount()).as(reproduce).isEqualTo(MAX_REQUESTS);
      device.letGo();
    }
  }

  private void lives(Random random, AtomicInteger running) throws IOException {
    try {
      for (int life = 0; life < 15; life++) {
        try (RawClient client = limited()) {
          live(client, random);
        }
      }
    } finally {
      running.decrementAndGet();
    }
  }

  /** Up to four requests at a time; ends with none, or in the middle. */
  private static void live(RawClient client, Random random) throws IOException {
    int[] lengths = new int[1 + random.nextInt(40)];
    boolean isDying = random.nextInt(3) == 0;
    int answered = 0;
    for (int i = 0; i < lengths.length; i++) {
      int length = random.nextInt(8) == 0 ? 300_000 : random.nextInt(70_000);
      if (random.nextBoolean()) {
        lengths[i] = length / 20;
        client.request(Nbd.CMD_READ, 0, i, 0, lengths[i]);
      } else {
        client.request(Nbd.CMD_WRITE, 0, i, 0, length);
        client.send(ByteBuffer.allocate(length));
      }
      for (; answered <= i - 3; answered++) {
        takeAnswer(client, lengths);
      }
    }
    for (; !isDying && answered < lengths.length; answered++) {
      takeAnswer(client, lengths);
    }
  }

  private static void takeAnswer(RawClient client, int[] lengths) throws IOException {
    ByteBuffer reply = client.receive(SimpleReply.SIZE_BYTES);
    assertThat(SimpleReply.error(reply, 0)).isZero();
    client.receive(lengths[(int) SimpleReply.cookie(reply, 0)]);
  }

  private void completeInAnyOrder(Random random, AtomicInteger running)
      throws InterruptedException {
    List<BlockRequest> taken = new ArrayList<>();
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (running.get() > 0 || server.connectionCount() > 0) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      while (device.heldCount() > 0) {
        taken.add(device.takeHeld());
      }
      if (taken.size() > 1) {
        assertThat(taken.size()).isLessThanOrEqualTo(MAX_REQUESTS);
        assertThat(taken.stream().mapToLong(BlockRequest::lengthBytes).sum())
            .isLessThanOrEqualTo(MAX_BYTES);
      }
      if (!taken.isEmpty()) {
        device.carryOut(taken.remove(random.nextInt(taken.size())));
      }
      Thread.onSpinWait();
    }
  }
}
