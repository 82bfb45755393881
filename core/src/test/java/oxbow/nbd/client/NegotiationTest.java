package oxbow.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.OptionReply;

/**
 * Aim: every way in which a server can answer the handshake ends as it should, however the bytes
 * are cut. Method: the server's bytes as a script, eaten whole and byte by byte; the client's bytes
 * spelt out once.
 */
class NegotiationTest {
  private static final int FLAGS =
      Nbd.FLAG_HAS_FLAGS | Nbd.FLAG_SEND_FLUSH | Nbd.FLAG_CAN_MULTI_CONN;

  /** What a server says, in the order in which it says it. */
  private static final class Script {
    private final ByteBuffer bytes = ByteBuffer.allocate(100_000);

    static Script fixed() {
      return new Script()
          .longs(Nbd.INIT_MAGIC, Nbd.OPTION_MAGIC)
          .shorts(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES);
    }

    Script longs(long... values) {
      for (long value : values) {
        bytes.putLong(value);
      }
      return this;
    }

    Script shorts(int... values) {
      for (int value : values) {
        bytes.putShort((short) value);
      }
      return this;
    }

    Script ints(int... values) {
      for (int value : values) {
        bytes.putInt(value);
      }
      return this;
    }

    Script text(String text) {
      bytes.put(text.getBytes(StandardCharsets.UTF_8));
      return this;
    }

    Script reply(int option, int type, int dataBytes) {
      OptionReply.put(bytes, bytes.position(), option, type, dataBytes);
      bytes.position(bytes.position() + OptionReply.HEADER_BYTES);
      return this;
    }

    Script says(int option, int errorType, String message) {
      return reply(option, errorType, message.length()).text(message);
    }

    Script structured() {
      return reply(Nbd.OPT_STRUCTURED_REPLY, Nbd.REP_ACK, 0);
    }

    Script allocation(int id) {
      return reply(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_META_CONTEXT, 4 + 15)
          .ints(id)
          .text("base:allocation")
          .reply(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_ACK, 0);
    }

    Script exportInfo(long sizeBytes, int flags) {
      return reply(Nbd.OPT_GO, Nbd.REP_INFO, 12)
          .shorts(Nbd.INFO_EXPORT)
          .longs(sizeBytes)
          .shorts(flags);
    }

    Script blockSizes(int minimum, int preferred, int maximum) {
      return reply(Nbd.OPT_GO, Nbd.REP_INFO, 14)
          .shorts(Nbd.INFO_BLOCK_SIZE)
          .ints(minimum, preferred, maximum);
    }

    Script goAck() {
      return reply(Nbd.OPT_GO, Nbd.REP_ACK, 0);
    }

    byte[] toBytes() {
      byte[] copy = new byte[bytes.position()];
      bytes.get(0, copy);
      return copy;
    }
  }

  /**
   * Feeds pieces of a length, keeps what was not eaten, and checks that the cut does not matter.
   */
  private static Negotiation run(Script script) {
    byte[] bytes = script.toBytes();
    Negotiation whole = feed(bytes, bytes.length);
    for (int piece : new int[] {1, 3, 19}) {
      Negotiation cut = feed(bytes, piece);
      assertThat(cut.export()).isEqualTo(whole.export());
      assertThat(cut.refusal()).isEqualTo(whole.refusal());
    }
    return whole;
  }

  private static Negotiation feed(byte[] bytes, int piece) {
    Negotiation negotiation = new Negotiation("disk");
    ByteBuffer in = ByteBuffer.wrap(bytes);
    ByteBuffer out = ByteBuffer.allocate(10_000);
    int eaten = 0;
    for (int there = 0; there < bytes.length; ) {
      there = Math.min(bytes.length, there + piece);
      eaten = negotiation.eat(in, eaten, there);
      negotiation.takeOutput(out, 0);
    }
    return negotiation;
  }

  private static Export agreed(Script script) {
    Negotiation negotiation = run(script);
    assertThat(negotiation.refusal()).isNull();
    return Objects.requireNonNull(negotiation.export());
  }

  private static Refusal refused(Script script) {
    Negotiation negotiation = run(script);
    assertThat(negotiation.export()).isNull();
    return Objects.requireNonNull(negotiation.refusal());
  }

  @Test
  void aModernServerIsAskedForEverythingInTurn() {
    Negotiation negotiation = new Negotiation("disk");
    assertThat(said(negotiation, Script.fixed()))
        .isEqualTo("00000003" + "49484156454f5054" + "00000008" + "00000000");
    assertThat(said(negotiation, new Script().structured()))
        .isEqualTo(
            "49484156454f5054"
                + "0000000a"
                + "0000001f"
                + "00000004"
                + "6469736b"
                + "00000001"
                + "0000000f"
                + "626173653a616c6c6f636174696f6e");
    assertThat(said(negotiation, new Script().allocation(7)))
        .isEqualTo(
            "49484156454f5054"
                + "00000007"
                + "0000000c"
                + "00000004"
                + "6469736b"
                + "0001"
                + "0003");
    assertThat(said(negotiation, new Script().exportInfo(4096, FLAGS).goAck())).isEmpty();
    assertThat(negotiation.export()).isEqualTo(new Export(4096, FLAGS, 1, 32 << 20, true, true, 7));
  }

  private static String said(Negotiation negotiation, Script script) {
    byte[] bytes = script.toBytes();
    assertThat(negotiation.eat(ByteBuffer.wrap(bytes), 0, bytes.length)).isEqualTo(bytes.length);
    ByteBuffer out = ByteBuffer.allocate(10_000);
    int length = negotiation.takeOutput(out, 0);
    StringBuilder hex = new StringBuilder();
    for (int i = 0; i < length; i++) {
      hex.append(String.format("%02x", out.get(i)));
    }
    return hex.toString();
  }

  @Test
  void blockSizesAreKeptTo() {
    Script script = Script.fixed().structured().allocation(1).exportInfo(1 << 20, FLAGS);
    Export export = agreed(script.blockSizes(4096, 65536, 1_000_000).goAck());

    assertThat(export.minBlockBytes()).isEqualTo(4096);
    assertThat(export.maxPayloadBytes()).as("whole blocks").isEqualTo(999_424);
  }

  @Test
  void anUnlimitedMaximumIsLimitedByTheProtocol() {
    Script script = Script.fixed().structured().allocation(1).exportInfo(1 << 20, FLAGS);
    assertThat(agreed(script.blockSizes(512, 4096, -1).goAck()).maxPayloadBytes())
        .isEqualTo(32 << 20);
  }

  @Test
  void aServerWithoutStructuredRepliesIsNotAskedForContexts() {
    Script script =
        Script.fixed()
            .reply(Nbd.OPT_STRUCTURED_REPLY, Nbd.REP_ERR_UNSUP, 0)
            .exportInfo(4096, FLAGS)
            .goAck();
    assertThat(agreed(script)).isEqualTo(new Export(4096, FLAGS, 1, 32 << 20, false, false, 0));
  }

  @Test
  void aServerWithoutContextsIsUsedWithoutThem() {
    for (Script contexts :
        new Script[] {
          new Script().says(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_ERR_UNSUP, "no"),
          new Script().reply(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_ACK, 0)
        }) {
      Script script = Script.fixed().structured();
      script.bytes.put(contexts.toBytes());
      assertThat(agreed(script.exportInfo(4096, FLAGS).goAck()).hasAllocation()).isFalse();
    }
  }

  @Test
  void informationThatNobodyAskedForIsIgnored() {
    Script script = Script.fixed().structured().allocation(1).exportInfo(4096, FLAGS);
    script.reply(Nbd.OPT_GO, Nbd.REP_INFO, 6).shorts(Nbd.INFO_NAME).text("disk");
    script.reply(Nbd.OPT_GO, Nbd.REP_INFO, 2).shorts(999);
    assertThat(agreed(script.goAck()).sizeBytes()).isEqualTo(4096);
  }

  @Test
  void aServerWithoutGoIsAskedByExportName() {
    Script script =
        Script.fixed()
            .structured()
            .allocation(1)
            .reply(Nbd.OPT_GO, Nbd.REP_ERR_UNSUP, 0)
            .longs(8192)
            .shorts(FLAGS);
    assertThat(agreed(script)).isEqualTo(new Export(8192, FLAGS, 1, 32 << 20, true, true, 1));
  }

  @Test
  void aNewstyleServerThatIsNotFixedIsAskedByExportNameAtOnce() {
    Script script = new Script().longs(Nbd.INIT_MAGIC, Nbd.OPTION_MAGIC).shorts(0);
    script.longs(8192).shorts(FLAGS);
    script.bytes.put(new byte[Nbd.EXPORT_NAME_ZEROES_BYTES]);

    assertThat(agreed(script)).isEqualTo(new Export(8192, FLAGS, 1, 32 << 20, false, false, 0));
  }

  @Test
  void somethingElseThanAnNbdServerIsRecognisedByItsFirstWords() {
    Refusal refusal = refused(new Script().text("SSH-2.0-OpenSSH_9.2\r\n"));
    assertThat(refusal.kind()).isEqualTo(Refusal.Kind.NOT_NBD);
    assertThat(refusal.message()).contains("not an NBD server: it begins with \"SSH-2.0-\"");
  }

  @Test
  void whatAServerSaysIsShownOnOneLineWithoutControlCharacters() {
    assertThat(refused(new Script().text("a\n\u001b[31m\u0000b")).message())
        .endsWith("begins with \"a..[31m.\"");
  }

  @Test
  void anOldstyleServerIsTooOld() {
    Script script = new Script().longs(Nbd.INIT_MAGIC, 0x00420281861253L, 4096);
    assertThat(refused(script).kind()).isEqualTo(Refusal.Kind.TOO_OLD);
  }

  @ParameterizedTest
  @CsvSource({
    "-2147483643, TLS_REQUIRED, requires TLS",
    "-2147483641, SHUTTING_DOWN, shutting down",
    "-2147483642, UNKNOWN_EXPORT, has no export \"disk\"",
    "-2147483646, REFUSED, refuses export \"disk\" with ERR_POLICY",
    "-2147483640, REFUSED, ERR_BLOCK_SIZE_REQD",
  })
  void errorsInAnswerToGoSayWhatIsWrongInTheServersWordsToo(
      int type, Refusal.Kind kind, String part) {
    Script script = Script.fixed().structured().allocation(1).says(Nbd.OPT_GO, type, "because");
    Refusal refusal = refused(script);
    assertThat(refusal.kind()).isEqualTo(kind);
    assertThat(refusal.message()).contains(part).endsWith("it says \"because\"");
  }

  @Test
  void aServerThatWantsTlsSaysSoAlreadyToTheFirstOption() {
    Script script = Script.fixed().reply(Nbd.OPT_STRUCTURED_REPLY, Nbd.REP_ERR_TLS_REQD, 0);
    assertThat(refused(script).kind()).isEqualTo(Refusal.Kind.TLS_REQUIRED);
  }

  @Test
  void aRefusalIsFollowedByAGoodbye() {
    Negotiation negotiation = new Negotiation("disk");
    said(negotiation, Script.fixed().structured().allocation(1));
    assertThat(said(negotiation, new Script().reply(Nbd.OPT_GO, Nbd.REP_ERR_UNKNOWN, 0)))
        .isEqualTo("49484156454f5054" + "00000002" + "00000000");
  }

  @Test
  void aConnectionClosedByTheServerIsExplainedByWhatWasAsked() {
    Negotiation silent = new Negotiation("disk");
    silent.closedByServer();
    assertThat(silent.refusal())
        .isEqualTo(
            new Refusal(Refusal.Kind.CLOSED, "the server closed the connection without a word"));

    Negotiation old = run(new Script().longs(Nbd.INIT_MAGIC, Nbd.OPTION_MAGIC).shorts(0));
    old.closedByServer();
    assertThat(Objects.requireNonNull(old.refusal()).kind()).isEqualTo(Refusal.Kind.UNKNOWN_EXPORT);

    Negotiation middle = run(Script.fixed().structured());
    middle.closedByServer();
    assertThat(Objects.requireNonNull(middle.refusal()).message()).contains("META_CONTEXT");
  }

  @Test
  void repliesThatBreakTheProtocolAreRefused() {
    Script go = Script.fixed().structured().allocation(1);
    byte[] before = go.toBytes();
    Script[] broken = {
      new Script().reply(Nbd.OPT_LIST, Nbd.REP_ACK, 0),
      new Script().reply(Nbd.OPT_GO, 77, 0),
      new Script().reply(Nbd.OPT_GO, Nbd.REP_INFO, 0x7fffffff),
      new Script().reply(Nbd.OPT_GO, Nbd.REP_INFO, -1),
      new Script().reply(Nbd.OPT_GO, Nbd.REP_INFO, 1).text("x"),
      new Script().reply(Nbd.OPT_GO, Nbd.REP_INFO, 3).shorts(Nbd.INFO_EXPORT).text("x"),
      new Script().goAck(),
      new Script().exportInfo(-4096, FLAGS).goAck(),
      new Script().exportInfo(4096, 0).goAck(),
      new Script().blockSizes(0, 4096, 65536),
      new Script().blockSizes(3, 4096, 65536),
      new Script().blockSizes(1 << 17, 1 << 17, 1 << 20),
      new Script().blockSizes(4096, 4096, 512),
      new Script().exportInfo(5000, FLAGS).blockSizes(4096, 4096, 65536).goAck(),
      new Script().longs(1, 2, 3),
    };
    for (Script script : broken) {
      Script all = new Script();
      all.bytes.put(before).put(script.toBytes());
      assertThat(refused(all).kind()).isEqualTo(Refusal.Kind.MALFORMED);
    }
  }

  @Test
  void randomBytesAndFlippedBitsNeverDoMoreThanRefuse() {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    Random random = new Random(seed);
    byte[] good =
        Script.fixed().structured().allocation(1).exportInfo(4096, FLAGS).goAck().toBytes();
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = good.clone();
      int flips = 1 + random.nextInt(4);
      for (int i = 0; i < flips; i++) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        Negotiation negotiation = feed(bytes, 1 + random.nextInt(bytes.length));
        Export export = negotiation.export();
        assertThat(export != null && negotiation.refusal() != null).isFalse();
        if (export != null) {
          assertThat(export.sizeBytes()).isNotNegative();
          assertThat(export.maxPayloadBytes()).isBetween(1, 32 << 20);
        }
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "reproduce with: mvn test -Dtest=NegotiationTest -Doxbow.seed=" + seed, e);
      }
    }
  }
}
