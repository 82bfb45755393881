package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockRequest;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.SimpleReply;

/**
 * N5: once warm, a request makes no garbage on the loop. Method: the JVM's own count of what the
 * loop's thread has allocated, before and after very many requests.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AllocationTest {
  private static final int BATCH = 32;
  private static final int BLOCK_BYTES = 4096;
  private static final int WARM_BATCHES = 2_000;
  private static final int BATCHES = 4_000;

  private final ArenaDevice device = new ArenaDevice(1 << 20);

  @TempDir Path directory;

  @Test
  void readsAtOnceMakeNoGarbage() throws Exception {
    assertThat(bytesPerRequest(Nbd.CMD_READ)).isLessThan(1);
  }

  @Test
  void writesAtOnceMakeNoGarbage() throws Exception {
    assertThat(bytesPerRequest(Nbd.CMD_WRITE)).isLessThan(1);
  }

  @Test
  void readsThatHaveToWaitMakeNoGarbage() throws Exception {
    device.declining();
    assertThat(bytesPerRequest(Nbd.CMD_READ)).isLessThan(1);
  }

  @Test
  void writesThatHaveToWaitMakeNoGarbage() throws Exception {
    device.declining();
    assertThat(bytesPerRequest(Nbd.CMD_WRITE)).isLessThan(1);
  }

  @Test
  void flushesMakeNoGarbage() throws Exception {
    assertThat(bytesPerRequest(Nbd.CMD_FLUSH)).isLessThan(1);
  }

  @Test
  void completionsFromOtherThreadsMakeNoGarbage() throws Exception {
    device.holding();
    long requests = (long) (WARM_BATCHES + BATCHES) * BATCH;
    Thread completer =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (long i = 0; i < requests; i++) {
                      BlockRequest held = device.takeHeld();
                      device.carryOut(held);
                    }
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    // The device's own queue allocates its links on the loop: 24 bytes, or 16 with short headers.
    assertThat(bytesPerRequest(Nbd.CMD_READ)).isLessThan(25);
    completer.join();
  }

  private double bytesPerRequest(int command) throws Exception {
    try (WorkerDiskPool disks = new WorkerDiskPool(1);
        Engine engine = new Engine(1, disks);
        NbdServer server = new NbdServer(engine, ServerOptions.DEFAULT)) {
      server.add(Export.of("", device));
      SocketAddress address =
          server.listen(UnixDomainSocketAddress.of(directory.resolve("s"))).address();
      CompletableFuture<Long> loopThread = new CompletableFuture<>();
      engine.nextLoop().execute(() -> loopThread.complete(Thread.currentThread().threadId()));
      long thread = loopThread.get(10, TimeUnit.SECONDS);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      try (RawClient client = RawClient.go(address, "")) {
        hold(client, command, WARM_BATCHES);
        long before = threads.getThreadAllocatedBytes(thread);
        hold(client, command, BATCHES);
        long allocated = threads.getThreadAllocatedBytes(thread) - before;
        return (double) allocated / (BATCHES * BATCH);
      } finally {
        assertThat(server.close(Duration.ofSeconds(10))).isTrue();
      }
    }
  }

  private static void hold(RawClient client, int command, int batches) throws IOException {
    boolean isWrite = command == Nbd.CMD_WRITE;
    boolean isFlush = command == Nbd.CMD_FLUSH;
    ByteBuffer batch = ByteBuffer.allocateDirect(BATCH * (28 + BLOCK_BYTES));
    for (int i = 0; i < BATCH; i++) {
      long length = isFlush ? 0 : BLOCK_BYTES;
      batch.put(RawClient.header(command, 0, i, isFlush ? 0 : i * 4096L, length));
      if (isWrite) {
        batch.put(new byte[BLOCK_BYTES]);
      }
    }
    batch.flip();
    int answerBytes = SimpleReply.SIZE_BYTES + (command == Nbd.CMD_READ ? BLOCK_BYTES : 0);
    for (int i = 0; i < batches; i++) {
      client.send(batch.duplicate());
      ByteBuffer answers = client.receive(BATCH * answerBytes);
      for (int at = 0; at < answers.limit(); at += answerBytes) {
        if (SimpleReply.error(answers, at) != 0) {
          throw new IOException("request failed");
        }
      }
    }
  }
}
