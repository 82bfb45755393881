package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/**
 * Aim: the kernel's own loss of data does not happen here (O1). A region is discarded while its
 * copy is in flight, then written; a kernel answers both at once, and the copy lands on top of the
 * write. Method: a device holds the copy's read, or its write, until discard and write have been
 * submitted.
 */
class DiscardRaceTest {
  private static final int REGION = 4096;
  private static final int SIZE = 16 * REGION;

  private final MemDevice sourceMemory = TestClone.random(SIZE, 1);
  private final MemDevice destinationMemory = TestClone.random(SIZE, 2);
  private final ShapedDevice source = ShapedDevice.submitOnly(sourceMemory);
  private final ShapedDevice destination = ShapedDevice.submitOnly(destinationMemory);
  private final byte[] written = new byte[REGION];

  DiscardRaceTest() {
    Arrays.fill(written, (byte) 'W');
  }

  @ParameterizedTest(name = "the copy''s {0} is held")
  @ValueSource(strings = {"read", "write"})
  @DisplayName("O1: discard, then write, while the region's copy is in flight: the write stays")
  void theCopyNeverLandsOnTopOfAWriteThatFollowedADiscard(String held) throws Exception {
    ShapedDevice holding = (held.equals("read") ? source : destination).hold();
    try (TestClone clone = new TestClone(source, destination, "8 0");
        Arena arena = Arena.ofShared()) {
      assertThat(holding.heldCount()).as("the copy of region 0 is in flight").isEqualTo(1);
      MemorySegment data = arena.allocate(REGION).copyFrom(MemorySegment.ofArray(written));
      CompletableFuture<Integer> discarded = new CompletableFuture<>();
      clone.device.submit(
          new BlockRequest()
              .range(Operation.DISCARD, 0, REGION, 0, (ended, errno) -> discarded.complete(errno)));
      CompletableFuture<Integer> answered = new CompletableFuture<>();
      clone.device.submit(
          new BlockRequest()
              .data(
                  Operation.WRITE,
                  0,
                  data,
                  0,
                  REGION,
                  0,
                  (ended, errno) -> answered.complete(errno)));
      assertThat(discarded).as("it waits for the copy").isNotDone();
      assertThat(answered).as("it waits for the copy").isNotDone();
      holding.release();
      assertThat(Requests.await(discarded)).isEqualTo(Errno.OK);
      assertThat(Requests.await(answered)).isEqualTo(Errno.OK);
      assertThat(Requests.read(clone.device, 0, REGION)).isEqualTo(written);
      clone.hydrate();
    }
    byte[] expected = Requests.read(sourceMemory, 0, SIZE);
    System.arraycopy(written, 0, expected, 0, REGION);
    assertThat(Requests.read(destinationMemory, 0, SIZE)).isEqualTo(expected);
    assertThat(destination.log())
        .containsSubsequence("WRITE 0+4096", "DISCARD 0+4096", "WRITE 0+4096");
  }
}
