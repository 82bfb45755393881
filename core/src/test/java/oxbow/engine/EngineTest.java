package oxbow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Loops run what is posted, once and in order; streams carry bytes whole. Method: real sockets, an
 * echo on one side and a sender on the other, both on the engine.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineTest {
  @TempDir Path directory;

  private final WorkerDiskPool disks = new WorkerDiskPool(1);
  private Engine engine;

  @BeforeEach
  void start() throws IOException {
    engine = new Engine(2, disks);
  }

  @AfterEach
  void stop() {
    engine.close();
    disks.close();
  }

  private SocketAddress unix() {
    return UnixDomainSocketAddress.of(directory.resolve("s"));
  }

  private static <T> T await(CompletableFuture<T> future) throws Exception {
    return future.get(20, TimeUnit.SECONDS);
  }

  /** Sends back whatever comes. */
  private static final class Echo implements Stream.Handler {
    private final Stream stream;
    private final IoBuffer buffer;

    Echo(Stream stream) {
      this.stream = stream;
      this.buffer = stream.loop().buffers().take(100_000);
      stream.handler(this);
      pump(0);
    }

    private void pump(int lengthBytes) {
      int length = lengthBytes;
      do {
        if (length > 0 && !stream.send(buffer, 0, length)) {
          return;
        }
        length = stream.receive(buffer, 0, 100_000);
      } while (length > 0);
    }

    @Override
    public void received(int lengthBytes) {
      pump(lengthBytes);
    }

    @Override
    public void sent() {
      pump(0);
    }

    @Override
    public void closed(String why) {
      stream.loop().buffers().give(buffer);
    }
  }

  /** Sends pieces of a pattern and collects what comes back. */
  private static final class Sender implements Stream.Handler, EventLoop.Connector {
    private final byte[] pattern;
    private final ByteBuffer back;
    private final IoBuffer outgoing;
    private final IoBuffer incoming = IoBuffer.allocate(70_000);
    private final CompletableFuture<String> closed = new CompletableFuture<>();
    private final CompletableFuture<byte[]> complete = new CompletableFuture<>();
    private @Nullable Stream stream;

    Sender(int lengthBytes) {
      pattern = new byte[lengthBytes];
      new Random(1).nextBytes(pattern);
      back = ByteBuffer.allocate(lengthBytes);
      outgoing = IoBuffer.allocate(lengthBytes);
      outgoing.bytes().put(0, pattern);
    }

    @Override
    public void connected(Stream connected) {
      stream = connected;
      connected.handler(this);
      Pieces pieces = new Pieces(3);
      int third = pattern.length / 3;
      pieces.add(outgoing, 0, third);
      pieces.add(outgoing, third, third);
      pieces.add(outgoing, 2 * third, pattern.length - 2 * third);
      connected.send(pieces);
      receive();
    }

    Stream stream() {
      return Objects.requireNonNull(stream);
    }

    private void receive() {
      int length;
      while (back.hasRemaining() && (length = stream().receive(incoming, 0, 70_000)) > 0) {
        keep(length);
      }
    }

    private void keep(int lengthBytes) {
      byte[] bytes = new byte[lengthBytes];
      incoming.bytes().get(0, bytes);
      back.put(bytes);
      if (!back.hasRemaining()) {
        complete.complete(back.array());
      }
    }

    @Override
    public void received(int lengthBytes) {
      keep(lengthBytes);
      receive();
    }

    @Override
    public void sent() {}

    @Override
    public void closed(String why) {
      closed.complete(why);
      complete.completeExceptionally(new IOException("closed: " + why));
    }

    @Override
    public void failed(IOException why) {
      complete.completeExceptionally(why);
    }
  }

  private void echoes(SocketAddress at) throws Exception {
    Listener listener = engine.listen(at, Echo::new);
    for (int length : new int[] {3, 1000, 5 << 20}) {
      Sender sender = new Sender(length);
      engine.nextLoop().connect(listener.address(), sender);
      assertThat(await(sender.complete)).isEqualTo(sender.pattern);
      Stream stream = sender.stream();
      stream.loop().execute(stream::close);
      assertThat(await(sender.closed)).isEmpty();
    }
    listener.close();
  }

  @Test
  void streamsCarryBytesOverUnixSockets() throws Exception {
    echoes(unix());
  }

  @Test
  void streamsCarryBytesOverTcp() throws Exception {
    echoes(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  @Test
  void failedConnectIsToldOnce() throws Exception {
    Sender nobody = new Sender(3);
    engine.nextLoop().connect(unix(), nobody);
    assertThatThrownBy(() -> await(nobody.complete)).hasCauseInstanceOf(IOException.class);

    int port;
    try (Listener listener =
        engine.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Echo::new)) {
      port = ((InetSocketAddress) listener.address()).getPort();
    }
    Sender refused = new Sender(3);
    engine
        .nextLoop()
        .connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), refused);
    assertThatThrownBy(() -> await(refused.complete)).hasCauseInstanceOf(IOException.class);
  }

  @Test
  void handlerThatThrowsLosesItsStreamAndNothingElse() throws Exception {
    Listener listener =
        engine.listen(
            unix(),
            stream -> {
              stream.handler(
                  new Stream.Handler() {
                    @Override
                    public void received(int lengthBytes) {
                      throw new IllegalStateException("on purpose");
                    }

                    @Override
                    public void sent() {}

                    @Override
                    public void closed(String why) {}
                  });
              stream.receive(IoBuffer.allocate(100), 0, 100);
            });
    for (int i = 0; i < 4; i++) {
      Sender sender = new Sender(3);
      engine.nextLoop().connect(listener.address(), sender);
      assertThat(await(sender.closed)).isNotNull();
    }
  }

  @Test
  void connectionsAreSpreadOverTheLoops() throws Exception {
    Set<EventLoop> used = ConcurrentHashMap.newKeySet();
    CountDownLatch accepted = new CountDownLatch(4);
    Listener listener =
        engine.listen(
            unix(),
            stream -> {
              assertThat(stream.loop().isCurrent()).isTrue();
              used.add(stream.loop());
              new Echo(stream);
              accepted.countDown();
            });
    for (int i = 0; i < 4; i++) {
      engine.loops().getFirst().connect(listener.address(), new Sender(3));
    }
    assertThat(accepted.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(used).isEqualTo(new HashSet<>(engine.loops()));
  }

  @Test
  void closingTheEngineTellsEveryStream() throws Exception {
    Listener listener = engine.listen(unix(), Echo::new);
    Sender sender = new Sender(3);
    engine.nextLoop().connect(listener.address(), sender);
    await(sender.complete);
    engine.close();
    assertThat(sender.closed).isCompleted();
  }

  @Test
  void tasksOfOneThreadRunInTheirOrder() throws Exception {
    EventLoop loop = engine.nextLoop();
    List<Integer> order = new ArrayList<>();
    CompletableFuture<Void> end = new CompletableFuture<>();
    for (int i = 0; i < 10_000; i++) {
      int number = i;
      loop.execute(() -> order.add(number));
    }
    loop.execute(() -> end.complete(null));
    await(end);
    assertThat(order).hasSize(10_000).isSorted();
  }

  @Test
  void noPostIsLostAndRunsAreFewerThanPosts() throws Exception {
    EventLoop loop = engine.nextLoop();
    int threads = 4;
    int posts = 100_000;
    AtomicLong done = new AtomicLong();
    AtomicLong seen = new AtomicLong();
    AtomicInteger runs = new AtomicInteger();
    CompletableFuture<Void> end = new CompletableFuture<>();
    LoopTask task =
        new LoopTask() {
          @Override
          protected void run() {
            runs.incrementAndGet();
            seen.set(done.get());
            if (seen.get() == (long) threads * posts) {
              end.complete(null);
            }
          }
        };
    for (int i = 0; i < threads; i++) {
      Thread.ofPlatform()
          .start(
              () -> {
                for (int j = 0; j < posts; j++) {
                  done.incrementAndGet();
                  loop.post(task);
                }
              });
    }
    await(end);
    assertThat(seen.get()).isEqualTo((long) threads * posts);
    assertThat(runs.get()).isLessThanOrEqualTo(threads * posts);
  }

  @Test
  void taskThatPostsItselfDoesNotKeepOthersWaiting() throws Exception {
    EventLoop loop = engine.nextLoop();
    CompletableFuture<Void> end = new CompletableFuture<>();
    LoopTask again =
        new LoopTask() {
          @Override
          protected void run() {
            if (!end.isDone()) {
              loop.post(this);
            }
          }
        };
    loop.post(again);
    loop.after(1_000_000, () -> end.complete(null));
    await(end);
  }

  @Test
  void taskThatThrowsDoesNotEndTheLoop() throws Exception {
    EventLoop loop = engine.nextLoop();
    CompletableFuture<Void> end = new CompletableFuture<>();
    loop.execute(
        () -> {
          throw new IllegalStateException("on purpose");
        });
    loop.execute(() -> end.complete(null));
    await(end);
  }

  @Test
  void timersRunInTheOrderOfTheirTimesUnlessCancelled() throws Exception {
    EventLoop loop = engine.nextLoop();
    List<String> order = new ArrayList<>();
    CompletableFuture<Void> end = new CompletableFuture<>();
    long begin = System.nanoTime();
    loop.after(TimeUnit.MILLISECONDS.toNanos(40), () -> end.complete(null));
    loop.after(TimeUnit.MILLISECONDS.toNanos(20), () -> order.add("second"));
    loop.after(TimeUnit.MILLISECONDS.toNanos(10), () -> order.add("first"));
    loop.after(TimeUnit.MILLISECONDS.toNanos(15), () -> order.add("never")).cancel();
    await(end);
    assertThat(System.nanoTime() - begin).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(40));
    assertThat(order).containsExactly("first", "second");
  }

  @Test
  void poolGivesTheSmallestBufferThatFitsAndUsesItAgain() {
    BufferPool pool = new BufferPool(1 << 20);
    assertThat(pool.take(0).capacity()).isEqualTo(4096);
    assertThat(pool.take(4096).capacity()).isEqualTo(4096);
    assertThat(pool.take(4097).capacity()).isEqualTo(8192);
    assertThat(pool.take(BufferPool.MAX_BYTES).capacity()).isEqualTo(32 << 20);
    assertThatThrownBy(() -> pool.take(BufferPool.MAX_BYTES + 1))
        .isInstanceOf(IllegalArgumentException.class);

    IoBuffer buffer = pool.take(10_000);
    pool.give(buffer);
    assertThat(pool.idleBytes()).isEqualTo(16_384);
    assertThat(pool.take(9_000)).isSameAs(buffer);
    pool.give(pool.take(2 << 20));
    assertThat(pool.idleBytes()).as("more than may lie idle").isZero();
  }
}
