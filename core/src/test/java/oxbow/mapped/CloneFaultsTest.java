package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.device.mem.MemDevice;
import oxbow.engine.WorkerDiskPool;
import oxbow.target.clone.CloneMode;
import oxbow.target.clone.CloneOptions;

/**
 * Aim: whichever device fails, and at whatever, no reader gets wrong data, what was acknowledged
 * stays readable, and what failed is named. Method: a clone of 16 regions of 64 KiB; one kind of
 * request to one device fails; a model of the contents is kept beside it.
 */
class CloneFaultsTest {
  private static final int REGION = 64 << 10;
  private static final int SIZE = 16 * REGION;
  private static final String TAIL = "128 1 no_hydration";

  private final ShapedDevice source = ShapedDevice.submitOnly(TestClone.random(SIZE, 1));
  private final MemDevice destinationMemory = TestClone.random(SIZE, 2);
  private final ShapedDevice destination = ShapedDevice.submitOnly(destinationMemory);
  private final ShapedDevice metadata = ShapedDevice.submitOnly(new MemDevice(4 << 20));

  /** What each byte must read as. */
  private final byte[] model = Requests.read(source, 0, SIZE);

  private TestClone newClone() throws Exception {
    return new TestClone(source, destination, metadata, TAIL, CloneOptions.TABLE, Runnable::run);
  }

  private static Predicate<BlockRequest> is(Operation operation) {
    return request -> request.operation() == operation;
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  /** A write that must succeed. */
  private void write(TestClone clone, int at, int length, int value) {
    Requests.write(clone.device, at, filled(length, value));
    Arrays.fill(model, at, at + length, (byte) value);
  }

  private static int tryWrite(TestClone clone, int at, int length) {
    return Requests.write(clone.device, at, filled(length, 0x77), 0);
  }

  private void assertReadsAsModel(TestClone clone) {
    assertThat(Arrays.mismatch(Requests.read(clone.device, 0, SIZE), model))
        .as("first byte that differs")
        .isEqualTo(-1);
  }

  @Test
  @DisplayName("R3 W6: EIO on a read of the source costs reads and merges there, and no more")
  void eioOnASourceRead() throws Exception {
    try (TestClone clone = newClone()) {
      write(clone, 5 * REGION + 100, 1000, 5);
      source.failWhen(is(Operation.READ));
      assertThat(Requests.tryRead(clone.device, 0, 4096, 0)).isEqualTo(Errno.EIO);
      assertThat(tryWrite(clone, 3 * REGION + 7, 9)).isEqualTo(Errno.EIO);
      // Neither needs the source.
      write(clone, 6 * REGION, REGION, 6);
      write(clone, 5 * REGION + 50, 100, 7);
      assertThat(Requests.read(clone.device, 5 * REGION, 2 * REGION))
          .isEqualTo(Arrays.copyOfRange(model, 5 * REGION, 7 * REGION));
      source.failWhen(request -> false);
      assertReadsAsModel(clone);
      assertThat(clone.progress().mode()).isEqualTo(CloneMode.READ_WRITE);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.EIO, Errno.ENOSPC})
  @DisplayName("W6: an error of a write to the destination reaches the writer as it is")
  void anErrorOfADestinationWrite(int errno) throws Exception {
    try (TestClone clone = newClone()) {
      write(clone, REGION, 100, 1);
      destination.failWith(errno).failWhen(is(Operation.WRITE));
      assertThat(tryWrite(clone, 3 * REGION, REGION)).isEqualTo(errno);
      assertThat(tryWrite(clone, 4 * REGION + 5, 9)).isEqualTo(errno);
      assertReadsAsModel(clone);
      assertThat(clone.hydrated()).isEqualTo("1/16");
      destination.failWhen(request -> false);
      write(clone, 3 * REGION + 5, 9, 9);
      assertReadsAsModel(clone);
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.OK);
      assertThat(clone.progress().mode()).isEqualTo(CloneMode.READ_WRITE);
    }
  }

  @Test
  @DisplayName("O3 F7: a failed flush of the destination means ro with its reason, and no success")
  void eioOnADestinationFlush() throws Exception {
    try (TestClone clone = newClone()) {
      write(clone, 2 * REGION, REGION, 3);
      destination.failWhen(is(Operation.FLUSH));
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      destination.failWhen(request -> false);
      assertReadOnly(clone, "destination mem:1MiB: flush failed: Input/output error");
      assertThat(clone.committedCount()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.EIO, Errno.ENOSPC})
  @DisplayName("O3 M5: a failed write of metadata means ro; acknowledged data stays readable")
  void anErrorOfAMetadataWrite(int errno) throws Exception {
    try (TestClone clone = newClone()) {
      write(clone, 2 * REGION, REGION, 3);
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.OK);
      write(clone, 3 * REGION, REGION, 4);
      metadata.failWith(errno).failWhen(is(Operation.WRITE));
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      metadata.failWhen(request -> false);
      assertReadOnly(clone, "metadata meta: commit failed: mem:4MiB: WRITE ");
      assertThat(clone.progress().modeReason()).contains(Errno.describe(errno));
      assertThat(clone.committedCount()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("O3 M5: a failed flush of metadata means ro as well")
  void eioOnAMetadataFlush() throws Exception {
    try (TestClone clone = newClone()) {
      write(clone, 2 * REGION, REGION, 3);
      metadata.failWhen(is(Operation.FLUSH));
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      metadata.failWhen(request -> false);
      assertReadOnly(clone, "metadata meta: commit failed: mem:4MiB: FLUSH 0+0 failed");
    }
  }

  /** As documented for ro: hydrated regions are written, nothing is promised any more. */
  private void assertReadOnly(TestClone clone, String why) {
    assertThat(clone.device.status(false)).endsWith(" ro");
    assertThat(clone.progress().modeReason()).startsWith(why);
    assertThat(clone.events).hasSize(1).first().asString().startsWith("1 mode ro: " + why);
    assertThat(clone.warnings).hasSize(1).first().asString().contains(why);
    assertReadsAsModel(clone);
    for (int i = 0; i < 3; i++) {
      assertThat(Requests.flush(clone.device)).as("never again").isEqualTo(Errno.EIO);
    }
    assertThat(Requests.write(clone.device, 2 * REGION, filled(9, 1), Flags.FUA))
        .isEqualTo(Errno.EIO);
    assertThat(tryWrite(clone, 9 * REGION, REGION)).isEqualTo(Errno.EIO);
    assertThat(tryWrite(clone, 9 * REGION + 1, 5)).isEqualTo(Errno.EIO);
    write(clone, 2 * REGION + 9, 100, 8);
    assertReadsAsModel(clone);
  }

  @Test
  @DisplayName("M5 O3: metadata that goes bad while running means Fail: reads only, and right ones")
  void metadataThatGoesBadWhileRunning() throws Exception {
    try (TestClone clone = newClone()) {
      write(clone, 2 * REGION, REGION, 3);
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.OK);
      write(clone, 4 * REGION + 11, 500, 4);
      metadata.failWhen(request -> true);
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      metadata.failWhen(request -> false);
      assertThat(clone.device.status(false)).isEqualTo("0 2048 clone Fail");
      assertThat(clone.progress().modeReason()).contains("; what is on disk cannot be read: ");
      assertThat(clone.events).hasSize(1).first().asString().startsWith("1 mode Fail: metadata ");
      assertReadsAsModel(clone);
      assertThat(Requests.flush(clone.device)).isEqualTo(Errno.EIO);
      assertThat(tryWrite(clone, 2 * REGION, 9)).isEqualTo(Errno.EIO);
      assertThat(tryWrite(clone, 9 * REGION, REGION)).isEqualTo(Errno.EIO);
      assertThat(Requests.run(clone.device, Operation.DISCARD, 0, SIZE, 0)).isEqualTo(Errno.EIO);
      assertReadsAsModel(clone);
      assertThat(clone.committedCount()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("O9: hydration that fails again and again pauses, and spoils nothing")
  void aDestinationThatIsFullPausesHydration() throws Exception {
    try (TestClone clone = newClone()) {
      write(clone, 2 * REGION, 100, 3);
      destination.failWith(Errno.ENOSPC).failWhen(is(Operation.WRITE));
      clone.device.message(List.of("enable_hydration"));
      while (clone.progress().failures() < 30) {
        clone.timers.fire();
      }
      assertThat(clone.hydrated()).isEqualTo("1/16");
      assertThat(clone.warnings).last().asString().contains("No space left on device");
      assertReadsAsModel(clone);
      destination.failWhen(request -> false);
      clone.device.message(List.of("enable_hydration"));
      clone.hydrate();
      assertThat(Requests.read(destinationMemory, 0, SIZE)).isEqualTo(model);
    }
  }

  @Test
  @DisplayName("a source that is cut short under us reads as errors, never as zeros")
  void aSourceThatIsCutShort(@TempDir Path directory) throws Exception {
    Path image = directory.resolve("source.img");
    Files.write(image, model);
    int cut = 8 * REGION + 2048;
    try (WorkerDiskPool disks = new WorkerDiskPool();
        FileDevice file = new FileOpener(disks).openReadOnly(image, FileOpener.OddTail.DROP);
        TestClone clone = new TestClone(file, destination, TAIL)) {
      write(clone, 12 * REGION, REGION, 1);
      assertReadsAsModel(clone);
      try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
        channel.truncate(cut);
      }
      assertThat(Requests.read(clone.device, 0, cut)).isEqualTo(Arrays.copyOf(model, cut));
      for (int at = cut; at < SIZE; at += REGION) {
        int expected = at / REGION == 12 ? Errno.OK : Errno.EIO;
        assertThat(Requests.tryRead(clone.device, at, 512, 0)).as("%d", at).isEqualTo(expected);
      }
      assertThat(Requests.tryRead(clone.device, cut - 512, 1024, 0)).isEqualTo(Errno.EIO);
      assertThat(tryWrite(clone, 8 * REGION + 5, 9)).as("needs the rest").isEqualTo(Errno.EIO);
      assertThat(Requests.run(clone.device, Operation.CACHE, 14 * REGION, 512, 0))
          .isEqualTo(Errno.EIO);
      assertThat(clone.hydrated()).isEqualTo("1/16");
    }
  }
}
