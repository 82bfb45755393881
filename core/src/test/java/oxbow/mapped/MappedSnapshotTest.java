package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.MessageException;

/**
 * Aim: snapshots, their origin and merges as whole devices. Method: real mapped devices over
 * memory, against arrays of bytes.
 */
class MappedSnapshotTest {
  private static final int SECTOR = 512;
  private static final int CHUNK = 4096;
  private static final int SIZE = 64 * CHUNK + 3 * SECTOR;

  private final byte[] content = new byte[SIZE];
  private final Random random = new Random(4);

  private TestOrigin origin() {
    random.nextBytes(content);
    MemDevice device = new MemDevice(SIZE);
    Requests.write(device, 0, content);
    return new TestOrigin(device);
  }

  @Test
  @DisplayName("O1 O2 R1: a snapshot shows what the origin held when it began")
  void aSnapshotShowsWhatTheOriginHeld() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", 1 << 20, "P 8");
      byte[] before = content.clone();
      for (int i = 0; i < 200; i++) {
        byte[] bytes = new byte[SECTOR * (1 + random.nextInt(40))];
        random.nextBytes(bytes);
        int at = SECTOR * random.nextInt((SIZE - bytes.length) / SECTOR + 1);
        Requests.write(origin.device(), at, bytes);
        System.arraycopy(bytes, 0, content, at, bytes.length);
      }
      assertThat(Requests.read(snapshot, 0, SIZE)).isEqualTo(before);
      assertThat(Requests.read(origin.device(), 0, SIZE)).isEqualTo(content);
    }
  }

  @Test
  @DisplayName("W1 W3: a snapshot keeps what is written to it, whole chunks and parts")
  void aSnapshotKeepsWhatIsWrittenToIt() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", 1 << 20, "P 8");
      byte[] seen = content.clone();
      for (int i = 0; i < 300; i++) {
        byte[] bytes = new byte[SECTOR * (1 + random.nextInt(40))];
        random.nextBytes(bytes);
        int at = SECTOR * random.nextInt((SIZE - bytes.length) / SECTOR + 1);
        if (random.nextInt(4) == 0) {
          Arrays.fill(bytes, (byte) 0);
          int errno = Requests.run(snapshot, Operation.WRITE_ZEROES, at, bytes.length, 0);
          assertThat(errno).isEqualTo(Errno.OK);
        } else {
          Requests.write(snapshot, at, bytes);
        }
        System.arraycopy(bytes, 0, seen, at, bytes.length);
      }
      assertThat(Requests.read(snapshot, 0, SIZE)).isEqualTo(seen);
      assertThat(Requests.flush(snapshot)).isEqualTo(Errno.OK);
      assertThat(Requests.read(origin.device(), 0, SIZE)).isEqualTo(content);
      origin.remove("store");
      MappedDevice again = origin.reopen("store", "P 8");
      assertThat(Requests.read(again, 0, SIZE)).isEqualTo(seen);
    }
  }

  @Test
  @DisplayName("M1 M7: a merge makes the origin what the snapshot was, and empties the store")
  void aMergeMakesTheOriginWhatTheSnapshotWas() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", 1 << 20, "P 8");
      byte[] seen = content.clone();
      for (int i = 0; i < 50; i++) {
        byte[] bytes = new byte[SECTOR * (1 + random.nextInt(40))];
        random.nextBytes(bytes);
        int at = SECTOR * random.nextInt((SIZE - bytes.length) / SECTOR + 1);
        Requests.write(snapshot, at, bytes);
        System.arraycopy(bytes, 0, seen, at, bytes.length);
      }
      origin.remove("store");
      MappedDevice merge = origin.merge("store", "P 8");
      assertThat(Requests.read(merge, 0, SIZE)).isEqualTo(seen);
      assertThat(merge.awaitEvent(0, TestClone.TIMEOUT_NANOS)).isTrue();
      assertThat(merge.status(true)).endsWith("snapshot-merge 16/2048 16");
      assertThat(Requests.read(origin.bytes(), 0, SIZE)).isEqualTo(seen);
      assertThat(Requests.read(merge, 0, SIZE)).isEqualTo(seen);
    }
  }

  @Test
  @DisplayName("H1 H2: a second table takes a store over, once the first is suspended")
  void aSecondTableTakesAStoreOver() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice first = origin.snapshot("store", 1 << 20, "P 8");
      byte[] seen = content.clone();
      Requests.write(first, 0, new byte[100 * SECTOR]);
      Arrays.fill(seen, 0, 100 * SECTOR, (byte) 0);
      MappedDevice second = origin.load("second", "snapshot", "store", "P 8");
      assertThat(org.assertj.core.api.Assertions.catchThrowable(second::resume))
          .hasMessage("Unable to perform snapshot handover until source is suspended.");
      assertThat(first.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      second.resume();
      assertThat(Requests.read(second, 0, SIZE)).isEqualTo(seen);
      assertThat(first.status(true)).endsWith("snapshot Invalid");
      Requests.write(origin.device(), 0, new byte[SIZE]);
      assertThat(Requests.read(second, 0, SIZE)).isEqualTo(seen);
    }
  }

  @Test
  @DisplayName("W4 O3: a full store ends a snapshot, and leaves its origin alone")
  void aFullStoreEndsASnapshot() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", 16 * CHUNK, "P 8");
      Requests.write(origin.device(), 0, new byte[SIZE]);
      assertThat(snapshot.status(true)).endsWith("snapshot Invalid");
      assertThat(Requests.tryRead(snapshot, 0, SECTOR, 0)).isEqualTo(Errno.EIO);
      assertThat(Requests.read(origin.device(), 0, SIZE)).isEqualTo(new byte[SIZE]);
    }
  }

  /** An origin and its snapshots; stores are checked when they are closed. */
  @Test
  void messagesAreRefusedButOne() throws Exception {
    try (TestOrigin origin = origin()) {
      MappedDevice snapshot = origin.snapshot("store", 1 << 20, "P 8");
      assertThat(snapshot.message(List.of("store_grew"))).isEmpty();
      List<String> refused = new ArrayList<>();
      try {
        snapshot.message(List.of("anything"));
      } catch (MessageException e) {
        refused.add(e.getMessage());
      }
      assertThat(refused).hasSize(1);
    }
  }

  static void unused() throws IOException {}
}
