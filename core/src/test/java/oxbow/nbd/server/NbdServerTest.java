package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Flags;
import oxbow.block.Limits;
import oxbow.nbd.wire.Nbd;

/**
 * The server carries out each command and refuses what the protocol says it must. Method: a raw
 * client, one request at a time.
 */
class NbdServerTest extends ServerFixture {
  @Test
  void readReturnsWhatWasWrittenAtAnyOffsetAndLength() throws IOException {
    int[] lengths = {1, 511, 4096, 4097, 70_001, 256 << 10, (256 << 10) + 1, 1 << 20, 32 << 20};
    try (RawClient client = client()) {
      for (int length : lengths) {
        for (long offset : new long[] {0, 513, SIZE_BYTES - length}) {
          byte[] data = random(length);
          assertThat(client.write(offset, data)).isZero();
          assertThat(stored(offset, length)).isEqualTo(data);
          assertThat(client.read(offset, length)).isEqualTo(ByteBuffer.wrap(data));
        }
      }
    }
  }

  @Test
  void deviceThatCannotAnswerAtOnceIsServedToo() throws IOException {
    device.declining();
    readReturnsWhatWasWrittenAtAnyOffsetAndLength();
  }

  @Test
  void structuredReadCarriesItsOffset() throws IOException {
    byte[] data = random(5000);
    try (RawClient client = RawClient.goStructured(address, "disk")) {
      assertThat(client.write(77, data)).isZero();
      for (int flags : new int[] {0, Nbd.CMD_FLAG_DF}) {
        client.request(Nbd.CMD_READ, flags, 42, 77, 5000);
        RawClient.Answer answer = client.answer(0);
        assertThat(answer.type()).isEqualTo(Nbd.REPLY_TYPE_OFFSET_DATA);
        assertThat(answer.cookie()).isEqualTo(42);
        assertThat(answer.payload().getLong()).isEqualTo(77);
        assertThat(answer.payload()).isEqualTo(ByteBuffer.wrap(data));
      }
      client.request(Nbd.CMD_READ, 0, 43, 0, 0);
      assertThat(client.answer(0).type()).isEqualTo(Nbd.REPLY_TYPE_NONE);
      client.request(Nbd.CMD_READ, 0, 44, SIZE_BYTES, 1);
      RawClient.Answer error = client.answer(0);
      assertThat(error.type()).isEqualTo(Nbd.REPLY_TYPE_ERROR);
      assertThat(error.error()).isEqualTo(Errno.EINVAL);
    }
  }

  @Test
  void largeStructuredReadLeavesFromItsOwnBuffer() throws IOException {
    byte[] data = random(3 << 20);
    try (RawClient client = RawClient.goStructured(address, "disk")) {
      assertThat(client.write(0, data)).isZero();
      ByteBuffer payload = client.read(0, data.length);
      assertThat(payload.getLong()).isZero();
      assertThat(payload).isEqualTo(ByteBuffer.wrap(data));
    }
  }

  @Test
  void rangeErrorsAreThoseOfTheProtocol() throws IOException {
    try (RawClient client = client()) {
      assertThat(client.error(Nbd.CMD_READ, 0, SIZE_BYTES - 1, 2)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_READ, 0, -1, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_READ, 0, Long.MAX_VALUE, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(SIZE_BYTES, new byte[1])).isEqualTo(Errno.ENOSPC);
      assertThat(client.write(-5, new byte[10])).isEqualTo(Errno.ENOSPC);
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, 0, SIZE_BYTES, 1)).isEqualTo(Errno.ENOSPC);
      assertThat(client.error(Nbd.CMD_TRIM, 0, SIZE_BYTES, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_CACHE, 0, SIZE_BYTES, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.read(0, 1).remaining()).isEqualTo(1);
    }
  }

  @Test
  void flagsAndCommandsThatWereNotOfferedAreInvalid() throws IOException {
    try (RawClient client = client()) {
      assertThat(client.error(Nbd.CMD_READ, Nbd.CMD_FLAG_DF, 0, 1)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(Nbd.CMD_FLAG_NO_HOLE, 0, new byte[9])).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_FLUSH, 0x80, 0, 0)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_BLOCK_STATUS, 0, 0, 512)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(99, 0, 0, 0)).isEqualTo(Errno.EINVAL);
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
    }
  }

  @Test
  void oversizePayloadIsRefusedAndPassedOver() throws IOException {
    int tooMany = Nbd.MAX_PAYLOAD_BYTES + 1;
    try (RawClient client = client()) {
      assertThat(client.error(Nbd.CMD_READ, 0, 0, tooMany)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(0, new byte[tooMany])).isEqualTo(Errno.EINVAL);
      assertThat(client.write(0, new byte[8])).isZero();
    }
  }

  @Test
  void readOnlyExportRefusesAllThatWrites() throws IOException {
    server.add(new Export("ro", "", device, true, true, ExportLimits.UNLIMITED));
    try (RawClient client = RawClient.go(address, "ro")) {
      assertThat(client.write(0, random(4096))).isEqualTo(Errno.EPERM);
      assertThat(client.error(Nbd.CMD_TRIM, 0, 0, 512)).isEqualTo(Errno.EPERM);
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, 0, 0, 512)).isEqualTo(Errno.EPERM);
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
      assertThat(client.read(0, 4096)).isEqualTo(ByteBuffer.allocate(4096));
    }
    assertThat(device.log()).containsExactly("FLUSH 0+0");
  }

  @Test
  void flagsReachTheDeviceUnderItsOwnNames() throws IOException {
    int both = Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_NO_HOLE;
    try (RawClient client = client()) {
      assertThat(client.write(Nbd.CMD_FLAG_FUA, 5, new byte[7])).isZero();
      assertThat(client.error(Nbd.CMD_TRIM, Nbd.CMD_FLAG_FUA, 512, 1024)).isZero();
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, both, 0, 3)).isZero();
      assertThat(client.error(Nbd.CMD_WRITE_ZEROES, Nbd.CMD_FLAG_FAST_ZERO, 1, 2)).isZero();
      assertThat(client.error(Nbd.CMD_CACHE, 0, 0, SIZE_BYTES)).isZero();
      assertThat(client.error(Nbd.CMD_FLUSH, Nbd.CMD_FLAG_FUA, 0, 0)).isZero();
      assertThat(client.error(Nbd.CMD_TRIM, 0, 0, 0)).isZero();
    }
    assertThat(device.log())
        .containsExactly(
            "WRITE 5+7 FUA",
            "DISCARD 512+1024 FUA",
            "WRITE_ZEROES 0+3 FUA flags " + (Flags.FUA | Flags.NO_HOLE),
            "WRITE_ZEROES 1+2 flags " + Flags.FAST_ZERO,
            "CACHE 0+" + SIZE_BYTES,
            "FLUSH 0+0");
  }

  @Test
  void discardLargerThanTheDeviceTakesGoesInPieces() throws IOException {
    Limits pieces = new Limits(false, 1, true, 1 << 20, true, true, true);
    ArenaDevice small = new ArenaDevice(4 << 20, pieces).logging();
    server.add(Export.of("small", small));
    try (RawClient client = RawClient.go(address, "small")) {
      assertThat(client.error(Nbd.CMD_TRIM, 0, 1000, (2 << 20) + 5)).isZero();
    }
    assertThat(small.log())
        .containsExactly("DISCARD 1000+1048576", "DISCARD 1049576+1048576", "DISCARD 2098152+5");
  }

  @Test
  void deviceWithoutDiscardRefusesIt() throws IOException {
    Limits none = new Limits(false, 512, false, 0, false, false, true);
    server.add(Export.of("none", new ArenaDevice(1 << 20, none)));
    try (RawClient client = RawClient.go(address, "none")) {
      assertThat(client.error(Nbd.CMD_TRIM, 0, 0, 512)).isEqualTo(Errno.ENOTSUP);
      assertThat(client.error(Nbd.CMD_READ, 0, 1, 512)).isEqualTo(Errno.EINVAL);
      assertThat(client.write(0, new byte[511])).isEqualTo(Errno.EINVAL);
      assertThat(client.write(512, new byte[512])).isZero();
    }
  }

  @Test
  void errorOfTheDeviceReachesItsOwnRequestOnly() throws IOException {
    try (RawClient client = client()) {
      device.failWith(Errno.ENOSPC);
      assertThat(client.write(0, new byte[4096])).isEqualTo(Errno.ENOSPC);
      device.failWith(Errno.ETIMEDOUT);
      assertThat(client.error(Nbd.CMD_READ, 0, 0, 4096)).isEqualTo(Errno.EIO);
      assertThat(client.error(Nbd.CMD_READ, 0, 0, 8 << 20)).isEqualTo(Errno.EIO);
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isEqualTo(Errno.EIO);
      device.failWith(Errno.OK);
      assertThat(client.write(0, new byte[4096])).isZero();
    }
  }

  @Test
  void blockStatusMergesEqualExtentsAndStaysInItsRange() throws IOException {
    int hole = Extents.HOLE | Extents.ZERO;
    device.extents(
        new long[] {4096, 0},
        new long[] {4096, 0},
        new long[] {8192, hole},
        new long[] {1 << 30, 2});
    try (RawClient client = RawClient.goStructured(address, "disk")) {
      client.request(Nbd.CMD_BLOCK_STATUS, 0, 8, 0, 1 << 20);
      RawClient.Answer answer = client.answer(0);
      assertThat(answer.type()).isEqualTo(Nbd.REPLY_TYPE_BLOCK_STATUS);
      ByteBuffer expected = ByteBuffer.allocate(28).putInt(Negotiation.BASE_ALLOCATION_ID);
      expected.putInt(8192).putInt(0).putInt(8192).putInt(hole);
      expected.putInt((1 << 20) - 16384).putInt(2).flip();
      assertThat(answer.payload()).isEqualTo(expected);

      client.request(Nbd.CMD_BLOCK_STATUS, Nbd.CMD_FLAG_REQ_ONE, 8, 0, 1 << 20);
      assertThat(client.answer(0).payload().remaining()).isEqualTo(12);
      device.failWith(Errno.EIO);
      client.request(Nbd.CMD_BLOCK_STATUS, 0, 8, 0, 1 << 20);
      assertThat(client.answer(0).error()).isEqualTo(Errno.EIO);
    }
  }
}
