package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.block.Reachability.State;
import oxbow.device.nbd.ScriptedServer.Request;
import oxbow.device.nbd.ScriptedServer.Script;
import oxbow.nbd.wire.Nbd;

/**
 * Aim: a server that stops answering is noticed, and what was asked of it is asked again where that
 * is safe and waits where it is not. Method: a scripted server takes requests and says nothing.
 */
class NbdDeviceSilenceTest extends ScriptedDeviceTest {
  private static final long LIMIT_NANOS = 100_000_000;

  NbdDeviceSilenceTest(@TempDir Path directory) throws IOException {
    super(directory);
  }

  private static NbdOptions impatient() {
    return quick().withSilenceNanos(LIMIT_NANOS);
  }

  private NbdState awaitSilence() throws InterruptedException {
    return await(state -> state.lastError().startsWith("no answer for "));
  }

  @Test
  void readsOfAServerThatFellSilentAreAskedAgainOnANewConnection() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          if (number == 0) {
            peer.answer(peer.next());
            peer.next();
            await(end);
          } else {
            peer.answerAll();
          }
        };
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(WRITABLE);
        NbdDevice device = open(server, impatient())) {
      read(device, 0, 10).checkRead();
      Pending unanswered = read(device, 4096, 100);
      awaitSilence();
      unanswered.checkRead();
      assertThat(server.connectionCount()).isEqualTo(2);
      assertThat(device.reachability().state()).isEqualTo(State.PRESENT);
      end.countDown();
    }
  }

  @Test
  void allConnectionsToASilentServerAreGivenUpTogether() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          if (number < 3) {
            peer.next();
            await(end);
          } else {
            peer.answerAll();
          }
        };
    int flags = WRITABLE | Nbd.FLAG_CAN_MULTI_CONN;
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(flags);
        NbdDevice device = open(server, impatient().withConnections(3))) {
      await(state -> state.connections() == 3);
      Pending unanswered = read(device, 4096, 100);
      assertThat(await(NbdState.Phase.RECONNECTING).lastError()).startsWith("no answer for ");
      unanswered.checkRead();
      end.countDown();
    }
  }

  @Test
  void readsOfASilentServerFailWhenTheHoldIsOver() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          peer.next();
          await(end);
        };
    try (ScriptedServer server = new ScriptedServer(socket, script);
        NbdDevice device = open(server, impatient().withHoldNanos(0))) {
      server.handshakeLimit(0);
      assertThat(read(device, 0, 10).errno()).isEqualTo(Errno.EIO);
      assertThat(device.reachability().isAway()).isTrue();
      assertThat(device.reachability().isHolding()).isFalse();
      end.countDown();
    }
  }

  /** The first copy of a write may lie in the buffers of a server that is merely stopped. */
  @Test
  void aWriteToASilentServerIsNotSentTwiceButWaits() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          Request write = peer.next();
          await(goOn);
          peer.answer(write);
          peer.answerAll();
        };
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(WRITABLE);
        NbdDevice device = open(server, impatient())) {
      Pending write = write(device, 0);
      awaitSilence();
      assertThat(device.reachability().isAway()).isTrue();
      assertThat(device.reachability().why()).startsWith("no answer for ");
      assertThat(write.done.getCount()).isEqualTo(1);
      goOn.countDown();
      assertThat(write.errno()).isEqualTo(Errno.OK);
      assertThat(flush(device).errno()).isEqualTo(Errno.OK);
      assertThat(server.connectionCount()).isEqualTo(1);
      assertThat(device.state().hasLostWrites()).isFalse();
    }
  }

  @Test
  void aDeviceIsPresentAgainWhenASilentServerGoesOn() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          Request write = peer.next();
          await(goOn);
          peer.answer(write);
          peer.answerAll();
        };
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(WRITABLE);
        NbdDevice device = open(server, impatient())) {
      Pending write = write(device, 0);
      awaitSilence();
      goOn.countDown();
      assertThat(write.errno()).isEqualTo(Errno.OK);
      await(state -> !device.reachability().isAway());
      assertThat(device.reachability().state()).isEqualTo(State.PRESENT);
    }
  }

  /** F2: who gave this connection up could never flush these writes. */
  @Test
  void aSilentConnectionThatMayStillFlushIsKept() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          peer.answer(peer.next());
          Request read = peer.next();
          await(goOn);
          peer.answer(read);
          peer.answerAll();
        };
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(WRITABLE);
        NbdDevice device = open(server, impatient())) {
      assertThat(write(device, 0).errno()).isEqualTo(Errno.OK);
      Pending read = read(device, 0, 10);
      awaitSilence();
      goOn.countDown();
      read.checkRead();
      assertThat(flush(device).errno()).isEqualTo(Errno.OK);
      assertThat(server.connectionCount()).isEqualTo(1);
    }
  }

  @Test
  void aWriteThatTakesItsTimeMakesNoAbsenceWhileOtherConnectionsAnswer() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          while (true) {
            Request request = peer.next();
            if (request.type() == Nbd.CMD_WRITE) {
              await(goOn);
            }
            peer.answer(request);
          }
        };
    int flags = WRITABLE | Nbd.FLAG_CAN_MULTI_CONN;
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(flags);
        NbdDevice device = open(server, impatient().withConnections(2))) {
      await(state -> state.connections() == 2);
      Pending write = write(device, 0);
      long end = System.nanoTime() + 5 * LIMIT_NANOS;
      while (System.nanoTime() < end) {
        read(device, 0, 10).checkRead();
        assertThat(device.reachability().state()).isEqualTo(State.PRESENT);
      }
      assertThat(write.done.getCount()).isEqualTo(1);
      goOn.countDown();
      assertThat(write.errno()).isEqualTo(Errno.OK);
      assertThat(server.connectionCount()).isEqualTo(2);
    }
  }

  @Test
  void aDeviceWhoseWriteWasNeverAnsweredFailsForGoodWhenTheHoldIsOver() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          peer.next();
          await(end);
        };
    try (ScriptedServer server = new ScriptedServer(socket, script).flags(WRITABLE);
        NbdDevice device = open(server, impatient())) {
      Pending write = write(device, 0);
      awaitSilence();
      device.holdNanos(0);
      assertThat(write.errno()).isEqualTo(Errno.EIO);
      assertThat(device.state().phase()).isEqualTo(NbdState.Phase.FAILED);
      assertThat(device.reachability().state()).isEqualTo(State.GONE);
      assertThat(new Pending(device, Operation.WRITE, 0, 512, 0).errno()).isEqualTo(Errno.EIO);
      end.countDown();
    }
  }

  @Test
  void theLimitOfSilenceCanBeChangedWhileAServerIsSilent() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    CountDownLatch taken = new CountDownLatch(1);
    Script script =
        (number, peer) -> {
          if (number == 0) {
            peer.next();
            taken.countDown();
            await(end);
          } else {
            peer.answerAll();
          }
        };
    try (ScriptedServer server = new ScriptedServer(socket, script);
        NbdDevice device = open(server, quick())) {
      Pending unanswered = read(device, 4096, 100);
      await(taken);
      device.silenceNanos(LIMIT_NANOS);
      unanswered.checkRead();
      end.countDown();
    }
  }
}
