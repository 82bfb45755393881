package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/**
 * Aim: what a first write costs, in requests and flushes. Method: origin and store note whatever is
 * submitted to them; a kernel needs for each exception a copy, a flush and a durable area write.
 */
class SnapshotCostTest {
  private static final int CHUNK = 4096;
  private static final int SIZE = 1024 * CHUNK;

  private final ShapedDevice bytes = ShapedDevice.submitOnly(new MemDevice(SIZE));
  private final ShapedDevice store = ShapedDevice.submitOnly(new MemDevice(2 * SIZE));

  private MappedDevice snapshot(TestOrigin origin) throws Exception {
    MappedDevice snapshot = origin.snapshot("store", store, "P 8");
    bytes.forgetLog();
    store.forgetLog();
    return snapshot;
  }

  private static long count(ShapedDevice device, String beginning) {
    return device.log().stream().filter(request -> request.startsWith(beginning)).count();
  }

  @Test
  @DisplayName("W3 O20: a write of a whole chunk is one write, and a flush of a hundred is shared")
  void aWriteOfAWholeChunkIsOneWrite() throws Exception {
    try (TestOrigin origin = new TestOrigin(bytes)) {
      MappedDevice snapshot = snapshot(origin);
      for (int i = 0; i < 100; i++) {
        Requests.write(snapshot, 7L * i * CHUNK, new byte[CHUNK]);
      }
      assertThat(bytes.log()).isEmpty();
      assertThat(store.log()).hasSize(100).allMatch(request -> request.startsWith("WRITE"));
      store.forgetLog();
      assertThat(Requests.flush(snapshot)).isEqualTo(Errno.OK);
      assertThat(store.log()).containsExactly("FLUSH 0+0", "WRITE " + CHUNK + "+2048 FUA");
      store.forgetLog();
      assertThat(Requests.flush(snapshot)).isEqualTo(Errno.OK);
      assertThat(store.log()).containsExactly("FLUSH 0+0");
    }
  }

  @Test
  @DisplayName("W3: a write of part of a chunk reads once and writes once")
  void aWriteOfPartOfAChunkReadsOnceAndWritesOnce() throws Exception {
    try (TestOrigin origin = new TestOrigin(bytes)) {
      MappedDevice snapshot = snapshot(origin);
      for (int i = 0; i < 50; i++) {
        Requests.write(snapshot, 3L * i * CHUNK + 1024, new byte[512]);
      }
      assertThat(bytes.log()).hasSize(50).allMatch(request -> request.startsWith("READ"));
      assertThat(store.log()).hasSize(50).allMatch(request -> request.startsWith("WRITE"));
    }
  }

  @Test
  @DisplayName("F2: writes to the origin that wait together share flushes and area writes")
  void writesToTheOriginShareFlushes() throws Exception {
    try (TestOrigin origin = new TestOrigin(bytes);
        Arena arena = Arena.ofShared()) {
      snapshot(origin);
      MemorySegment data = arena.allocate(CHUNK);
      AtomicInteger ended = new AtomicInteger();
      store.hold();
      for (int i = 0; i < 64; i++) {
        origin
            .device()
            .submit(
                new BlockRequest()
                    .data(
                        Operation.WRITE,
                        5L * i * CHUNK,
                        data,
                        0,
                        CHUNK,
                        0,
                        (request, errno) -> ended.addAndGet(errno == Errno.OK ? 1 : 0)));
      }
      assertThat(count(bytes, "READ")).isEqualTo(64);
      assertThat(count(bytes, "WRITE")).isZero();
      store.release();
      assertThat(ended).hasValue(64);
      assertThat(count(bytes, "WRITE")).isEqualTo(64);
      // The first that asks has a turn of its own; all others share the next.
      assertThat(count(store, "FLUSH")).isEqualTo(2);
      List<String> areas = store.log().stream().filter(each -> each.endsWith("FUA")).toList();
      assertThat(areas).hasSize(2);
      assertThat(count(store, "WRITE")).isEqualTo(64 + 2);
    }
  }
}
