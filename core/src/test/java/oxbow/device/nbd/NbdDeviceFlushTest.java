package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.device.nbd.ScriptedServer.Request;
import oxbow.device.nbd.ScriptedServer.Script;
import oxbow.nbd.wire.Nbd;

/**
 * Aim: a flush that succeeds has made durable what it should have, across restarts of the server.
 * Method: scripted servers that go at the worst moment.
 */
class NbdDeviceFlushTest extends ScriptedDeviceTest {
  NbdDeviceFlushTest(@TempDir Path directory) throws IOException {
    super(directory);
  }

  /** Answers, but closes the connection instead when it sees a request that the test names. */
  private static Script closingAt(BlockingQueue<Request> seen, Predicate<Request> last) {
    return (number, peer) -> {
      while (true) {
        Request request = peer.next();
        seen.add(request);
        if (number == 0 && last.test(request)) {
          return;
        }
        peer.answer(request);
      }
    };
  }

  @Test
  @DisplayName("a write in flight is sent again; nothing is lost by that, so the flush succeeds")
  void writesInFlightSurviveALoss() throws Exception {
    BlockingQueue<Request> seen = new LinkedBlockingQueue<>();
    try (ScriptedServer server =
            new ScriptedServer(socket, closingAt(seen, request -> request.type() == Nbd.CMD_WRITE))
                .flags(WRITABLE);
        NbdDevice device = open(server, quick())) {
      assertThat(write(device, 0).errno()).isEqualTo(Errno.OK);
      assertThat(flush(device).errno()).isEqualTo(Errno.OK);
      assertThat(seen)
          .extracting(Request::type)
          .containsExactly(Nbd.CMD_WRITE, Nbd.CMD_WRITE, Nbd.CMD_FLUSH);
      assertThat(device.state().hasLostWrites()).isFalse();
    }
  }

  @Test
  @DisplayName(
      "F2: a flush that was cut off after unflushed writes fails, and so do all later ones")
  void aFlushThatMayHaveLostWritesFails() throws Exception {
    BlockingQueue<Request> seen = new LinkedBlockingQueue<>();
    try (ScriptedServer server =
            new ScriptedServer(socket, closingAt(seen, request -> request.type() == Nbd.CMD_FLUSH))
                .flags(WRITABLE);
        NbdDevice device = open(server, quick())) {
      assertThat(write(device, 0).errno()).isEqualTo(Errno.OK);
      assertThat(flush(device).errno()).isEqualTo(Errno.EIO);
      assertThat(device.state().hasLostWrites()).isTrue();
      read(device, 0, 10).checkRead();
      assertThat(write(device, Flags.FUA).errno()).as("durable by itself").isEqualTo(Errno.OK);
      assertThat(flush(device).errno()).as("never back").isEqualTo(Errno.EIO);
    }
  }

  @Test
  @DisplayName("F2: the loss alone is enough, whenever the flush comes")
  void aFlushAfterAReconnectionFailsIfWritesWereNotFlushedBefore() throws Exception {
    BlockingQueue<Request> seen = new LinkedBlockingQueue<>();
    try (ScriptedServer server =
            new ScriptedServer(socket, closingAt(seen, request -> request.type() == Nbd.CMD_READ))
                .flags(WRITABLE);
        NbdDevice device = open(server, quick())) {
      assertThat(write(device, 0).errno()).isEqualTo(Errno.OK);
      read(device, 0, 10).checkRead();
      assertThat(flush(device).errno()).isEqualTo(Errno.EIO);
      assertThat(seen).extracting(Request::type).doesNotContain(Nbd.CMD_FLUSH);
    }
  }

  @Test
  @DisplayName("F1: flushed and FUA writes are safe, so an interrupted flush is sent again")
  void aFlushWithNothingToLoseIsSentAgain() throws Exception {
    BlockingQueue<Request> seen = new LinkedBlockingQueue<>();
    AtomicInteger flushes = new AtomicInteger();
    Predicate<Request> second =
        request -> request.type() == Nbd.CMD_FLUSH && flushes.incrementAndGet() == 2;
    try (ScriptedServer server =
            new ScriptedServer(socket, closingAt(seen, second)).flags(WRITABLE);
        NbdDevice device = open(server, quick())) {
      assertThat(write(device, 0).errno()).isEqualTo(Errno.OK);
      assertThat(flush(device).errno()).isEqualTo(Errno.OK);
      assertThat(write(device, Flags.FUA).errno()).isEqualTo(Errno.OK);
      assertThat(flush(device).errno()).isEqualTo(Errno.OK);
      assertThat(server.connectionCount()).isEqualTo(2);
    }
  }

  @Test
  @DisplayName("F1: a connection that lived through it all carries the flush for a lost one")
  void anotherConnectionCarriesTheFlush() throws Exception {
    CountDownLatch cut = new CountDownLatch(1);
    BlockingQueue<Integer> flushedOn = new LinkedBlockingQueue<>();
    Script script =
        (number, peer) -> {
          if (number == 1) {
            Request write = peer.next();
            peer.answer(write);
            await(cut);
            return;
          }
          while (true) {
            Request request = peer.next();
            if (request.type() == Nbd.CMD_FLUSH) {
              flushedOn.add(number);
            }
            if (request.type() != Nbd.CMD_READ) {
              peer.answer(request);
            }
          }
        };
    try (ScriptedServer server =
            new ScriptedServer(socket, script).flags(WRITABLE | Nbd.FLAG_CAN_MULTI_CONN);
        NbdDevice device = open(server, quick().withConnections(2))) {
      await(state -> state.connections() == 2);
      // A read that is never answered keeps the first connection busier than the second.
      Pending never = read(device, 0, 10);
      assertThat(write(device, 0).errno()).isEqualTo(Errno.OK);
      cut.countDown();
      await(state -> state.connections() == 1);
      await(state -> state.connections() == 2);
      assertThat(flush(device).errno()).isEqualTo(Errno.OK);
      assertThat(flushedOn).containsExactly(0);
      assertThat(never.done.getCount()).isEqualTo(1);
    }
  }
}
