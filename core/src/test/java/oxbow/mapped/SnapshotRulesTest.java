package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.TargetException;

/**
 * Aim: the rules of snapshots that need no particular order of events, one by one. Method: mapped
 * devices over memory; origin and stores note what comes to them. A chunk is eight sectors.
 */
class SnapshotRulesTest {
  private static final int CHUNK = 4096;
  private static final int SIZE = 32 * CHUNK;
  private static final String ZEROES = " 1 discard_zeroes_cow";
  private static final String PASSDOWN = " 2 discard_zeroes_cow discard_passdown_origin";

  private final ShapedDevice bytes = ShapedDevice.submitOnly(new MemDevice(SIZE));
  private final ShapedDevice store = ShapedDevice.submitOnly(new MemDevice(4L * SIZE));

  /** An origin of ones. */
  private TestOrigin origin() {
    Requests.write(bytes, 0, ones(SIZE));
    return new TestOrigin(bytes);
  }

  private static byte[] ones(int count) {
    byte[] all = new byte[count];
    Arrays.fill(all, (byte) 1);
    return all;
  }

  private static byte[] twos(int count) {
    byte[] all = new byte[count];
    Arrays.fill(all, (byte) 2);
    return all;
  }

  private static int discard(MappedDevice device, int at, int length) {
    return Requests.run(device, Operation.DISCARD, at, length, 0);
  }

  private List<String> changesOfTheOrigin() {
    return bytes.log().stream()
        .filter(request -> !request.startsWith("READ") && !request.startsWith("FLUSH"))
        .toList();
  }

  @Test
  @DisplayName("C8: of one origin, one store is merged at a time")
  void oneStoreIsMergedAtATime() throws Exception {
    try (TestOrigin origin = origin()) {
      origin.snapshot("store", store, "P 8");
      origin.snapshot("other", 4L * SIZE, "P 8");
      origin.remove("store");
      origin.remove("other");
      MappedDevice merge = origin.merge("store", "P 8");
      assertThatThrownBy(() -> origin.load("second", "snapshot-merge", "other", "P 8"))
          .isInstanceOf(TargetException.class)
          .hasMessage("A snapshot is already merging.");
      assertThat(merge.status(true)).endsWith("snapshot-merge 16/1024 16");
    }
  }

  @Test
  @DisplayName("C10: a store has one table, and at a handover one more")
  void aThirdTableIsRefused() throws Exception {
    try (TestOrigin origin = origin()) {
      origin.snapshot("store", store, "P 8");
      origin.load("second", "snapshot", "store", "P 8");
      assertThatThrownBy(() -> origin.load("third", "snapshot", "store", "P 8"))
          .isInstanceOf(TargetException.class)
          .hasMessage("Snapshot cow pairing for exception table handover failed");
    }
  }

  @Test
  @DisplayName("C11: until it is resumed a snapshot saves nothing")
  void untilItIsResumedASnapshotSavesNothing() throws Exception {
    try (TestOrigin origin = origin()) {
      origin.snapshot("store", store, "P 8");
      origin.remove("store");
      MappedDevice snapshot = origin.load("store", "snapshot", "store", "P 8");
      Requests.write(origin.device(), 0, twos(CHUNK));
      assertThat(snapshot.status(true)).endsWith(" 16/1024 16");
      snapshot.resume();
      assertThat(Requests.read(snapshot, 0, CHUNK)).isEqualTo(twos(CHUNK));
    }
  }

  @Test
  @DisplayName("S1 S2: a request that crosses chunks is answered as a whole")
  void aRequestThatCrossesChunksIsAnsweredAsAWhole() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", store, "P 8");
      int at = CHUNK + 512;
      int length = 5 * CHUNK;
      byte[] seen = ones(SIZE);
      System.arraycopy(twos(length), 0, seen, at, length);
      Requests.write(snapshot, at, twos(length));
      assertThat(Requests.read(snapshot, 0, SIZE)).isEqualTo(seen);
      Requests.write(origin.device(), at + CHUNK, new byte[length]);
      assertThat(Requests.read(snapshot, 0, SIZE)).isEqualTo(seen);
      // Chunks 1 to 6 by the first write; of the second, only chunk 7 is new.
      assertThat(snapshot.status(true)).endsWith(" 72/1024 16");
    }
  }

  @Test
  @DisplayName("S2 S3 S4 N1: a write is cut for the smallest chunks, whoever came last")
  void aWriteIsCutForTheSmallestChunks() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice large = origin.snapshot("store", store, "P 64");
      MappedDevice small = origin.snapshot("small", 4L * SIZE, "P 1");
      Requests.write(origin.device(), 8 * CHUNK - 512, twos(1024));
      assertThat(Requests.read(large, 0, SIZE)).isEqualTo(ones(SIZE));
      assertThat(Requests.read(small, 0, SIZE)).isEqualTo(ones(SIZE));
      assertThat(large.status(true)).endsWith(" 256/1024 128");
      assertThat(small.status(true)).endsWith(" 4/1024 2");
      origin.remove("small");
      MappedDevice merge = origin.merge("small", "P 1");
      assertThat(merge.awaitEvent(0, TestClone.TIMEOUT_NANOS)).isTrue();
      assertThat(Requests.read(bytes, 0, SIZE)).isEqualTo(ones(SIZE));
      assertThat(Requests.read(large, 0, SIZE)).isEqualTo(ones(SIZE));
    }
  }

  @Test
  @DisplayName("C6 W5: the origin is not written by what is done to a snapshot")
  void theOriginIsNotWritten() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", store, "P 8" + ZEROES);
      bytes.forgetLog();
      Requests.write(snapshot, 0, twos(CHUNK));
      Requests.write(snapshot, 3 * CHUNK + 17, twos(100));
      assertThat(discard(snapshot, 0, 6 * CHUNK)).isEqualTo(Errno.OK);
      assertThat(Requests.run(snapshot, Operation.WRITE_ZEROES, 700, 9000, 0)).isEqualTo(Errno.OK);
      assertThat(Requests.flush(snapshot)).isEqualTo(Errno.OK);
      assertThat(changesOfTheOrigin()).isEmpty();
      assertThat(bytes.log()).noneMatch(request -> request.startsWith("FLUSH")); // F1
    }
  }

  @Test
  @DisplayName("O4: a discard of the origin saves what was there, and so does zeroing")
  void aDiscardOfTheOriginSavesWhatWasThere() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", store, "P 8");
      assertThat(discard(origin.device(), 0, 2 * CHUNK)).isEqualTo(Errno.OK);
      assertThat(Requests.run(origin.device(), Operation.WRITE_ZEROES, 4 * CHUNK, 10, 0))
          .isEqualTo(Errno.OK);
      assertThat(Requests.read(snapshot, 0, SIZE)).isEqualTo(ones(SIZE));
      assertThat(snapshot.status(true)).endsWith(" 40/1024 16");
    }
  }

  @Test
  @DisplayName("O5: reads of the origin and its flushes go straight down")
  void readsOfTheOriginGoStraightDown() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", store, "P 8");
      bytes.forgetLog();
      store.forgetLog();
      Requests.read(origin.device(), 700, 3 * CHUNK);
      assertThat(Requests.flush(origin.device())).isEqualTo(Errno.OK);
      assertThat(bytes.log()).containsExactly("READ 700+" + 3 * CHUNK, "FLUSH 0+0");
      assertThat(store.log()).isEmpty();
      assertThat(snapshot.status(true)).endsWith(" 16/1024 16");
    }
  }

  @Test
  @DisplayName("H4: a table whose predecessor goes before the handover is invalid")
  void aTableWhosePredecessorGoesIsInvalid() throws Exception {
    try (TestOrigin origin = origin()) {
      origin.snapshot("store", store, "P 8");
      MappedDevice second = origin.load("second", "snapshot", "store", "P 8");
      origin.remove("store");
      second.resume();
      assertThat(second.status(true)).endsWith("snapshot Invalid");
      assertThat(Requests.tryRead(second, 0, CHUNK, 0)).isEqualTo(Errno.EIO);
    }
  }

  @Test
  @DisplayName("H5 H6: a removed snapshot is there when it is loaded again; a transient one is not")
  void aRemovedSnapshotIsThereWhenItIsLoadedAgain() throws Exception {
    try (TestOrigin origin = origin()) {
      Requests.write(origin.snapshot("store", store, "P 8"), 0, twos(CHUNK));
      Requests.write(origin.snapshot("lost", 4L * SIZE, "N 8"), 0, twos(CHUNK));
      origin.remove("store");
      origin.remove("lost");
      assertThat(Requests.read(origin.reopen("store", "P 8"), 0, CHUNK)).isEqualTo(twos(CHUNK));
      assertThat(Requests.read(origin.reopen("lost", "N 8"), 0, CHUNK)).isEqualTo(ones(CHUNK));
      assertThat(Requests.read(origin.device(), 0, SIZE)).isEqualTo(ones(SIZE));
    }
  }

  @Test
  @DisplayName("D1: a snapshot takes discards with the feature only; whoever serves it says so")
  void discardsAreTakenWithTheFeatureOnly() throws Exception {
    try (TestOrigin origin = origin()) {
      assertThat(origin.snapshot("store", store, "P 8").limits().canDiscard()).isFalse();
      MappedDevice other = origin.snapshot("other", 4L * SIZE, "P 8" + ZEROES);
      assertThat(other.limits().canDiscard()).isTrue();
    }
  }

  @Test
  @DisplayName("D2: a whole chunk of the store becomes zeros, part of one is discarded there")
  void discardsGoToTheStore() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", store, "P 8" + ZEROES);
      Requests.write(snapshot, 0, twos(2 * CHUNK));
      store.forgetLog();
      assertThat(discard(snapshot, 0, CHUNK + 1024)).isEqualTo(Errno.OK);
      assertThat(store.log())
          .containsExactly("WRITE_ZEROES " + 2 * CHUNK + "+4096", "DISCARD " + 3 * CHUNK + "+1024");
      assertThat(Requests.read(snapshot, 0, CHUNK)).isEqualTo(new byte[CHUNK]);
      // No exception: no effect, and none is made.
      assertThat(discard(snapshot, 4 * CHUNK, CHUNK)).isEqualTo(Errno.OK);
      assertThat(Requests.read(snapshot, 4 * CHUNK, CHUNK)).isEqualTo(ones(CHUNK));
      assertThat(snapshot.status(true)).endsWith(" 32/1024 16");
    }
  }

  @Test
  @DisplayName("D3: where that is asked for a discard goes to the origin too, and nothing is saved")
  void discardsArePassedDownToTheOrigin() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", store, "P 8" + PASSDOWN);
      bytes.forgetLog();
      assertThat(discard(snapshot, 4 * CHUNK, CHUNK)).isEqualTo(Errno.OK);
      assertThat(changesOfTheOrigin()).containsExactly("DISCARD " + 4 * CHUNK + "+4096");
      assertThat(Requests.read(snapshot, 4 * CHUNK, CHUNK)).isEqualTo(new byte[CHUNK]);
      assertThat(snapshot.status(true)).endsWith(" 16/1024 16");
    }
  }

  @Test
  @DisplayName("W4 W6 R3 D4 T3: a full PO store keeps what it holds; its writes and discards fail")
  void aFullStoreThatOverflowsCanBeRead() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", 5L * CHUNK, "PO 8" + ZEROES);
      Requests.write(snapshot, 0, twos(3 * CHUNK));
      assertThat(Requests.write(snapshot, 3 * CHUNK, twos(CHUNK), 0)).isEqualTo(Errno.EIO);
      assertThat(snapshot.status(true)).endsWith("snapshot Overflow");
      assertThat(origin.events).anyMatch(event -> event.contains("snapshot overflowed"));
      assertThat(Requests.read(snapshot, 0, CHUNK)).isEqualTo(twos(CHUNK));
      assertThat(Requests.write(snapshot, 0, ones(CHUNK), 0)).isEqualTo(Errno.EIO);
      assertThat(discard(snapshot, 0, CHUNK)).isEqualTo(Errno.EIO);
    }
  }

  @Test
  @DisplayName("O3 N3 T2 T3: one snapshot that is lost is an event, and concerns no other")
  void aSnapshotThatIsLostConcernsNoOther() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice lost = origin.snapshot("store", 5L * CHUNK, "P 8");
      MappedDevice other = origin.snapshot("other", 4L * SIZE, "P 8");
      Requests.write(origin.device(), 0, twos(SIZE));
      assertThat(lost.status(true)).endsWith("snapshot Invalid");
      assertThat(origin.events).anyMatch(event -> event.matches("store \\d+ snapshot invalid.*"));
      assertThat(Requests.read(other, 0, SIZE)).isEqualTo(ones(SIZE));
      assertThat(Requests.read(origin.device(), 0, SIZE)).isEqualTo(twos(SIZE));
      assertThat(origin.device().status(true)).endsWith("snapshot-origin ");
    }
  }

  @Test
  @DisplayName("N2: a later snapshot does not use what an earlier one has saved")
  void eachSnapshotSavesForItself() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice first = origin.snapshot("store", store, "P 8");
      Requests.write(origin.device(), 0, twos(CHUNK));
      MappedDevice second = origin.snapshot("second", 4L * SIZE, "P 8");
      Requests.write(origin.device(), 0, new byte[CHUNK]);
      assertThat(Requests.read(first, 0, CHUNK)).isEqualTo(ones(CHUNK));
      assertThat(Requests.read(second, 0, CHUNK)).isEqualTo(twos(CHUNK));
      assertThat(List.of(first.status(true), second.status(true)))
          .allMatch(status -> status.endsWith(" 24/1024 16"));
    }
  }

  @Test
  @DisplayName("N5: a snapshot of a snapshot")
  void aSnapshotOfASnapshot() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", store, "P 8");
      try (TestOrigin above = new TestOrigin(snapshot)) {
        MappedDevice second = above.snapshot("second", 4L * SIZE, "P 8");
        Requests.write(above.device(), 0, twos(CHUNK));
        Requests.write(origin.device(), 0, new byte[2 * CHUNK]);
        assertThat(Requests.read(second, 0, SIZE)).isEqualTo(ones(SIZE));
        assertThat(Requests.read(snapshot, 0, CHUNK)).isEqualTo(twos(CHUNK));
        assertThat(Requests.read(snapshot, CHUNK, CHUNK)).isEqualTo(ones(CHUNK));
      }
    }
  }

  @Test
  @DisplayName("M6: a discard of a merging device is answered, and has no effect")
  void aDiscardOfAMergeHasNoEffect() throws Exception {
    try (TestOrigin origin = origin()) {
      Requests.write(origin.snapshot("store", store, "P 8" + ZEROES), 0, twos(CHUNK));
      origin.remove("store");
      MappedDevice merge = origin.merge("store", "P 8" + ZEROES);
      assertThat(discard(merge, 0, 3 * CHUNK)).isEqualTo(Errno.OK);
      assertThat(merge.awaitEvent(0, TestClone.TIMEOUT_NANOS)).isTrue();
      assertThat(Requests.read(merge, 0, CHUNK)).isEqualTo(twos(CHUNK));
      assertThat(Requests.read(merge, CHUNK, CHUNK)).isEqualTo(ones(CHUNK));
    }
  }
}
