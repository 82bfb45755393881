package oxbow.device.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockRequest;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.engine.WorkerDiskPool;
import oxbow.linux.DiskCalls;
import oxbow.linux.DiskFile;
import oxbow.linux.ForwardingDiskFile;

/**
 * Aim: failures of the disk are passed on and remembered. Method: system calls that fail at will.
 */
class FileFailureTest {
  private static final int SIZE_BYTES = 1 << 20;

  @TempDir Path directory;

  private final WorkerDiskPool pool = new WorkerDiskPool(4);
  private final Faults faults = new Faults();
  private FileDevice device;

  /** What the next calls answer; 0 lets them through. */
  private static final class Faults {
    volatile long write;
    volatile long flush;
    volatile long direct;
    volatile long punch;
    volatile long zeroRange;
    final AtomicInteger flushes = new AtomicInteger();
    final AtomicInteger directCalls = new AtomicInteger();
    final AtomicInteger bufferedWrites = new AtomicInteger();
    volatile CountDownLatch flushMayEnd = new CountDownLatch(0);
    volatile CountDownLatch flushBegan = new CountDownLatch(1);
  }

  private static class FaultyFile extends ForwardingDiskFile {
    final Faults faults;

    FaultyFile(DiskFile real, Faults faults) {
      super(real);
      this.faults = faults;
    }

    @Override
    public long write(long offsetBytes, MemorySegment data, long dataOffset, long length) {
      faults.bufferedWrites.incrementAndGet();
      return faults.write != 0 ? faults.write : super.write(offsetBytes, data, dataOffset, length);
    }

    @Override
    public long flush() {
      faults.flushes.incrementAndGet();
      faults.flushBegan.countDown();
      try {
        faults.flushMayEnd.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      return faults.flush != 0 ? faults.flush : super.flush();
    }

    @Override
    public long punchHole(long offsetBytes, long lengthBytes) {
      return faults.punch != 0 ? faults.punch : super.punchHole(offsetBytes, lengthBytes);
    }

    @Override
    public long zeroRange(long offsetBytes, long lengthBytes) {
      return faults.zeroRange != 0 ? faults.zeroRange : super.zeroRange(offsetBytes, lengthBytes);
    }

    @Override
    public DiskFile openDirect() throws IOException {
      return new DirectFile(super.openDirect(), faults);
    }
  }

  private static final class DirectFile extends FaultyFile {
    DirectFile(DiskFile real, Faults faults) {
      super(real, faults);
    }

    @Override
    public long read(long offsetBytes, MemorySegment data, long dataOffset, long length) {
      faults.directCalls.incrementAndGet();
      return faults.direct != 0 ? faults.direct : super.read(offsetBytes, data, dataOffset, length);
    }

    @Override
    public long write(long offsetBytes, MemorySegment data, long dataOffset, long length) {
      faults.directCalls.incrementAndGet();
      return faults.direct != 0
          ? faults.direct
          : super.write(offsetBytes, data, dataOffset, length);
    }
  }

  @BeforeEach
  void openDevice() throws IOException {
    DiskCalls real = DiskCalls.best();
    DiskCalls faulty =
        new DiskCalls() {
          @Override
          public DiskFile open(Path path, DiskFile.Mode mode) throws IOException {
            return new FaultyFile(real.open(path, mode), faults);
          }

          @Override
          public void syncDirectory(Path directory) throws IOException {
            real.syncDirectory(directory);
          }
        };
    device = new FileOpener(faulty, pool).create(directory.resolve("faulty"), SIZE_BYTES);
  }

  @AfterEach
  void closeDevice() throws IOException {
    pool.close();
    device.close();
  }

  @Test
  @DisplayName("F2: what fails while the device grows is not forgotten, and it has not grown")
  void aFailedFlushWhileTheDeviceGrowsIsKept() throws IOException {
    Requests.write(device, 0, new byte[4096]);
    faults.flush = -Errno.EIO;
    assertThatThrownBy(() -> device.growTo(2 * SIZE_BYTES)).isInstanceOf(DeviceException.class);
    faults.flush = 0;
    assertThat(device.sizeBytes()).isEqualTo(SIZE_BYTES);
    assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
    assertThatThrownBy(() -> device.growTo(2 * SIZE_BYTES)).isInstanceOf(DeviceException.class);
  }

  @Test
  @DisplayName("O3, F2: a failed fdatasync is never retried into success")
  void aFailedFlushIsNeverRetriedIntoSuccess() {
    Requests.write(device, 0, new byte[4096]);
    faults.flush = -Errno.EIO;
    assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
    faults.flush = 0;
    int flushes = faults.flushes.get();
    for (int i = 0; i < 3; i++) {
      assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
      assertThat(Requests.write(device, 0, new byte[512], Flags.FUA)).isEqualTo(Errno.EIO);
      assertThat(Requests.run(device, Operation.WRITE_ZEROES, 0, 512, Flags.FUA))
          .isEqualTo(Errno.EIO);
    }
    assertThat(faults.flushes.get()).as("fdatasync is not even tried").isEqualTo(flushes);
    assertThat(Requests.read(device, 0, 4096)).as("reads go on").containsOnly(0);
  }

  @Test
  @DisplayName("O3: a write with FUA fails with the flush it needs, and so do all later flushes")
  void aForcedWriteFailsWithItsFlush() {
    faults.flush = -Errno.EDQUOT;
    assertThat(Requests.write(device, 0, new byte[512], Flags.FUA)).isEqualTo(Errno.ENOSPC);
    faults.flush = 0;
    assertThat(Requests.flush(device)).isEqualTo(Errno.EIO);
  }

  @Test
  void afterAFailedWriteFlushesStillWork() {
    faults.write = -Errno.EIO;
    assertThat(Requests.write(device, 0, new byte[512], 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.write(device, 0, new byte[512], Flags.FUA)).isEqualTo(Errno.EIO);
    faults.write = 0;
    assertThat(Requests.flush(device)).isEqualTo(Errno.OK);
    assertThat(Requests.write(device, 0, new byte[512], Flags.FUA)).isEqualTo(Errno.OK);
  }

  @Test
  void lackOfSpaceAndQuotaAreBothSaidAsLackOfSpace() {
    for (int errno : new int[] {Errno.ENOSPC, Errno.EDQUOT}) {
      faults.write = -errno;
      assertThat(Requests.write(device, 0, new byte[512], 0)).isEqualTo(Errno.ENOSPC);
    }
    int ebadf = 9;
    faults.write = -ebadf;
    assertThat(Requests.write(device, 0, new byte[512], 0)).isEqualTo(Errno.EIO);
  }

  @Test
  @DisplayName("O4: flushes that wait share the next fdatasync, never the one under way")
  void flushesThatWaitShareTheNextOneAndNeverTheOneUnderWay() throws InterruptedException {
    faults.flushMayEnd = new CountDownLatch(1);
    List<CompletableFuture<Integer>> ends = new ArrayList<>();
    ends.add(submitFlush());
    faults.flushBegan.await();
    int before = faults.flushes.get();
    for (int i = 0; i < 10; i++) {
      ends.add(submitFlush());
    }
    // The pool is first in, first out: when this read has ended, all flushes but the last few have
    // joined those that wait, and none has run.
    assertThat(Requests.tryRead(device, 0, 512, 0)).isEqualTo(Errno.OK);
    assertThat(ends).noneMatch(CompletableFuture::isDone);
    assertThat(faults.flushes.get()).isEqualTo(before);
    faults.flushMayEnd.countDown();
    for (CompletableFuture<Integer> end : ends) {
      assertThat(Requests.await(end)).isEqualTo(Errno.OK);
    }
    assertThat(faults.flushes.get() - before).isBetween(1, 3);
  }

  private CompletableFuture<Integer> submitFlush() {
    CompletableFuture<Integer> end = new CompletableFuture<>();
    device.submit(new BlockRequest().flush((request, errno) -> end.complete(errno)));
    return end;
  }

  @Test
  void directTransfersAreGivenUpForGoodWhenTheDiskRefusesThem() {
    byte[] bytes = new byte[65_536];
    bytes[65_535] = 1;
    faults.direct = -Errno.EINVAL;
    assertThat(Requests.write(device, 0, bytes, Flags.BULK)).isEqualTo(Errno.OK);
    assertThat(faults.directCalls.get()).isEqualTo(1);
    assertThat(Requests.read(device, 0, 65_536, Flags.BULK)).isEqualTo(bytes);
    assertThat(faults.directCalls.get()).isEqualTo(1);
  }

  @Test
  void anErrorOfADirectTransferIsAnErrorOfTheRequest() {
    Requests.write(device, 0, new byte[4096]);
    faults.direct = -Errno.EIO;
    assertThat(Requests.write(device, 0, new byte[65_536], Flags.BULK)).isEqualTo(Errno.EIO);
    assertThat(Requests.tryRead(device, 0, 65_536, Flags.BULK)).isEqualTo(Errno.EIO);
  }

  @Test
  void zeroingFallsBackFromHolesToRangesToWrites() {
    byte[] ones = new byte[600_000];
    Arrays.fill(ones, (byte) 1);
    Requests.write(device, 0, ones);
    faults.punch = -Errno.ENOTSUP;
    faults.zeroRange = -Errno.ENOTSUP;
    int writes = faults.bufferedWrites.get();
    assertThat(Requests.run(device, Operation.WRITE_ZEROES, 0, 600_000, Flags.FAST_ZERO))
        .isEqualTo(Errno.ENOTSUP);
    assertThat(faults.bufferedWrites.get()).isEqualTo(writes);
    assertThat(Requests.run(device, Operation.WRITE_ZEROES, 0, 600_000, 0)).isEqualTo(Errno.OK);
    assertThat(faults.bufferedWrites.get()).isGreaterThan(writes);
    assertThat(Requests.read(device, 0, 600_000)).containsOnly(0);
    assertThat(Requests.run(device, Operation.DISCARD, 0, 4096, 0)).isEqualTo(Errno.ENOTSUP);
  }
}
