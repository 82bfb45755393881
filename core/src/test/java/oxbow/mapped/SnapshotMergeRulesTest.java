package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static oxbow.mapped.SnapshotScene.CHUNK;
import static oxbow.mapped.SnapshotScene.SIZE;
import static oxbow.mapped.SnapshotScene.filled;
import static oxbow.mapped.SnapshotScene.startWrite;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/** Aim: the rules of merging, one by one. Method: a merge is looked at while a copy is held. */
class SnapshotMergeRulesTest {
  private static void awaitEnd(MappedDevice merge) {
    assertThat(merge.awaitEvent(0, TestClone.TIMEOUT_NANOS)).isTrue();
    assertThat(merge.status(true)).endsWith("snapshot-merge 16/1024 16");
  }

  @Test
  @DisplayName("M2: what is being merged is read from the store, all else from where it lies")
  void whatIsBeingMergedIsReadFromTheStore() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(0, 9);
      scene.bytes.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      assertThat(scene.changesOfTheOrigin()).containsExactly("WRITE " + 9 * CHUNK + "+4096");
      assertThat(Requests.read(merge, 9 * CHUNK, CHUNK)).isEqualTo(filled(2, CHUNK));
      assertThat(Requests.read(merge, 0, CHUNK)).isEqualTo(filled(2, CHUNK));
      scene.bytes.release();
      awaitEnd(merge);
      assertThat(Requests.read(merge, CHUNK, 8 * CHUNK)).isEqualTo(filled(1, 8 * CHUNK));
    }
  }

  @Test
  @DisplayName("M3: a write to the run that is being merged waits and goes to the origin")
  void aWriteToTheRunThatIsBeingMergedWaits() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(9);
      scene.bytes.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      scene.store.forgetLog();
      var write = startWrite(merge, 9 * CHUNK, filled(3, CHUNK));
      assertThat(write).isNotDone();
      assertThat(scene.store.log()).isEmpty();
      scene.bytes.release();
      assertThat(Requests.await(write)).isEqualTo(Errno.OK);
      awaitEnd(merge);
      assertThat(Requests.read(scene.bytes, 9 * CHUNK, CHUNK)).isEqualTo(filled(3, CHUNK));
    }
  }

  @Test
  @DisplayName("M3: a write where there is an exception goes to the store, and is merged later")
  void aWriteWhereThereIsAnExceptionGoesToTheStore() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(0, 9);
      scene.bytes.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      scene.store.forgetLog();
      Requests.write(merge, 512, filled(3, 1024));
      assertThat(scene.store.log()).containsExactly("WRITE " + (2 * CHUNK + 512) + "+1024");
      scene.bytes.release();
      awaitEnd(merge);
      assertThat(Requests.read(scene.bytes, 0, 512)).isEqualTo(filled(2, 512));
      assertThat(Requests.read(scene.bytes, 512, 1024)).isEqualTo(filled(3, 1024));
    }
  }

  @Test
  @DisplayName("M3: a write without an exception is one to the origin, and makes none")
  void aWriteWithoutAnExceptionIsOneToTheOrigin() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(9);
      MappedDevice other = scene.origin.snapshot("other", 4L * SIZE, "P 8");
      scene.bytes.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      var write = startWrite(merge, 0, filled(3, CHUNK));
      assertThat(write).isNotDone();
      scene.bytes.release();
      assertThat(Requests.await(write)).isEqualTo(Errno.OK);
      awaitEnd(merge);
      assertThat(Requests.read(scene.bytes, 0, CHUNK)).isEqualTo(filled(3, CHUNK));
      assertThat(Requests.read(other, 0, SIZE)).isEqualTo(filled(1, SIZE));
      assertThat(other.status(true)).endsWith(" 32/1024 16");
    }
  }

  @Test
  @DisplayName("M4: a run is copied when the writes to its chunks of the store have ended")
  void aRunIsCopiedWhenWritesToItHaveEnded() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(0, 9);
      scene.bytes.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      scene.store.hold(request -> request.toString().equals("WRITE 8192+4096"));
      var write = startWrite(merge, 0, filled(3, CHUNK));
      scene.bytes.release();
      assertThat(merge.status(true)).endsWith("snapshot-merge 24/1024 16");
      assertThat(scene.changesOfTheOrigin()).containsExactly("WRITE " + 9 * CHUNK + "+4096");
      assertThat(scene.store.log()).doesNotContain("READ 8192+4096");
      scene.store.release();
      assertThat(Requests.await(write)).isEqualTo(Errno.OK);
      awaitEnd(merge);
      assertThat(Requests.read(scene.bytes, 0, CHUNK)).isEqualTo(filled(3, CHUNK));
    }
  }

  @Test
  @DisplayName("M5 N6: nothing is merged over what another snapshot has not saved durably")
  void otherSnapshotsSaveFirst() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(3, 4);
      ShapedDevice otherStore = ShapedDevice.submitOnly(new MemDevice(4L * SIZE));
      MappedDevice other = scene.origin.snapshot("other", otherStore, "P 8");
      scene.bytes.forgetLog();
      otherStore.forgetLog();
      otherStore.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      while (!otherStore.log().getLast().startsWith("WRITE 4096+")) { // The table of exceptions.
        assertThat(scene.changesOfTheOrigin()).isEmpty();
        assertThat(otherStore.releaseOne()).isTrue();
      }
      assertThat(scene.changesOfTheOrigin()).isEmpty();
      otherStore.release();
      awaitEnd(merge);
      assertThat(Requests.read(other, 0, SIZE)).isEqualTo(filled(1, SIZE));
      assertThat(Requests.read(scene.bytes, 3 * CHUNK, CHUNK)).isEqualTo(filled(2, CHUNK));
    }
  }

  @Test
  @DisplayName("M8: a suspend stops the merge after the run at hand, a resume goes on")
  void aSuspendStopsTheMergeAfterTheRun() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(0, 9);
      scene.bytes.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      assertThat(merge.suspend(0)).isFalse();
      scene.bytes.release();
      assertThat(merge.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      assertThat(merge.status(true)).endsWith("snapshot-merge 24/1024 16");
      assertThat(Requests.read(scene.bytes, 9 * CHUNK, CHUNK)).isEqualTo(filled(2, CHUNK));
      assertThat(Requests.read(scene.bytes, 0, CHUNK)).isEqualTo(filled(1, CHUNK));
      merge.resume();
      awaitEnd(merge);
      assertThat(Requests.read(scene.bytes, 0, CHUNK)).isEqualTo(filled(2, CHUNK));
    }
  }

  @Test
  @DisplayName(
      "M9 T1: after an error nothing is merged until a reload; what waits fails, I/O goes on")
  void afterAnErrorNothingIsMerged() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.fillStore(9);
      scene.bytes.failWhen(request -> request.operation() == Operation.WRITE);
      scene.bytes.hold();
      MappedDevice merge = scene.origin.merge("store", "P 8");
      var waiting = startWrite(merge, 9 * CHUNK, filled(3, CHUNK));
      scene.bytes.release();
      assertThat(Requests.await(waiting)).isEqualTo(Errno.EIO);
      assertThat(merge.status(true)).endsWith("snapshot-merge Merge failed");
      scene.bytes.failWhen(request -> false);
      Requests.write(merge, 9 * CHUNK, filled(4, 512));
      assertThat(Requests.read(merge, 9 * CHUNK, 512)).isEqualTo(filled(4, 512));
      assertThat(merge.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      merge.resume();
      assertThat(merge.status(true)).endsWith("snapshot-merge Merge failed");
      assertThat(Requests.read(scene.bytes, 9 * CHUNK, CHUNK)).isEqualTo(filled(1, CHUNK));
      scene.origin.remove("store");
      awaitEnd(scene.origin.merge("store", "P 8"));
      assertThat(Requests.read(scene.bytes, 9 * CHUNK, 512)).isEqualTo(filled(4, 512));
      assertThat(Requests.read(scene.bytes, 9 * CHUNK + 512, 512)).isEqualTo(filled(2, 512));
    }
  }

  @Test
  @DisplayName("M10 H2: a merge that takes over an invalid snapshot leaves all to the origin")
  void aMergeOfAnInvalidSnapshotLeavesAllToTheOrigin() throws Exception {
    ShapedDevice small = ShapedDevice.submitOnly(new MemDevice(5L * CHUNK));
    try (SnapshotScene scene = new SnapshotScene()) {
      MappedDevice snapshot = scene.origin.snapshot("store", small, "P 8");
      Requests.write(snapshot, 0, filled(2, CHUNK));
      Requests.write(scene.origin.device(), CHUNK, filled(3, SIZE - CHUNK));
      assertThat(snapshot.status(true)).endsWith("snapshot Invalid");
      MappedDevice merge = scene.origin.load("merge", "snapshot-merge", "store", "P 8");
      assertThat(snapshot.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      small.forgetLog();
      merge.resume();
      assertThat(Requests.read(merge, 0, CHUNK)).isEqualTo(filled(1, CHUNK));
      Requests.write(merge, 0, filled(4, CHUNK));
      assertThat(Requests.read(scene.bytes, 0, CHUNK)).isEqualTo(filled(4, CHUNK));
      assertThat(Requests.read(merge, 0, CHUNK)).isEqualTo(filled(4, CHUNK));
      assertThat(merge.status(true)).endsWith("snapshot-merge Invalid");
      assertThat(small.log()).isEmpty();
    }
  }
}
