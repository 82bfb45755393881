package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;

/**
 * A server with one export on a real Unix socket, over a device in memory that can hold requests.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class ServerFixture {
  static final int SIZE_BYTES = 64 << 20;
  static final Duration DEADLINE = Duration.ofSeconds(20);

  @TempDir Path directory;

  final ArenaDevice device = new ArenaDevice(SIZE_BYTES).logging();
  private final WorkerDiskPool disks = new WorkerDiskPool(1);
  private Engine engine;
  ServerListener listener = ServerListener.NONE;
  NbdServer server;
  SocketAddress address;

  @BeforeEach
  void start() throws IOException {
    engine = new Engine(2, disks);
    start(ServerOptions.DEFAULT);
  }

  final void start(ServerOptions options) throws IOException {
    server = new NbdServer(engine, options, listener);
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

  final RawClient client() throws IOException {
    return RawClient.go(address, "disk");
  }

  /** An action beside the test's own thread. */
  interface Action {
    void run() throws Exception;
  }

  /** On a thread of its own: the common pool may have a single one. */
  static CompletableFuture<Void> beside(Action action) {
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

  static byte[] random(int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    new Random(lengthBytes).nextBytes(bytes);
    return bytes;
  }

  final byte[] stored(long offset, int length) {
    return device.memory().asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  final void awaitNoConnections() {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (server.connectionCount() > 0) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}
