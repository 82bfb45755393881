package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/**
 * Aim: O13 as the frame carries it out: right bytes for the user and the destination, in that
 * order, from a buffer of its own. Method: clones of 64 KiB regions over devices that hold requests
 * until the test lets them go.
 */
class ReadThroughTest {
  private static final int KIB = 1 << 10;
  private static final int REGION = 64 * KIB;
  private static final int REGIONS = 400;
  private static final String TAIL = "128 2 no_hydration hydrate_on_read";

  private final MemDevice sourceMemory = TestClone.random((long) REGIONS * REGION, 1);
  private final MemDevice destinationMemory = TestClone.random((long) REGIONS * REGION, 2);
  private final ShapedDevice source = ShapedDevice.submitOnly(sourceMemory);
  private final ShapedDevice destination = ShapedDevice.submitOnly(destinationMemory);

  private byte[] ofSource(int at, int length) {
    return Requests.read(sourceMemory, at, length);
  }

  @Test
  @DisplayName("O13: the answer waits for the user's bytes alone, not for the rest or the write")
  void theAnswerWaitsForTheUsersBytesAlone() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      destination.hold();
      int at = REGION + 5 * KIB;
      assertThat(Requests.read(clone.device, at, 3 * KIB)).isEqualTo(ofSource(at, 3 * KIB));
      assertThat(source.log())
          .containsExactly("READ 70656+3072", "READ 65536+5120", "READ 73728+57344");
      assertThat(destination.heldCount()).isEqualTo(1);
      assertThat(clone.hydrated()).isEqualTo("0/400");
      destination.release();
      assertThat(clone.hydrated()).isEqualTo("1/400");
      assertThat(Requests.read(destinationMemory, REGION, REGION))
          .isEqualTo(ofSource(REGION, REGION));
    }
  }

  @Test
  @DisplayName("O13: a source that answers at once is read without a hand-off")
  void aSourceThatAnswersAtOnceIsNotSubmittedTo() throws Exception {
    ShapedDevice inline = ShapedDevice.inline(sourceMemory);
    try (TestClone clone = new TestClone(inline, destination, TAIL)) {
      assertThat(Requests.read(clone.device, 0, REGION)).isEqualTo(ofSource(0, REGION));
      assertThat(clone.hydrated()).isEqualTo("1/400");
      assertThat(inline.log()).isEmpty();
    }
  }

  @Test
  @DisplayName("O13: more reads than there are buffers go to the source, none waits for a write")
  void readsWithoutABufferGoToTheSource() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      destination.hold();
      for (int i = 0; i < REGIONS; i++) {
        assertThat(Requests.read(clone.device, (long) i * REGION, KIB))
            .isEqualTo(ofSource(i * REGION, KIB));
      }
      assertThat(destination.heldCount()).as("bounded by the buffers").isLessThan(REGIONS);
      destination.release();
      clone.timers.fire();
      for (int i = 0; i < REGIONS; i++) {
        assertThat(Requests.read(clone.device, (long) i * REGION, KIB))
            .isEqualTo(ofSource(i * REGION, KIB));
      }
      assertThat(clone.hydrated()).isEqualTo("400/400");
      assertThat(clone.warnings).isEmpty();
    }
    assertThat(Requests.read(destinationMemory, 0, REGIONS * REGION))
        .isEqualTo(ofSource(0, REGIONS * REGION));
  }

  @Test
  @DisplayName("R3 O13: errors of the read are the user's, those that come later nobody's")
  void errorsBehindTheReplyReachNobody() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      destination.failWhen(request -> request.operation() == Operation.WRITE);
      assertThat(Requests.read(clone.device, 0, KIB)).isEqualTo(ofSource(0, KIB));
      clone.device.message(List.of("enable_hydrate_on_read"));
      source.failWhen(request -> request.offsetBytes() == 2 * KIB);
      assertThat(Requests.read(clone.device, 0, 2 * KIB)).isEqualTo(ofSource(0, 2 * KIB));
      clone.device.message(List.of("enable_hydrate_on_read"));
      assertThat(Requests.tryRead(clone.device, 2 * KIB, KIB, 0)).isEqualTo(Errno.EIO);
      assertThat(clone.hydrated()).isEqualTo("0/400");
      assertThat(clone.warnings).hasSize(3);
      assertThat(clone.progress().failures()).isEqualTo(3);
      source.failWhen(request -> false);
      destination.failWhen(request -> false);
    }
  }

  @Test
  @DisplayName("Z1 O13: suspend waits for hydrations whose users have been answered long ago")
  void suspendWaitsForWritesBehindReplies() throws Exception {
    try (TestClone clone = new TestClone(source, destination, TAIL)) {
      destination.hold();
      Requests.read(clone.device, 0, KIB);
      assertThat(clone.device.suspend(1)).isFalse();
      CompletableFuture<Boolean> suspended =
          CompletableFuture.supplyAsync(() -> clone.device.suspend(TestClone.TIMEOUT_NANOS));
      destination.release();
      assertThat(Requests.await(suspended)).isTrue();
      assertThat(clone.committedCount()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("O7 O13: extents of what is not hydrated are the source's, where reads hydrate too")
  void extentsAreTheSourcesWord() throws Exception {
    MemDevice sparse = new MemDevice((long) REGIONS * REGION);
    Requests.write(sparse, REGION, new byte[] {1});
    try (TestClone clone = new TestClone(sparse, destination, TAIL)) {
      List<Boolean> zero = new ArrayList<>();
      Requests.extents(clone.device, 0, (long) REGIONS * REGION, 10)
          .forEach(extent -> zero.add(extent.isZero()));
      assertThat(zero).containsExactly(true, false, true);
      assertThat(clone.hydrated()).isEqualTo("0/400");
    }
  }

  @Test
  @DisplayName("O6 O13: where the destination is known to hold zeros only data is written")
  void onlyDataIsWrittenToAPristineDestination() throws Exception {
    MemDevice sparse = new MemDevice((long) REGIONS * REGION);
    byte[] data = new byte[4 * KIB];
    Arrays.fill(data, (byte) 3);
    Requests.write(sparse, 8 * KIB, data);
    ShapedDevice empty = ShapedDevice.submitOnly(new MemDevice((long) REGIONS * REGION));
    try (TestClone clone =
        new TestClone(
            sparse,
            empty,
            new MemDevice(4 << 20),
            TAIL,
            new oxbow.target.clone.CloneOptions(false, 0, 10, true, 64),
            Runnable::run)) {
      Requests.read(clone.device, 0, REGION);
      assertThat(empty.log()).containsExactly("WRITE 8192+4096");
      assertThat(Requests.read(clone.device, 8 * KIB, 4 * KIB)).isEqualTo(data);
    }
  }
}
