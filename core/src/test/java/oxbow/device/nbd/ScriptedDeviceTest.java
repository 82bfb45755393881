package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.engine.Engine;
import oxbow.nbd.wire.Nbd;

/** What tests with scripted servers share: an engine, a socket, the states that a device told. */
@Timeout(60)
abstract class ScriptedDeviceTest {
  static final int WRITABLE = Nbd.FLAG_SEND_FLUSH | Nbd.FLAG_SEND_FUA;
  static final long SECONDS = 20;

  @AutoClose final Engine engine;
  final Path socket;
  private final BlockingQueue<NbdState> states = new LinkedBlockingQueue<>();

  ScriptedDeviceTest(@TempDir Path directory) throws IOException {
    engine = TestEngine.create();
    socket = directory.resolve("sock");
  }

  static NbdOptions quick() {
    return NbdOptions.defaults().withConnections(1).withDelaysNanos(1000, 1_000_000);
  }

  NbdDevice open(ScriptedServer server, NbdOptions options) throws IOException {
    return NbdDevice.open(
        server.address(), engine.nextLoop(), engine.blocking(), options, states::add);
  }

  NbdState await(Predicate<NbdState> wanted) throws InterruptedException {
    while (true) {
      NbdState state = states.poll(SECONDS, TimeUnit.SECONDS);
      assertThat(state).as("a state that did not come").isNotNull();
      if (wanted.test(state)) {
        return state;
      }
    }
  }

  NbdState await(NbdState.Phase phase) throws InterruptedException {
    return await(state -> state.phase() == phase);
  }

  /** A request under way. */
  static final class Pending {
    private final BlockRequest request = new BlockRequest();
    private final MemorySegment buffer;
    final CountDownLatch done = new CountDownLatch(1);
    private final AtomicInteger errno = new AtomicInteger(-1);

    Pending(NbdDevice device, Operation operation, long at, int length, int flags) {
      buffer = Arena.ofAuto().allocate(Math.max(1, length));
      request.data(
          operation,
          at,
          buffer,
          0,
          length,
          flags,
          (ended, error) -> {
            errno.set(error);
            done.countDown();
          });
      device.submit(request);
    }

    int errno() throws InterruptedException {
      assertThat(done.await(SECONDS, TimeUnit.SECONDS)).as("completed").isTrue();
      return errno.get();
    }

    void checkRead() throws InterruptedException {
      assertThat(errno()).isEqualTo(Errno.OK);
      for (int i = 0; i < request.lengthBytes(); i++) {
        assertThat(buffer.get(ValueLayout.JAVA_BYTE, i))
            .isEqualTo(ScriptedServer.patternAt(request.offsetBytes() + i));
      }
    }
  }

  static Pending read(NbdDevice device, long at, int length) {
    return new Pending(device, Operation.READ, at, length, 0);
  }

  static Pending write(NbdDevice device, int flags) {
    return new Pending(device, Operation.WRITE, 0, 512, flags);
  }

  static Pending flush(NbdDevice device) {
    return new Pending(device, Operation.FLUSH, 0, 0, 0);
  }

  static void await(CountDownLatch latch) throws IOException {
    try {
      assertThat(latch.await(SECONDS, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
