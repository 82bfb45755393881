package oxbow.nbd.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;

/**
 * The codecs put the bytes that the protocol prescribes, where it prescribes them, and read them
 * back. Method: each layout is written out by hand as hexadecimal digits.
 */
class WireTest {
  private static final int AT = 3; // Nothing may depend on where a header begins.

  private final ByteBuffer buffer = ByteBuffer.allocate(64);

  private String hex(int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    buffer.get(AT, bytes);
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void requestHeaderIsMagicFlagsCommandCookieOffsetLength() {
    RequestHeader.put(
        buffer, AT, 0xfe01, Nbd.CMD_WRITE_ZEROES, 0x0102030405060708L, 1L << 40, 0xfffffffeL);

    assertThat(hex(RequestHeader.SIZE_BYTES))
        .isEqualTo(
            "25609513" + "fe01" + "0006" + "0102030405060708" + "0000010000000000" + "fffffffe");
    assertThat(RequestHeader.magic(buffer, AT)).isEqualTo(Nbd.REQUEST_MAGIC);
    assertThat(RequestHeader.flags(buffer, AT)).isEqualTo(0xfe01);
    assertThat(RequestHeader.command(buffer, AT)).isEqualTo(Nbd.CMD_WRITE_ZEROES);
    assertThat(RequestHeader.cookie(buffer, AT)).isEqualTo(0x0102030405060708L);
    assertThat(RequestHeader.offset(buffer, AT)).isEqualTo(1L << 40);
    assertThat(RequestHeader.length(buffer, AT)).isEqualTo(0xfffffffeL);
  }

  @Test
  void simpleReplyIsMagicErrorCookie() {
    SimpleReply.put(buffer, AT, Errno.ENOSPC, -2);

    assertThat(hex(SimpleReply.SIZE_BYTES)).isEqualTo("67446698" + "0000001c" + "fffffffffffffffe");
    assertThat(SimpleReply.magic(buffer, AT)).isEqualTo(Nbd.SIMPLE_REPLY_MAGIC);
    assertThat(SimpleReply.error(buffer, AT)).isEqualTo(Errno.ENOSPC);
    assertThat(SimpleReply.cookie(buffer, AT)).isEqualTo(-2);
  }

  @Test
  void chunkOfDataCarriesItsOffsetAndEndsTheReply() {
    ReplyChunk.putOffsetData(buffer, AT, 7, 0x1122334455L, 512);

    assertThat(hex(ReplyChunk.OFFSET_DATA_BYTES))
        .isEqualTo(
            "668e33ef" + "0001" + "0001" + "0000000000000007" + "00000208" + "0000001122334455");
    assertThat(ReplyChunk.magic(buffer, AT)).isEqualTo(Nbd.STRUCTURED_REPLY_MAGIC);
    assertThat(ReplyChunk.isDone(buffer, AT)).isTrue();
    assertThat(ReplyChunk.type(buffer, AT)).isEqualTo(Nbd.REPLY_TYPE_OFFSET_DATA);
    assertThat(ReplyChunk.cookie(buffer, AT)).isEqualTo(7);
    assertThat(ReplyChunk.payloadBytes(buffer, AT)).isEqualTo(520);
  }

  @Test
  void chunkOfAnErrorHasAnEmptyMessage() {
    ReplyChunk.putError(buffer, AT, 9, Errno.EIO);

    assertThat(hex(ReplyChunk.ERROR_BYTES))
        .isEqualTo(
            "668e33ef" + "0001" + "8001" + "0000000000000009" + "00000006" + "00000005" + "0000");
  }

  @Test
  void chunkOfNothingEndsAReply() {
    ReplyChunk.putNone(buffer, AT, 9);

    assertThat(hex(ReplyChunk.HEADER_BYTES))
        .isEqualTo("668e33ef" + "0001" + "0000" + "0000000000000009" + "00000000");
  }

  @Test
  void chunkThatIsNotTheLastOneSaysSo() {
    ReplyChunk.put(buffer, AT, 0, Nbd.REPLY_TYPE_BLOCK_STATUS, 1, -1);

    assertThat(ReplyChunk.isDone(buffer, AT)).isFalse();
    assertThat(ReplyChunk.payloadBytes(buffer, AT)).isEqualTo(0xffffffffL);
  }

  @Test
  void optionHeaderIsMagicOptionLength() {
    OptionHeader.put(buffer, AT, Nbd.OPT_GO, 0x80000001);

    assertThat(hex(OptionHeader.SIZE_BYTES))
        .isEqualTo("49484156454f5054" + "00000007" + "80000001");
    assertThat(OptionHeader.magic(buffer, AT)).isEqualTo(Nbd.OPTION_MAGIC);
    assertThat(OptionHeader.option(buffer, AT)).isEqualTo(Nbd.OPT_GO);
    assertThat(OptionHeader.dataBytes(buffer, AT)).isEqualTo(0x80000001L);
  }

  @Test
  void optionReplyIsMagicOptionTypeLength() {
    OptionReply.put(buffer, AT, Nbd.OPT_LIST, Nbd.REP_ERR_UNSUP, 12);

    assertThat(hex(OptionReply.HEADER_BYTES))
        .isEqualTo("0003e889045565a9" + "00000003" + "80000001" + "0000000c");
    assertThat(OptionReply.magic(buffer, AT)).isEqualTo(OptionReply.MAGIC);
    assertThat(OptionReply.option(buffer, AT)).isEqualTo(Nbd.OPT_LIST);
    assertThat(OptionReply.type(buffer, AT)).isEqualTo(Nbd.REP_ERR_UNSUP);
    assertThat(OptionReply.dataBytes(buffer, AT)).isEqualTo(12);
  }

  @Test
  void everyErrorNumberGoesToOneThatTheProtocolKnows() {
    for (int errno = 1; errno < 200; errno++) {
      int wire = NbdErrno.toWire(errno);
      assertThat(NbdErrno.fromWire(wire)).as("errno %d", errno).isEqualTo(wire).isNotZero();
    }
    assertThat(NbdErrno.toWire(Errno.OK)).isZero();
    assertThat(NbdErrno.fromWire(0)).isZero();
  }

  @Test
  void errorNumbersKeepTheirMeaningOnTheWire() {
    assertThat(NbdErrno.toWire(Errno.EROFS)).isEqualTo(Errno.EPERM);
    assertThat(NbdErrno.toWire(Errno.EDQUOT)).isEqualTo(Errno.ENOSPC);
    assertThat(NbdErrno.toWire(Errno.ETIMEDOUT)).isEqualTo(Errno.EIO);
    assertThat(NbdErrno.fromWire(0x7fffffff)).isEqualTo(Errno.EINVAL);
  }
}
