package oxbow.device.mem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Operation;
import oxbow.device.BlockDeviceContractTest;
import oxbow.device.Requests;

/** Aim: memory is a device like all others, and takes space only for what is written to it. */
class MemDeviceTest extends BlockDeviceContractTest {
  private static final int HOLE = Extents.HOLE | Extents.ZERO;

  @Override
  protected BlockDevice open(long sizeBytes) {
    return new MemDevice(sizeBytes);
  }

  @Test
  void aDeviceOfTebibytesTakesNoMemoryUntilItIsWritten() {
    try (MemDevice device = new MemDevice(16L << 40)) {
      long last = device.sizeBytes() - 512;
      assertThat(Requests.read(device, last, 512)).containsOnly(0);
      assertThat(Requests.extents(device, 0, device.sizeBytes(), 9))
          .containsExactly(new Requests.Extent(0, device.sizeBytes(), HOLE));
    }
  }

  @Test
  void aDiscardedPieceBecomesAHoleAgain() {
    try (MemDevice device = new MemDevice(192 << 10)) {
      Requests.write(device, 64 << 10, new byte[] {1, 2, 3});
      assertThat(Requests.extents(device, 0, 192 << 10, 9))
          .containsExactly(
              new Requests.Extent(0, 64 << 10, HOLE),
              new Requests.Extent(64 << 10, 64 << 10, 0),
              new Requests.Extent(128 << 10, 64 << 10, HOLE));
      Requests.run(device, Operation.DISCARD, 64 << 10, 64 << 10, 0);
      assertThat(Requests.extents(device, 0, 192 << 10, 9))
          .containsExactly(new Requests.Extent(0, 192 << 10, HOLE));
    }
  }

  @Test
  void whatLiesOutsideIsRefused() {
    try (MemDevice device = new MemDevice(4096)) {
      assertThat(Requests.tryRead(device, 4096, 1, 0)).isEqualTo(Errno.EINVAL);
      assertThat(Requests.write(device, 4000, new byte[97], 0)).isEqualTo(Errno.EINVAL);
    }
  }

  @Test
  void addressSaysTheSizeAndTooLargeASizeIsRefused() {
    try (MemDevice device = new MemDevice(4096)) {
      assertThat(device.address()).isEqualTo("mem:4KiB");
    }
    assertThatThrownBy(() -> new MemDevice(Long.MAX_VALUE)).hasMessageContaining("at most 64TiB");
  }
}
