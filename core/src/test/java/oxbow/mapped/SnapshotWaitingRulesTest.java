package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static oxbow.mapped.SnapshotScene.CHUNK;
import static oxbow.mapped.SnapshotScene.SIZE;
import static oxbow.mapped.SnapshotScene.filled;
import static oxbow.mapped.SnapshotScene.startWrite;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/**
 * Aim: the rules about what waits for an exception that is being made. Method: the device that its
 * copy needs holds it while the test looks.
 */
class SnapshotWaitingRulesTest {
  @Test
  @DisplayName("W2 E2: writes wait for the chunk that is being copied, and go on in their order")
  void writesWaitForTheirChunk() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      MappedDevice snapshot = scene.origin.snapshot("store", scene.store, "P 8");
      scene.bytes.hold();
      var copied = startWrite(scene.origin.device(), 0, filled(9, 512));
      scene.store.forgetLog();
      var first = startWrite(snapshot, 0, filled(2, 1024));
      var second = startWrite(snapshot, 512, filled(3, 1024));
      assertThat(List.of(copied, first, second)).noneMatch(write -> write.isDone());
      assertThat(scene.store.log()).isEmpty();
      scene.bytes.release();
      for (var write : List.of(copied, first, second)) {
        assertThat(Requests.await(write)).isEqualTo(Errno.OK);
      }
      assertThat(scene.store.log())
          .containsSubsequence("WRITE 8192+4096", "WRITE 8192+1024", "WRITE 8704+1024");
      assertThat(Requests.read(snapshot, 0, 512)).isEqualTo(filled(2, 512));
      assertThat(Requests.read(snapshot, 512, 1024)).isEqualTo(filled(3, 1024));
      assertThat(Requests.read(snapshot, 1536, 1024)).isEqualTo(filled(1, 1024));
      assertThat(Requests.read(scene.bytes, 0, 512)).isEqualTo(filled(9, 512));
    }
  }

  @Test
  @DisplayName(
      "E2 E4 O2: a write to the origin waits for a chunk that a write to the snapshot needs")
  void aWriteToTheOriginWaitsForTheChunk() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      MappedDevice snapshot = scene.origin.snapshot("store", scene.store, "P 8");
      scene.bytes.forgetLog();
      scene.store.hold();
      var merged = startWrite(snapshot, 0, filled(2, 512));
      var origin = startWrite(scene.origin.device(), 0, filled(9, CHUNK));
      assertThat(scene.changesOfTheOrigin()).isEmpty();
      scene.store.release();
      assertThat(Requests.await(merged)).isEqualTo(Errno.OK);
      assertThat(Requests.await(origin)).isEqualTo(Errno.OK);
      assertThat(Requests.read(snapshot, 0, 512)).isEqualTo(filled(2, 512));
      assertThat(Requests.read(snapshot, 512, SIZE - 512)).isEqualTo(filled(1, SIZE - 512));
      assertThat(Requests.read(scene.bytes, 0, CHUNK)).isEqualTo(filled(9, CHUNK));
      assertThat(snapshot.status(true)).endsWith(" 24/1024 16");
    }
  }

  @Test
  @DisplayName("E3 O3: where a copy fails, writes to the snapshot fail, those to the origin go on")
  void whereACopyFailsTheOriginGoesOn() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      MappedDevice snapshot = scene.origin.snapshot("store", scene.store, "P 8");
      scene.store.failWhen(request -> request.offsetBytes() == 2 * CHUNK);
      scene.store.hold();
      var origin = startWrite(scene.origin.device(), 0, filled(9, 512));
      var waiting = startWrite(snapshot, 0, filled(2, 512));
      assertThat(origin).isNotDone();
      scene.store.release();
      assertThat(Requests.await(waiting)).isEqualTo(Errno.EIO);
      assertThat(Requests.await(origin)).isEqualTo(Errno.OK);
      assertThat(snapshot.status(true)).endsWith("snapshot Invalid");
      assertThat(Requests.read(scene.bytes, 0, 512)).isEqualTo(filled(9, 512));
    }
  }

  @Test
  @DisplayName("H3 C11: while a snapshot begins, writes to the origin are waited for, or wait")
  void whileASnapshotBeginsWritesToTheOriginWait() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.bytes.hold();
      var before = startWrite(scene.origin.device(), 0, filled(8, CHUNK));
      scene.bytes.forgetLog();
      MappedDevice snapshot = scene.origin.snapshot("store", scene.store, "P 8");
      var after = startWrite(scene.origin.device(), CHUNK, filled(9, CHUNK));
      assertThat(scene.bytes.log()).isEmpty();
      scene.bytes.release();
      assertThat(Requests.await(before)).isEqualTo(Errno.OK);
      assertThat(Requests.await(after)).isEqualTo(Errno.OK);
      assertThat(Requests.read(snapshot, 0, CHUNK)).isEqualTo(filled(8, CHUNK));
      assertThat(Requests.read(snapshot, CHUNK, CHUNK)).isEqualTo(filled(1, CHUNK));
      assertThat(Requests.read(scene.bytes, CHUNK, CHUNK)).isEqualTo(filled(9, CHUNK));
    }
  }

  @Test
  @DisplayName("H5: a snapshot that is removed ends the copies that were asked of it")
  void aRemovedSnapshotEndsItsCopies() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      scene.origin.snapshot("store", scene.store, "P 8");
      scene.store.hold();
      var origin = startWrite(scene.origin.device(), 0, filled(9, 512));
      assertThat(origin).isNotDone();
      scene.store.release();
      scene.origin.remove("store");
      assertThat(Requests.await(origin)).isEqualTo(Errno.OK);
      MappedDevice again = scene.origin.reopen("store", "P 8");
      assertThat(Requests.read(again, 0, CHUNK)).isEqualTo(filled(1, CHUNK));
    }
  }

  @Test
  @DisplayName("N4: writes past the end of a shorter snapshot do not concern it")
  void writesPastTheEndDoNotConcernAShorterSnapshot() throws Exception {
    try (SnapshotScene scene = new SnapshotScene()) {
      int length = 10 * CHUNK + 512;
      MappedDevice snapshot =
          scene.origin.shortSnapshot("store", new MemDevice(4L * SIZE), length, "P 8");
      Requests.write(scene.origin.device(), 11 * CHUNK, filled(9, CHUNK));
      Requests.write(scene.origin.device(), 10 * CHUNK + 512, filled(9, 512));
      assertThat(snapshot.status(true)).endsWith(" 16/1024 16");
      Requests.write(scene.origin.device(), 0, filled(9, SIZE));
      assertThat(snapshot.status(true)).endsWith(" 104/1024 16");
      assertThat(Requests.read(snapshot, 0, length)).isEqualTo(filled(1, length));
    }
  }
}
