package oxbow.device.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockRequest;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.file.FileOpener.OddTail;
import oxbow.engine.WorkerDiskPool;
import oxbow.linux.DiskCalls;
import oxbow.linux.DiskFile;

/** Aim: what a file does beyond the contract. Method: real files, seen from outside as well. */
class FileDeviceTest {
  @TempDir Path directory;

  private final WorkerDiskPool pool = new WorkerDiskPool(2);
  private final FileOpener opener = new FileOpener(pool);

  @AfterEach
  void endPool() {
    pool.close();
  }

  private Path fileOf(int lengthBytes) throws IOException {
    byte[] bytes = new byte[lengthBytes];
    Arrays.fill(bytes, (byte) 1);
    return Files.write(directory.resolve("image"), bytes);
  }

  @Test
  void aCreatedFileIsSparseAndAllHolesUntilItIsWritten() throws IOException {
    Path path = directory.resolve("new");
    try (FileDevice device = opener.create(path, 1L << 40)) {
      assertThat(device.sizeBytes()).isEqualTo(1L << 40);
      assertThat(Files.size(path)).isEqualTo(1L << 40);
      assertThat(device.isAllHoles()).isTrue();
      assertThat(Requests.extents(device, 0, 1L << 40, 9))
          .containsExactly(new Requests.Extent(0, 1L << 40, Extents.HOLE | Extents.ZERO));
      Requests.write(device, 1L << 39, new byte[] {1});
      assertThat(device.isAllHoles()).isFalse();
    }
  }

  @Test
  void creatingNeverTouchesWhatExistsAndLeavesNothingBehindWhenItFails() throws IOException {
    Path existing = fileOf(512);
    assertThatThrownBy(() -> opener.create(existing, 4096))
        .isInstanceOf(DeviceException.class)
        .hasMessage(existing + ": File exists");
    assertThat(Files.size(existing)).isEqualTo(512);
    Path tooLarge = directory.resolve("large");
    assertThatThrownBy(() -> opener.create(tooLarge, Long.MAX_VALUE & -512))
        .hasMessageStartingWith(tooLarge + ": ");
    assertThat(tooLarge).doesNotExist();
  }

  @Test
  void aDeviceGrowsWhileItIsInUse() throws IOException {
    Path path = fileOf(4096);
    try (FileDevice device = opener.openWritable(path, OddTail.DROP)) {
      assertThat(Requests.tryRead(device, 4096, 512, 0)).isEqualTo(Errno.EINVAL);
      device.growTo(1L << 30);
      assertThat(device.sizeBytes()).isEqualTo(1L << 30);
      assertThat(Files.size(path)).isEqualTo(1L << 30);
      assertThat(Requests.read(device, 0, 4096)).containsOnly(1);
      assertThat(Requests.read(device, (1L << 30) - 512, 512)).containsOnly(0);
      Requests.write(device, 1L << 29, new byte[] {2});
      assertThat(Requests.read(device, 1L << 29, 1)).containsExactly(2);
      assertThat(Requests.extents(device, 4096, 1 << 20, 9))
          .containsExactly(new Requests.Extent(4096, 1 << 20, Extents.HOLE | Extents.ZERO));
      device.growTo(1L << 30);
      assertThatThrownBy(() -> device.growTo(4096)).isInstanceOf(IllegalArgumentException.class);
    }
    // What it has grown by is the device's: it does not end early without an error (F4).
    try (FileDevice device = opener.openWritable(path, OddTail.DROP)) {
      device.growTo(1L << 31);
      try (var cut = FileChannel.open(path, StandardOpenOption.WRITE)) {
        cut.truncate(4096);
      }
      assertThat(Requests.tryRead(device, 1L << 30, 512, 0)).isEqualTo(Errno.EIO);
    }
  }

  @Test
  void aDeviceThatCannotGrowStaysAsItIs() throws IOException {
    Path path = fileOf(4096);
    try (FileDevice device = opener.openReadOnly(path, OddTail.DROP)) {
      assertThatThrownBy(() -> device.growTo(8192))
          .isInstanceOf(DeviceException.class)
          .hasMessageStartingWith(path + ": cannot grow");
    }
    try (FileDevice device = opener.openWritable(path, OddTail.DROP)) {
      assertThatThrownBy(() -> device.growTo(Long.MAX_VALUE & -512))
          .isInstanceOf(DeviceException.class)
          .hasMessageStartingWith(path + ": cannot grow");
      assertThat(device.sizeBytes()).isEqualTo(4096);
    }
    assertThat(Files.size(path)).isEqualTo(4096);
  }

  @Test
  void whatCannotBeOpenedIsSaidInOneLine() {
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> opener.openReadOnly(missing, OddTail.DROP))
        .hasMessage(missing + ": No such file or directory");
    assertThatThrownBy(() -> opener.openWritable(directory, OddTail.DROP))
        .hasMessage(directory + ": neither a regular file nor a block device");
    assertThatThrownBy(() -> opener.openReadOnly(Path.of("/dev/null"), OddTail.DROP))
        .hasMessage("/dev/null: neither a regular file nor a block device");
  }

  @Test
  void aDeviceOpenedForReadingRefusesEveryChange() throws IOException {
    Path path = fileOf(4096);
    try (FileDevice device = opener.openReadOnly(path, OddTail.DROP);
        Arena arena = Arena.ofConfined()) {
      assertThat(device.limits().isReadOnly()).isTrue();
      assertThat(Requests.write(device, 0, new byte[512], 0)).isEqualTo(Errno.EPERM);
      assertThat(device.writeNow(0, arena.allocate(512), 0, 512)).isEqualTo(Errno.EPERM);
      for (Operation operation : new Operation[] {Operation.DISCARD, Operation.WRITE_ZEROES}) {
        assertThat(Requests.run(device, operation, 0, 512, 0)).isEqualTo(Errno.EPERM);
      }
      assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    }
    assertThat(Files.readAllBytes(path)).containsOnly(1);
  }

  @Test
  void requestsBeyondTheEndAreRefusedAndChangeNothing() throws IOException {
    Path path = fileOf(4096);
    try (FileDevice device = opener.openWritable(path, OddTail.DROP)) {
      assertThat(Requests.write(device, 4000, new byte[97], 0)).isEqualTo(Errno.EINVAL);
      assertThat(Requests.tryRead(device, 4096, 1, 0)).isEqualTo(Errno.EINVAL);
      assertThat(Requests.run(device, Operation.WRITE_ZEROES, -512, 1024, 0))
          .isEqualTo(Errno.EINVAL);
      assertThat(Requests.run(device, Operation.DISCARD, 512, Long.MAX_VALUE, 0))
          .isEqualTo(Errno.EINVAL);
    }
    assertThat(Files.readAllBytes(path)).hasSize(4096).containsOnly(1);
  }

  @Test
  @DisplayName("O12: an odd end is dropped, and its length is told")
  void anOddEndIsDroppedAndItsLengthIsTold() throws IOException {
    Path path = fileOf(1300);
    try (FileDevice device = opener.openWritable(path, OddTail.DROP)) {
      assertThat(device.sizeBytes()).isEqualTo(1024);
      assertThat(device.lostBytes()).isEqualTo(276);
      assertThat(Requests.run(device, Operation.WRITE_ZEROES, 0, 1024, 0)).isEqualTo(Errno.OK);
    }
    assertThat(Arrays.copyOfRange(Files.readAllBytes(path), 1024, 1300)).containsOnly(1);
  }

  @Test
  @DisplayName("O12: an odd end is padded with zeros on request")
  void anOddEndIsPaddedWithZerosOnRequest() throws IOException {
    Path path = fileOf(1300);
    try (FileDevice device = opener.openReadOnly(path, OddTail.PAD);
        Arena arena = Arena.ofConfined()) {
      assertThat(device.sizeBytes()).isEqualTo(1536);
      assertThat(device.lostBytes()).isZero();
      byte[] expected = Arrays.copyOf(Files.readAllBytes(path), 1536);
      assertThat(Requests.read(device, 0, 1536)).isEqualTo(expected);
      assertThat(Requests.read(device, 1400, 136)).containsOnly(0);
      assertThat(device.readNow(1024, arena.allocate(512), 0, 512)).isEqualTo(Errno.EAGAIN);
    }
    assertThat(Files.size(path)).isEqualTo(1300);
  }

  @Test
  @DisplayName("O12: a padded file grows when the padding is written")
  void aPaddedFileGrowsWhenThePaddingIsWritten() throws IOException {
    Path path = fileOf(1300);
    try (FileDevice device = opener.openWritable(path, OddTail.PAD)) {
      Requests.write(device, 0, new byte[] {9});
      assertThat(Files.size(path)).isEqualTo(1300);
      byte[] sector = new byte[512];
      Arrays.fill(sector, (byte) 7);
      Requests.write(device, 1024, sector);
      assertThat(Files.size(path)).isEqualTo(1536);
      assertThat(Requests.read(device, 1024, 512)).isEqualTo(sector);
    }
  }

  @Test
  void aFileThatSomebodyCutFailsToReadAndIsNotTakenForAHole() throws IOException {
    Path path = fileOf(65_536);
    try (FileDevice device = opener.openReadOnly(path, OddTail.DROP)) {
      try (var channel = Files.newByteChannel(path, StandardOpenOption.WRITE)) {
        channel.truncate(8192);
      }
      assertThat(Requests.tryRead(device, 4096, 8192, 0)).isEqualTo(Errno.EIO);
      CompletableFuture<Integer> end = new CompletableFuture<>();
      device.extents(
          16_384,
          4096,
          1,
          new Extents() {
            @Override
            public void extent(long lengthBytes, int state) {
              throw new AssertionError("reported " + lengthBytes + " bytes, state " + state);
            }

            @Override
            public void end(int errno) {
              end.complete(errno);
            }
          });
      assertThat(Requests.await(end)).isEqualTo(Errno.EIO);
    }
  }

  @Test
  void discardAndZeroingFreeSpaceUnlessItIsToStay() throws IOException {
    Path path = directory.resolve("space");
    try (FileDevice device = opener.create(path, 1 << 20)) {
      assumeTrue(device.limits().canDiscard(), "this file system punches no holes");
      Requests.write(device, 0, filled(1 << 20));
      Requests.run(device, Operation.WRITE_ZEROES, 0, 1 << 20, Flags.NO_HOLE);
      Requests.flush(device);
      assertThat(allocatedBytes(path)).isGreaterThanOrEqualTo(1 << 20);
      Requests.run(device, Operation.WRITE_ZEROES, 0, 1 << 19, 0);
      Requests.run(device, Operation.DISCARD, 1 << 19, 1 << 19, 0);
      assertThat(allocatedBytes(path)).isZero();
      assertThat(Files.size(path)).isEqualTo(1 << 20);
    }
  }

  private static byte[] filled(int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 3);
    return bytes;
  }

  private static long allocatedBytes(Path path) throws IOException {
    try (var file = DiskCalls.best().open(path, DiskFile.Mode.READ_ONLY)) {
      return file.facts().allocatedBytes();
    }
  }

  @Test
  void allocatedSpaceIsTakenAndStillReadsAsZeros() throws IOException {
    Path path = directory.resolve("allocated");
    try (FileDevice device = opener.create(path, 4 << 20)) {
      int errno = device.allocate(1 << 20, 2 << 20);
      assumeTrue(errno != Errno.ENOTSUP, "this file system allocates nothing ahead");
      assertThat(errno).isEqualTo(Errno.OK);
      assertThat(allocatedBytes(path)).isGreaterThanOrEqualTo(2 << 20);
      assertThat(Files.size(path)).isEqualTo(4 << 20);
      assertThat(Requests.read(device, 0, 4 << 20)).containsOnly(0);
    }
  }

  @Test
  void dataAndHolesAreToldApart() throws IOException {
    Path path = directory.resolve("holes");
    int hole = Extents.HOLE | Extents.ZERO;
    try (FileDevice device = opener.create(path, 4 << 20)) {
      assumeTrue(device.isAllHoles(), "this file system knows no holes");
      Requests.write(device, 1 << 20, filled(1 << 20));
      assertThat(Requests.extents(device, 65_536, (3 << 20) - 65_536, 9))
          .containsExactly(
              new Requests.Extent(65_536, (1 << 20) - 65_536, hole),
              new Requests.Extent(1 << 20, 1 << 20, 0),
              new Requests.Extent(2 << 20, 1 << 20, hole));
      assertThat(Requests.extents(device, (1 << 20) + 4096, 8192, 9))
          .containsExactly(new Requests.Extent((1 << 20) + 4096, 8192, 0));
    }
  }

  @Test
  void twoPathsToOneFileHaveOneIdentity() throws IOException {
    Path path = fileOf(512);
    Path link = Files.createLink(directory.resolve("link"), path);
    Path other = Files.write(directory.resolve("other"), new byte[512]);
    try (FileDevice first = opener.openReadOnly(path, OddTail.DROP);
        FileDevice second = opener.openReadOnly(link, OddTail.DROP);
        FileDevice third = opener.openReadOnly(other, OddTail.DROP)) {
      assertThat(first.identity()).isEqualTo(second.identity()).isNotEqualTo(third.identity());
    }
  }

  @Test
  void longWritesAreLeftToThePool() throws IOException {
    try (FileDevice device = opener.create(directory.resolve("long"), 1 << 20);
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(1 << 20);
      assertThat(device.writeNow(0, buffer, 0, 128 << 10)).isEqualTo(Errno.OK);
      assertThat(device.writeNow(0, buffer, 0, (128 << 10) + 1)).isEqualTo(Errno.EAGAIN);
    }
  }

  @Test
  void aChainOfRequestsThatEachCompletionContinuesDoesNotGrowTheStack() throws IOException {
    int links = 20_000;
    try (FileDevice device = opener.create(directory.resolve("chain"), 4096);
        Arena arena = Arena.ofShared()) {
      CompletableFuture<Integer> end = new CompletableFuture<>();
      MemorySegment buffer = arena.allocate(512);
      int[] done = {0};
      new Object() {
        private void next(BlockRequest request) {
          device.submit(request.data(Operation.READ, 0, buffer, 0, 512, 0, this::completed));
        }

        private void completed(BlockRequest request, int errno) {
          if (errno != Errno.OK || ++done[0] == links) {
            end.complete(errno);
          } else {
            next(request);
          }
        }
      }.next(new BlockRequest());
      assertThat(Requests.await(end)).isEqualTo(Errno.OK);
      assertThat(done[0]).isEqualTo(links);
    }
  }
}
