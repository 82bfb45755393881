package oxbow.mapped;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import oxbow.block.BlockRequest;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/**
 * An origin of ones, 32 chunks of eight sectors, and a store: both note what comes to them, and
 * hold it where the test wants to look in between.
 */
final class SnapshotScene implements AutoCloseable {
  static final int CHUNK = 4096;
  static final int SIZE = 32 * CHUNK;

  final ShapedDevice bytes = ShapedDevice.submitOnly(new MemDevice(SIZE));
  final ShapedDevice store = ShapedDevice.submitOnly(new MemDevice(4L * SIZE));
  final TestOrigin origin;

  SnapshotScene() {
    Requests.write(bytes, 0, filled(1, SIZE));
    origin = new TestOrigin(bytes);
  }

  static byte[] filled(int value, int count) {
    byte[] all = new byte[count];
    Arrays.fill(all, (byte) value);
    return all;
  }

  /** A write that the test does not wait for; its error number. */
  static CompletableFuture<Integer> startWrite(MappedDevice device, long at, byte[] written) {
    MemorySegment data =
        Arena.ofAuto().allocate(written.length).copyFrom(MemorySegment.ofArray(written));
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .data(
                Operation.WRITE,
                at,
                data,
                0,
                written.length,
                0,
                (request, errno) -> done.complete(errno)));
    return done;
  }

  /** What was written to the origin's device, or discarded there, since the log was forgotten. */
  List<String> changesOfTheOrigin() {
    return bytes.log().stream()
        .filter(request -> !request.startsWith("READ") && !request.startsWith("FLUSH"))
        .toList();
  }

  /**
   * A store that says twos at some chunks of the origin, written in this order; nobody uses it.
   * Nothing is noted of that.
   */
  void fillStore(int... chunks) throws Exception {
    MappedDevice snapshot = origin.snapshot("store", store, "P 8");
    for (int chunk : chunks) {
      Requests.write(snapshot, (long) chunk * CHUNK, filled(2, CHUNK));
    }
    origin.remove("store");
    bytes.forgetLog();
    store.forgetLog();
  }

  @Override
  public void close() throws IOException {
    origin.close();
  }
}
