package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Aim: buffers are bounded, shared in turn and given back. Method: takes and gives. */
class CopyBuffersTest {
  private static final int KIB = 1 << 10;

  private static MemorySegment take(CopyBuffers buffers, long bytes) {
    return Objects.requireNonNull(buffers.take(bytes, () -> {}));
  }

  @Test
  void releasedMemoryIsGoneAndCanBeTakenAnew() {
    try (CopyBuffers buffers = new CopyBuffers()) {
      MemorySegment small = take(buffers, 4 * KIB);
      MemorySegment large = take(buffers, 1024 * KIB);
      assertThat(buffers.allocatedBytes()).isEqualTo((64 + 1024) * KIB);
      buffers.give(small);
      buffers.release();
      assertThat(small.scope().isAlive()).isFalse();
      assertThat(large.scope().isAlive()).as("in use").isTrue();
      assertThat(buffers.allocatedBytes()).isEqualTo(1024 * KIB);
      buffers.give(large);
      buffers.release();
      assertThat(large.scope().isAlive()).isFalse();
      assertThat(buffers.allocatedBytes()).isZero();
      MemorySegment again = take(buffers, 1024 * KIB);
      again.fill((byte) 1);
      buffers.give(again);
    }
  }

  @Test
  void aReleaseBesideOrBehindTheCloseDoesNothing() throws Exception {
    for (int i = 0; i < 200; i++) {
      CopyBuffers buffers = new CopyBuffers();
      buffers.give(take(buffers, KIB));
      buffers.give(take(buffers, 1024 * KIB));
      CompletableFuture<Void> released = CompletableFuture.runAsync(buffers::release);
      buffers.close();
      released.get(10, TimeUnit.SECONDS);
      buffers.release();
      assertThat(buffers.allocatedBytes()).isZero();
    }
  }

  @Test
  @DisplayName("E6: of copies there are as many at once as there are buffers; others wait")
  void whoWillNotWaitTakesFromNobodyWhoDoes() {
    try (CopyBuffers buffers = new CopyBuffers()) {
      MemorySegment last = MemorySegment.NULL;
      for (MemorySegment next = buffers.takeIfFree(KIB); next != null; ) {
        last = next;
        next = buffers.takeIfFree(KIB);
      }
      assertThat(buffers.allocatedBytes()).isEqualTo(256 * 64 * KIB);
      boolean[] isCalled = new boolean[1];
      assertThat(buffers.take(KIB, () -> isCalled[0] = true)).isNull();
      buffers.give(last);
      assertThat(isCalled[0]).isTrue();
      assertThat(buffers.takeIfFree(KIB)).isNotNull();
      assertThat(buffers.takeIfFree(KIB)).isNull();
    }
  }
}
