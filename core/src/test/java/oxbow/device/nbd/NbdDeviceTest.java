package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.nbd.ScriptedServer.Request;
import oxbow.device.nbd.ScriptedServer.Script;
import oxbow.nbd.client.NbdAddress;
import oxbow.nbd.wire.Nbd;

/**
 * Aim: whatever a server does, requests end right, or with an error that tells the truth. Method:
 * scripted servers on raw sockets; time is told by events only.
 */
class NbdDeviceTest extends ScriptedDeviceTest {
  NbdDeviceTest(@TempDir Path directory) throws IOException {
    super(directory);
  }

  private static byte[] bytes(long... words) {
    ByteBuffer buffer = ByteBuffer.allocate(8 * words.length);
    for (long word : words) {
      buffer.putLong(word);
    }
    return buffer.array();
  }

  /** The first connections misbehave in answer to their first request, the last one is good. */
  private static Script afterwardsGood(int bad, Misbehaviour misbehaviour) {
    return (number, peer) -> {
      if (number >= bad) {
        peer.answerAll();
        return;
      }
      Request request = peer.next();
      byte[] answer = misbehaviour.answer(number, request, peer.wellAnswered(request));
      peer.send(answer);
    };
  }

  private interface Misbehaviour {
    byte[] answer(int number, Request request, byte[] good);
  }

  @Test
  void malformedRepliesCostTheConnectionAndTheReadComesBackRight() throws Exception {
    long magic = (long) Nbd.STRUCTURED_REPLY_MAGIC << 32;
    List<Misbehaviour> misbehaviours =
        List.of(
            (number, request, good) -> bytes(0x1122334455667788L, 0, 0),
            (number, request, good) -> bytes(magic | 1 << 16, request.cookie() + 1, 0),
            // Success without data; data outside; the same data twice; too much.
            (number, request, good) -> bytes(magic | 1 << 16, request.cookie(), 0),
            (number, request, good) -> patched(good, 20, request.offset() + 1),
            (number, request, good) -> twice(good),
            (number, request, good) -> patched(good, 12, ByteBuffer.wrap(good).getLong(12) + 1));
    for (Misbehaviour misbehaviour : misbehaviours) {
      try (ScriptedServer server = new ScriptedServer(socket, afterwardsGood(1, misbehaviour));
          NbdDevice device = open(server, quick())) {
        read(device, 4096, 100).checkRead();
        assertThat(device.state().lastError()).startsWith("the server breaks the NBD protocol: ");
        assertThat(server.connectionCount()).isEqualTo(2);
      }
    }
  }

  private static byte[] patched(byte[] good, int at, long value) {
    ByteBuffer buffer = ByteBuffer.wrap(good.clone());
    return buffer.putLong(at, value).array();
  }

  /** The chunk, not the last one, and once more. */
  private static byte[] twice(byte[] good) {
    byte[] all = Arrays.copyOf(good, 2 * good.length);
    System.arraycopy(good, 0, all, good.length, good.length);
    all[5] = 0;
    return all;
  }

  @Test
  void aRequestWhoseReplyIsAlwaysMalformedFailsInTheEndAndOthersDoNot() throws Exception {
    Script script =
        (number, peer) -> {
          while (true) {
            Request request = peer.next();
            byte[] good = peer.wellAnswered(request);
            peer.send(request.offset() == 4096 ? patched(good, 20, 0) : good);
          }
        };
    try (ScriptedServer server = new ScriptedServer(socket, script);
        NbdDevice device = open(server, quick())) {
      Pending poison = read(device, 4096, 100);
      assertThat(poison.errno()).isEqualTo(Errno.EIO);
      read(device, 8192, 100).checkRead();
    }
  }

  @Test
  void aConnectionCutAfterAnyByteOfAReplyLosesNothing() throws Exception {
    int replyBytes = 28 + 64;
    try (ScriptedServer server =
            new ScriptedServer(
                socket,
                afterwardsGood(
                    replyBytes, (number, request, good) -> Arrays.copyOf(good, number)));
        NbdDevice device = open(server, quick())) {
      read(device, 12_345, 64).checkRead();
      assertThat(server.connectionCount()).isEqualTo(replyBytes + 1);
    }
  }

  @Test
  void aReconnectionCutAfterAnyByteOfTheHandshakeIsTriedAgain() throws Exception {
    CountDownLatch cut = new CountDownLatch(1);
    try (ScriptedServer server =
            new ScriptedServer(
                socket,
                (number, peer) -> {
                  if (number == 0) {
                    peer.next();
                    await(cut);
                  } else {
                    peer.answerAll();
                  }
                });
        NbdDevice device = open(server, quick())) {
      Pending read = read(device, 0, 64);
      server.handshakeLimit(0);
      cut.countDown();
      int handshakeBytes = 18 + 20 + 59 + 52;
      for (int limit = 1; limit <= handshakeBytes; limit++) {
        long failed = limit;
        await(state -> state.failedAttempts() >= failed);
        server.handshakeLimit(limit);
      }
      read.checkRead();
      assertThat(server.connectionCount()).isGreaterThan(handshakeBytes);
    }
  }

  @Test
  void aLargeWriteCutInTheMiddleIsSentAgainWhole() throws Exception {
    BlockingQueue<Request> seen = new LinkedBlockingQueue<>();
    try (ScriptedServer server =
            new ScriptedServer(
                    socket,
                    (number, peer) -> {
                      if (number > 0) {
                        Request request = peer.next();
                        seen.add(request);
                        peer.answer(request);
                        peer.answerAll();
                      }
                      // The first connection is closed without reading: its socket buffer is full.
                    })
                .flags(WRITABLE);
        NbdDevice device = open(server, quick())) {
      Pending write = new Pending(device, Operation.WRITE, 0, 1 << 20, 0);
      assertThat(write.errno()).isEqualTo(Errno.OK);
      assertThat(seen.take().payload()).hasSize(1 << 20).containsOnly(0);
    }
  }

  @Test
  void requestsBeyondTheLimitWaitAndComeBackInAnyOrder() throws Exception {
    Script backwards =
        (number, peer) -> {
          while (true) {
            List<Request> batch = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
              batch.add(peer.next());
            }
            for (Request request : batch.reversed()) {
              peer.answer(request);
            }
          }
        };
    try (ScriptedServer server = new ScriptedServer(socket, backwards);
        NbdDevice device = open(server, quick().withInFlightPerConnection(4))) {
      List<Pending> reads = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        reads.add(read(device, i * 1000L, 1 + i * 7));
      }
      for (Pending read : reads) {
        read.checkRead();
      }
    }
  }

  @Test
  void connectionsAreAsManyAsTheServerAllows() throws Exception {
    for (int flags : new int[] {0, Nbd.FLAG_CAN_MULTI_CONN}) {
      try (ScriptedServer server =
              new ScriptedServer(socket, (number, peer) -> peer.answerAll()).flags(flags);
          NbdDevice device = open(server, quick().withConnections(3))) {
        int expected = flags == 0 ? 1 : 3;
        await(state -> state.connections() == expected);
        read(device, 0, 10).checkRead();
        assertThat(server.connectionCount()).isEqualTo(expected);
      }
      await(NbdState.Phase.CLOSED);
    }
  }

  @Test
  void aServerThatIsShuttingDownIsLeftAndAskedAgainLater() throws Exception {
    try (ScriptedServer server =
            new ScriptedServer(
                socket,
                afterwardsGood(
                    1,
                    (number, request, good) ->
                        bytes((long) Nbd.SIMPLE_REPLY_MAGIC << 32 | 108, request.cookie())));
        NbdDevice device = open(server, quick())) {
      read(device, 0, 10).checkRead();
      assertThat(device.state().lastError()).isEqualTo("the server is shutting down");
    }
  }

  @Test
  void fuaThatTheServerDoesNotOfferIsAWriteAndAFlush() throws Exception {
    BlockingQueue<Request> seen = new LinkedBlockingQueue<>();
    Script script =
        (number, peer) -> {
          while (true) {
            Request request = peer.next();
            seen.add(request);
            peer.answer(request);
          }
        };
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(Nbd.FLAG_SEND_FLUSH);
        NbdDevice device = open(server, quick())) {
      assertThat(write(device, Flags.FUA).errno()).isEqualTo(Errno.OK);
      assertThat(seen).extracting(Request::type).containsExactly(Nbd.CMD_WRITE, Nbd.CMD_FLUSH);
      assertThat(seen.take().flags()).isZero();
    }
  }

  @Test
  void commandsThatTheServerDoesNotOfferAreNotSent() throws Exception {
    try (ScriptedServer server =
            new ScriptedServer(
                socket,
                (number, peer) -> {
                  Request request = peer.next();
                  assertThat(request.type()).isEqualTo(Nbd.CMD_DISC);
                });
        NbdDevice device = open(server.flags(Nbd.FLAG_READ_ONLY), quick())) {
      assertThat(write(device, 0).errno()).isEqualTo(Errno.EPERM);
      assertThat(Requests.run(device, Operation.DISCARD, 0, 512, 0)).isEqualTo(Errno.EPERM);
      assertThat(Requests.run(device, Operation.CACHE, 0, 512, 0)).isEqualTo(Errno.ENOTSUP);
      assertThat(flush(device).errno()).as("no cache, nothing to flush").isEqualTo(Errno.OK);
      assertThat(read(device, (1 << 20) - 10, 11).errno()).isEqualTo(Errno.EINVAL);
    }
  }

  @Test
  void aSmallerExportAfterAReconnectionFailsTheDeviceForGood() throws Exception {
    CountDownLatch cut = new CountDownLatch(1);
    try (ScriptedServer server =
            new ScriptedServer(
                socket,
                (number, peer) -> {
                  peer.next();
                  await(cut);
                });
        NbdDevice device = open(server, quick())) {
      Pending inFlight = read(device, 0, 10);
      server.sizeBytes(4096);
      cut.countDown();
      assertThat(inFlight.errno()).isEqualTo(Errno.EIO);
      assertThat(await(NbdState.Phase.FAILED).lastError())
          .isEqualTo("the export has shrunk from 1048576 to 4096 bytes");
      assertThat(read(device, 0, 10).errno()).isEqualTo(Errno.EIO);
    }
  }

  @Test
  void anExportThatCanDoLessAfterAReconnectionFailsTheDeviceForGood() throws Exception {
    int all = WRITABLE | Nbd.FLAG_SEND_TRIM | Nbd.FLAG_CAN_MULTI_CONN;
    for (int gone : new int[] {Nbd.FLAG_SEND_FLUSH, Nbd.FLAG_SEND_TRIM, Nbd.FLAG_CAN_MULTI_CONN}) {
      CountDownLatch cut = new CountDownLatch(1);
      try (ScriptedServer server =
              new ScriptedServer(socket, (number, peer) -> await(cut)).flags(all);
          NbdDevice device = open(server, quick().withConnections(2))) {
        await(state -> state.connections() == 2);
        server.flags(all & ~gone);
        cut.countDown();
        assertThat(await(NbdState.Phase.FAILED).lastError()).contains("no longer");
        assertThat(read(device, 0, 10).errno()).isEqualTo(Errno.EIO);
      }
      await(NbdState.Phase.CLOSED);
    }
  }

  @Test
  void aLargerExportAfterAReconnectionIsWelcome() throws Exception {
    try (ScriptedServer server =
        new ScriptedServer(socket, afterwardsGood(1, (number, request, good) -> new byte[0]))) {
      try (NbdDevice device = open(server, quick())) {
        server.sizeBytes(2 << 20);
        read(device, 0, 10).checkRead();
        assertThat(device.sizeBytes()).as("does not change while open").isEqualTo(1 << 20);
      }
    }
  }

  @Test
  void requestsAreHeldWithoutAServerUntilPatienceEndsOrItComesBack() throws Exception {
    Script good = (number, peer) -> peer.answerAll();
    ScriptedServer first = new ScriptedServer(socket, good);
    try (NbdDevice device = open(first, quick())) {
      first.close();
      NbdState lost = await(NbdState.Phase.RECONNECTING);
      assertThat(lost.lastError()).isEqualTo("the server closed the connection");
      assertThat(await(state -> state.failedAttempts() == 3).lastError())
          .startsWith("cannot connect: ");
      Pending held = read(device, 0, 10);
      await(state -> state.failedAttempts() == 5);
      assertThat(held.done.getCount()).as("held without limit").isEqualTo(1);

      device.holdNanos(0);
      assertThat(held.errno()).isEqualTo(Errno.EIO);
      assertThat(read(device, 0, 10).errno()).as("no more patience").isEqualTo(Errno.EIO);
      assertThat(errnoOfExtents(device)).as("nor for extents").isEqualTo(Errno.EIO);

      device.holdNanos(Long.MAX_VALUE);
      Pending patient = read(device, 0, 10);
      try (ScriptedServer second = new ScriptedServer(socket, good)) {
        patient.checkRead();
        assertThat(await(NbdState.Phase.CONNECTED).failedAttempts()).isZero();
        assertThat(second.connectionCount()).isEqualTo(1);
      }
    }
  }

  private static int errnoOfExtents(NbdDevice device) throws Exception {
    CompletableFuture<Integer> end = new CompletableFuture<>();
    device.extents(
        0,
        10,
        1,
        new Extents() {
          @Override
          public void extent(long lengthBytes, int state) {}

          @Override
          public void end(int errno) {
            end.complete(errno);
          }
        });
    return end.get(SECONDS, TimeUnit.SECONDS);
  }

  @Test
  void closingFailsWhatIsPendingAndSaysGoodbye() throws Exception {
    BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();
    try (ScriptedServer server =
        new ScriptedServer(
            socket,
            (number, peer) -> {
              while (true) {
                seen.add(peer.next().type());
              }
            })) {
      NbdDevice device = open(server, quick().withInFlightPerConnection(1));
      Pending inFlight = read(device, 0, 10);
      Pending waiting = read(device, 0, 10);
      assertThat(seen.take()).isEqualTo(Nbd.CMD_READ);
      device.close();
      assertThat(inFlight.errno()).isEqualTo(Errno.ESHUTDOWN);
      assertThat(waiting.errno()).isEqualTo(Errno.ESHUTDOWN);
      assertThat(seen.poll(SECONDS, TimeUnit.SECONDS)).isEqualTo(Nbd.CMD_DISC);
      assertThat(device.state().phase()).isEqualTo(NbdState.Phase.CLOSED);
      assertThat(read(device, 0, 10).errno()).isEqualTo(Errno.ESHUTDOWN);
      device.close();
    }
  }

  @Test
  void closingDoesNotWaitForAServerThatIsGone() throws Exception {
    ScriptedServer server = new ScriptedServer(socket, (number, peer) -> peer.answerAll());
    NbdDevice device = open(server, quick());
    server.close();
    await(NbdState.Phase.RECONNECTING);
    Pending held = read(device, 0, 10);
    device.close();
    assertThat(held.errno()).isEqualTo(Errno.ESHUTDOWN);
  }

  @Test
  void openingGivesUpOnAServerThatSaysNothing() throws Exception {
    try (ScriptedServer server = new ScriptedServer(socket, (number, peer) -> {})) {
      server.handshakeLimit(0);
      assertThatThrownBy(() -> open(server, quick()))
          .isInstanceOf(IOException.class)
          .hasMessage(server.address() + ": the server closed the connection without a word");
    }
    try (MuteServer mute = new MuteServer(socket)) {
      assertThatThrownBy(
              () ->
                  NbdDevice.open(
                      mute.address(), engine, quick().withConnectTimeoutNanos(50_000_000)))
          .hasMessageEndingWith(": connected, but no NBD handshake within 50 ms");
    }
  }

  @Test
  void openingNamesAHostThatDoesNotExistOrRefuses() {
    assertThatThrownBy(
            () ->
                NbdDevice.open(NbdAddress.tcp("no-such-host.invalid", 10809, "x"), engine, quick()))
        .hasMessage("nbd://no-such-host.invalid/x: unknown host no-such-host.invalid");
    assertThatThrownBy(() -> NbdDevice.open(NbdAddress.tcp("127.0.0.1", 1, "x"), engine, quick()))
        .hasMessageStartingWith("nbd://127.0.0.1:1/x: cannot connect: ")
        .hasMessageContaining("refused");
  }
}
