package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/**
 * Aim: the rules of merging, one by one. Method: mapped devices over memory; origin and stores note
 * what comes to them, and hold it where the test wants to look in between. A chunk is eight
 * sectors.
 */
class SnapshotMergeRulesTest {
  private static final int CHUNK = 4096;
  private static final int SIZE = 32 * CHUNK;

  private final ShapedDevice bytes = ShapedDevice.submitOnly(new MemDevice(SIZE));

  /** An origin of ones. */
  private TestOrigin origin() {
    Requests.write(bytes, 0, filled(1, SIZE));
    return new TestOrigin(bytes);
  }

  private static byte[] filled(int value, int count) {
    byte[] all = new byte[count];
    Arrays.fill(all, (byte) value);
    return all;
  }

  @Test
  @DisplayName("M10 H2: a merge that takes over an invalid snapshot leaves all to the origin")
  void aMergeOfAnInvalidSnapshotLeavesAllToTheOrigin() throws Exception {
    ShapedDevice small = ShapedDevice.submitOnly(new MemDevice(5L * CHUNK));
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", small, "P 8");
      Requests.write(snapshot, 0, filled(2, CHUNK));
      Requests.write(origin.device(), CHUNK, filled(3, SIZE - CHUNK));
      assertThat(snapshot.status(true)).endsWith("snapshot Invalid");
      MappedDevice merge = origin.load("merge", "snapshot-merge", "store", "P 8");
      assertThat(snapshot.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      small.forgetLog();
      merge.resume();
      assertThat(Requests.read(merge, 0, CHUNK)).isEqualTo(filled(1, CHUNK));
      Requests.write(merge, 0, filled(4, CHUNK));
      assertThat(Requests.read(bytes, 0, CHUNK)).isEqualTo(filled(4, CHUNK));
      assertThat(Requests.read(merge, 0, CHUNK)).isEqualTo(filled(4, CHUNK));
      assertThat(merge.status(true)).endsWith("snapshot-merge Invalid");
      assertThat(small.log()).isEmpty();
    }
  }
}
