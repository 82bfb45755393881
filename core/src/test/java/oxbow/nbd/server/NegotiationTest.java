package oxbow.nbd.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import oxbow.nbd.server.Negotiation.State;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.OptionHeader;
import oxbow.nbd.wire.OptionReply;

/**
 * The negotiation answers each option as the protocol says, and survives everything else. Method:
 * bytes in, bytes out, no socket; every conversation runs in one piece and byte by byte.
 */
class NegotiationTest {
  private static final int FIXED = Nbd.FLAG_C_FIXED_NEWSTYLE | Nbd.FLAG_C_NO_ZEROES;

  private final ArenaDevice device = new ArenaDevice(1 << 20);
  private final ExportTable exports = new ExportTable();
  private final Offer disk;
  private ServerOptions options = ServerOptions.DEFAULT;

  NegotiationTest() {
    ExportLimits two = ExportLimits.UNLIMITED.withConnections(2);
    exports.add(new Export("disk", "a disk", device, false, true, two));
    disk = Objects.requireNonNull(exports.find("disk"));
  }

  /** A reply to an option: its type and data. */
  private record Reply(int option, int type, ByteBuffer data) {
    String text() {
      return UTF_8.decode(data.duplicate()).toString();
    }

    @Override
    public String toString() {
      return Nbd.optionName(option) + ": " + Nbd.optionReplyName(type);
    }
  }

  /** A conversation, first prepared, then held. */
  private final class Talk {
    private final ByteArrayOutputStream in = new ByteArrayOutputStream();
    private Negotiation negotiation = new Negotiation(exports, options);
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Talk(int clientFlags) {
      in.writeBytes(ByteBuffer.allocate(4).putInt(clientFlags).array());
    }

    Talk option(int option, byte... data) {
      return option(option, data.length, data);
    }

    Talk option(int option, int claimedBytes, byte... data) {
      ByteBuffer header = ByteBuffer.allocate(OptionHeader.SIZE_BYTES);
      OptionHeader.put(header, 0, option, claimedBytes);
      return raw(header.array()).raw(data);
    }

    Talk raw(byte... bytes) {
      in.writeBytes(bytes);
      return this;
    }

    /** Says all in pieces of so many bytes; stops where the server stops listening. */
    Talk hold(int pieceBytes) {
      negotiation = new Negotiation(exports, options);
      out.reset();
      takeOutput();
      ByteBuffer all = ByteBuffer.wrap(in.toByteArray());
      while (all.hasRemaining() && !isOver()) {
        ByteBuffer piece = all.slice(all.position(), Math.min(pieceBytes, all.remaining()));
        while (piece.hasRemaining() && !isOver()) {
          negotiation.eat(piece);
          takeOutput();
        }
        all.position(all.position() + piece.position());
      }
      return this;
    }

    private void takeOutput() {
      if (negotiation.hasOutput()) {
        ByteBuffer output = negotiation.takeOutput();
        byte[] bytes = new byte[output.remaining()];
        output.get(bytes);
        out.writeBytes(bytes);
      }
    }

    private boolean isOver() {
      return switch (negotiation.state()) {
        case TRANSMISSION, ABORTED, FAILED -> true;
        case CLIENT_FLAGS, OPTION_HEADER, OPTION_DATA, SKIPPING -> false;
      };
    }

    /** The replies behind the greeting; the same however the bytes are cut. */
    List<Reply> replies() {
      hold(1);
      byte[] byBytes = out.toByteArray();
      if (negotiation.state() == State.TRANSMISSION) {
        exports.detach(negotiation.chosen());
      }
      hold(1 << 20);
      assertThat(byBytes).isEqualTo(out.toByteArray());
      ByteBuffer bytes = ByteBuffer.wrap(byBytes).position(Nbd.GREETING_BYTES);
      List<Reply> replies = new ArrayList<>();
      while (bytes.hasRemaining()) {
        int at = bytes.position();
        assertThat(OptionReply.magic(bytes, at)).isEqualTo(OptionReply.MAGIC);
        byte[] data = new byte[(int) OptionReply.dataBytes(bytes, at)];
        bytes.position(at + OptionReply.HEADER_BYTES).get(data);
        replies.add(
            new Reply(
                OptionReply.option(bytes, at), OptionReply.type(bytes, at), ByteBuffer.wrap(data)));
      }
      return replies;
    }

    List<Integer> types() {
      return replies().stream().map(Reply::type).toList();
    }

    State state() {
      return negotiation.state();
    }
  }

  private Talk talk() {
    return new Talk(FIXED);
  }

  private static byte[] go(String name, int... infos) {
    byte[] bytes = name.getBytes(UTF_8);
    ByteBuffer data = ByteBuffer.allocate(4 + bytes.length + 2 + 2 * infos.length);
    data.putInt(bytes.length).put(bytes).putShort((short) infos.length);
    for (int info : infos) {
      data.putShort((short) info);
    }
    return data.array();
  }

  private static byte[] meta(String name, String... queries) {
    ByteBuffer data = ByteBuffer.allocate(1 << 16);
    data.putInt(name.length()).put(name.getBytes(UTF_8)).putInt(queries.length);
    for (String query : queries) {
      data.putInt(query.length()).put(query.getBytes(UTF_8));
    }
    byte[] bytes = new byte[data.flip().remaining()];
    data.get(bytes);
    return bytes;
  }

  @Test
  void greetsWithFixedNewstyleAndNoZeroes() {
    ByteBuffer greeting = new Negotiation(exports, options).takeOutput();

    assertThat(greeting.remaining()).isEqualTo(Nbd.GREETING_BYTES);
    assertThat(greeting.getLong()).isEqualTo(Nbd.INIT_MAGIC);
    assertThat(greeting.getLong()).isEqualTo(Nbd.OPTION_MAGIC);
    assertThat(greeting.getShort()).isEqualTo((short) 3);
  }

  @Test
  void hangsUpOnClientFlagsThatWereNotOffered() {
    assertThat(new Talk(4 | FIXED).hold(1).state()).isEqualTo(State.FAILED);
  }

  @Test
  void goTellsSizeFlagsAndBlockSizesAndBegins() {
    Talk talk = talk().option(Nbd.OPT_GO, go("disk"));
    List<Reply> replies = talk.replies();

    assertThat(talk.state()).isEqualTo(State.TRANSMISSION);
    assertThat(replies)
        .extracting(Reply::type)
        .containsExactly(Nbd.REP_INFO, Nbd.REP_INFO, Nbd.REP_ACK);
    ByteBuffer export = replies.get(0).data();
    assertThat(export.getShort()).isEqualTo((short) Nbd.INFO_EXPORT);
    assertThat(export.getLong()).isEqualTo(1 << 20);
    assertThat(export.getShort() & 0xffff)
        .isEqualTo(
            Nbd.FLAG_HAS_FLAGS
                | Nbd.FLAG_SEND_FLUSH
                | Nbd.FLAG_SEND_FUA
                | Nbd.FLAG_SEND_TRIM
                | Nbd.FLAG_SEND_WRITE_ZEROES
                | Nbd.FLAG_SEND_FAST_ZERO
                | Nbd.FLAG_SEND_CACHE
                | Nbd.FLAG_CAN_MULTI_CONN);
    ByteBuffer sizes = replies.get(1).data();
    assertThat(sizes.getShort()).isEqualTo((short) Nbd.INFO_BLOCK_SIZE);
    assertThat(sizes.getInt()).isEqualTo(1);
    assertThat(sizes.getInt()).isEqualTo(4096);
    assertThat(sizes.getInt()).isEqualTo(32 << 20);
  }

  @Test
  void readOnlyExportOffersNothingThatWrites() {
    exports.add(new Export("ro", "", device, true, false, ExportLimits.UNLIMITED));
    Talk talk = talk().option(Nbd.OPT_GO, go("ro"));

    ByteBuffer export = talk.replies().get(0).data();
    assertThat(export.getShort(10) & 0xffff)
        .isEqualTo(
            Nbd.FLAG_HAS_FLAGS | Nbd.FLAG_READ_ONLY | Nbd.FLAG_SEND_FLUSH | Nbd.FLAG_SEND_CACHE);
  }

  @Test
  void infoTellsNameAndDescriptionWhenAskedAndDoesNotBegin() {
    Talk talk = talk().option(Nbd.OPT_INFO, go("", Nbd.INFO_NAME, Nbd.INFO_DESCRIPTION, 0x7777));
    List<Reply> replies = talk.replies();

    assertThat(talk.state()).isEqualTo(State.OPTION_HEADER);
    assertThat(replies)
        .extracting(Reply::type)
        .containsExactly(Nbd.REP_INFO, Nbd.REP_INFO, Nbd.REP_INFO, Nbd.REP_INFO, Nbd.REP_ACK);
    assertThat(replies.get(2).text()).isEqualTo("\0\1disk");
    assertThat(replies.get(3).text()).isEqualTo("\0\2a disk");
  }

  @Test
  void emptyNameMeansTheOnlyExportAndIsUnknownWhenThereAreTwo() {
    assertThat(talk().option(Nbd.OPT_INFO, go("")).types()).endsWith(Nbd.REP_ACK);
    exports.add(Export.of("other", device));

    assertThat(talk().option(Nbd.OPT_INFO, go("")).types()).containsExactly(Nbd.REP_ERR_UNKNOWN);
  }

  @Test
  void emptyNameMeansTheDefaultAndNothingElseOnceThereIsOne() {
    exports.add(Export.of("", device));
    exports.add(Export.of("other", device));
    exports.setDefault("other");
    assertThat(nameOfEmpty()).isEqualTo("other");
    exports.rename("other", "another");
    assertThat(nameOfEmpty()).isEqualTo("another");
    exports.remove("another");
    assertThat(talk().option(Nbd.OPT_INFO, go("")).types()).containsExactly(Nbd.REP_ERR_UNKNOWN);
    exports.add(Export.of("another", device));
    assertThat(nameOfEmpty()).isEqualTo("another");
    exports.setDefault(null);
    assertThat(nameOfEmpty()).isEmpty();
  }

  private String nameOfEmpty() {
    Talk talk = talk().option(Nbd.OPT_INFO, go("", Nbd.INFO_NAME));
    return talk.replies().get(2).text().substring(Short.BYTES);
  }

  @Test
  void renamedExportIsFoundUnderItsNewNameOnly() {
    exports.add(Export.of("other", device));
    exports.rename("disk", "renamed");

    assertThat(talk().option(Nbd.OPT_INFO, go("disk")).types())
        .containsExactly(Nbd.REP_ERR_UNKNOWN);
    Talk talk = talk().option(Nbd.OPT_INFO, go("renamed", Nbd.INFO_NAME));
    assertThat(talk.replies().get(2).text()).isEqualTo("\0\1renamed");
    assertThatThrownBy(() -> exports.rename("disk", "new")).hasMessageContaining("does not exist");
    assertThatThrownBy(() -> exports.rename("renamed", "other")).hasMessageContaining("exists");
    assertThatThrownBy(() -> exports.rename("renamed", "x".repeat(5000)))
        .hasMessageContaining("longer than");
    assertThat(exports.find("renamed")).isSameAs(disk);
  }

  @Test
  void goToAnUnknownExportLeavesTheClientAnotherTry() {
    Talk talk = talk().option(Nbd.OPT_GO, go("nope")).option(Nbd.OPT_GO, go("disk"));

    assertThat(talk.types())
        .containsExactly(Nbd.REP_ERR_UNKNOWN, Nbd.REP_INFO, Nbd.REP_INFO, Nbd.REP_ACK);
    assertThat(talk.state()).isEqualTo(State.TRANSMISSION);
  }

  @Test
  void exportTakesNoMoreClientsThanItAllows() {
    assertThat(exports.attach(disk)).isTrue();
    assertThat(exports.attach(disk)).isTrue();

    assertThat(talk().option(Nbd.OPT_GO, go("disk")).types()).containsExactly(Nbd.REP_ERR_POLICY);
    exports.detach(disk);
    assertThat(talk().option(Nbd.OPT_GO, go("disk")).hold(7).state()).isEqualTo(State.TRANSMISSION);
  }

  @Test
  void malformedGoIsInvalid() {
    byte[] good = go("disk", 1, 3);
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertThat(talk().option(Nbd.OPT_GO, cut).types())
          .as("cut to %d", length)
          .containsExactly(Nbd.REP_ERR_INVALID);
    }
    byte[] longer = Arrays.copyOf(good, good.length + 1);
    assertThat(talk().option(Nbd.OPT_GO, longer).types()).containsExactly(Nbd.REP_ERR_INVALID);
    byte[] hugeName = go("disk");
    hugeName[0] = (byte) 0x80;
    assertThat(talk().option(Nbd.OPT_GO, hugeName).types()).containsExactly(Nbd.REP_ERR_INVALID);
  }

  @Test
  void exportNameAnswersWithZeroesUnlessTheClientCanDoWithout() {
    Talk spared = talk().option(Nbd.OPT_EXPORT_NAME, "disk".getBytes(UTF_8)).hold(1);
    assertThat(spared.out.size()).isEqualTo(Nbd.GREETING_BYTES + 10);
    Talk zeroed =
        new Talk(Nbd.FLAG_C_FIXED_NEWSTYLE)
            .option(Nbd.OPT_EXPORT_NAME, "disk".getBytes(UTF_8))
            .hold(1);
    assertThat(zeroed.out.size()).isEqualTo(Nbd.GREETING_BYTES + 134);
    assertThat(zeroed.state()).isEqualTo(State.TRANSMISSION);
  }

  @Test
  void exportNameHangsUpOnAnUnknownOrOverlongName() {
    assertThat(talk().option(Nbd.OPT_EXPORT_NAME, "nope".getBytes(UTF_8)).hold(1).state())
        .isEqualTo(State.FAILED);
    assertThat(talk().option(Nbd.OPT_EXPORT_NAME, 4097).hold(1).state()).isEqualTo(State.FAILED);
  }

  @Test
  void clientWithoutFixedNewstyleMayOnlyNameItsExport() {
    assertThat(new Talk(0).option(Nbd.OPT_LIST).hold(1).state()).isEqualTo(State.FAILED);
    assertThat(new Talk(0).option(Nbd.OPT_EXPORT_NAME, "disk".getBytes(UTF_8)).hold(1).state())
        .isEqualTo(State.TRANSMISSION);
  }

  @Test
  void listIsRefusedWhereItIsNotAllowedAndNamesStillWork() {
    options = ServerOptions.DEFAULT.withoutListing();
    Talk talk = talk().option(Nbd.OPT_LIST).option(Nbd.OPT_INFO, go("disk"));

    assertThat(talk.types())
        .containsExactly(Nbd.REP_ERR_POLICY, Nbd.REP_INFO, Nbd.REP_INFO, Nbd.REP_ACK);
    assertThat(talk().option(Nbd.OPT_GO, go("disk")).hold(7).state()).isEqualTo(State.TRANSMISSION);
  }

  @Test
  void listNamesAndDescribesAllExports() {
    exports.add(Export.of("zwei", device));
    List<Reply> replies = talk().option(Nbd.OPT_LIST).replies();

    assertThat(replies)
        .extracting(Reply::type)
        .containsExactly(Nbd.REP_SERVER, Nbd.REP_SERVER, Nbd.REP_ACK);
    assertThat(replies.get(0).text()).isEqualTo("\0\0\0\4diska disk");
    assertThat(replies.get(1).text()).isEqualTo("\0\0\0\4zwei");
    assertThat(talk().option(Nbd.OPT_LIST, (byte) 1).types()).containsExactly(Nbd.REP_ERR_INVALID);
  }

  @Test
  void abortIsAcknowledgedAndEndsTheConversation() {
    Talk talk = talk().option(Nbd.OPT_ABORT).option(Nbd.OPT_LIST);

    assertThat(talk.types()).containsExactly(Nbd.REP_ACK);
    assertThat(talk.state()).isEqualTo(State.ABORTED);
  }

  @Test
  void unknownOptionsAreUnsupportedAndTheirDataPassedOver() {
    Talk talk =
        talk()
            .option(Nbd.OPT_STARTTLS)
            .option(Nbd.OPT_EXTENDED_HEADERS)
            .option(4711, new byte[300])
            .option(Nbd.OPT_LIST);

    assertThat(talk.types())
        .containsExactly(
            Nbd.REP_ERR_UNSUP, Nbd.REP_ERR_UNSUP, Nbd.REP_ERR_UNSUP, Nbd.REP_SERVER, Nbd.REP_ACK);
  }

  @Test
  void overlongOptionIsPassedOverAndTooBig() {
    byte[] data = new byte[Negotiation.MAX_OPTION_BYTES + 1];
    Talk talk = talk().option(Nbd.OPT_GO, data).option(Nbd.OPT_ABORT);

    assertThat(talk.types()).containsExactly(Nbd.REP_ERR_TOO_BIG, Nbd.REP_ACK);
  }

  @Test
  void badOptionMagicEndsTheConversation() {
    assertThat(talk().raw(new byte[16]).hold(1).state()).isEqualTo(State.FAILED);
  }

  @Test
  void tooManyOptionsEndTheConversation() {
    Talk talk = talk();
    for (int i = 0; i < Negotiation.MAX_OPTIONS; i++) {
      talk.option(Nbd.OPT_LIST);
    }
    assertThat(talk.hold(1).state()).isEqualTo(State.OPTION_HEADER);
    assertThat(talk.option(Nbd.OPT_LIST).hold(1).state()).isEqualTo(State.FAILED);
  }

  @Test
  void structuredRepliesAreAgreedOnAndBringDf() {
    Talk talk = talk().option(Nbd.OPT_STRUCTURED_REPLY).option(Nbd.OPT_GO, go("disk"));
    List<Reply> replies = talk.replies();

    assertThat(replies.get(0).type()).isEqualTo(Nbd.REP_ACK);
    assertThat(replies.get(1).data().getShort(10) & Nbd.FLAG_SEND_DF).isNotZero();
    assertThat(talk.negotiation.isStructured()).isTrue();
    assertThat(talk.negotiation.hasAllocationContext()).isFalse();
    assertThat(talk().option(Nbd.OPT_STRUCTURED_REPLY, (byte) 0).types())
        .containsExactly(Nbd.REP_ERR_INVALID);
  }

  @Test
  void metaContextNeedsStructuredReplies() {
    assertThat(talk().option(Nbd.OPT_SET_META_CONTEXT, meta("disk", "base:allocation")).types())
        .containsExactly(Nbd.REP_ERR_INVALID);
  }

  @Test
  void setMetaContextSelectsBaseAllocationForItsExport() {
    Talk talk =
        talk()
            .option(Nbd.OPT_STRUCTURED_REPLY)
            .option(Nbd.OPT_SET_META_CONTEXT, meta("disk", "x-y:z", "base:allocation"))
            .option(Nbd.OPT_GO, go("disk"));
    List<Reply> replies = talk.replies();

    assertThat(replies.get(1).type()).isEqualTo(Nbd.REP_META_CONTEXT);
    assertThat(replies.get(1).text()).isEqualTo("\0\0\0\1base:allocation");
    assertThat(replies.get(2).type()).isEqualTo(Nbd.REP_ACK);
    assertThat(talk.negotiation.hasAllocationContext()).isTrue();
  }

  @Test
  void contextOfAnotherExportDoesNotCount() {
    exports.add(Export.of("other", device));
    Talk talk =
        talk()
            .option(Nbd.OPT_STRUCTURED_REPLY)
            .option(Nbd.OPT_SET_META_CONTEXT, meta("other", "base:allocation"))
            .option(Nbd.OPT_GO, go("disk"));

    assertThat(talk.hold(1).state()).isEqualTo(State.TRANSMISSION);
    assertThat(talk.negotiation.hasAllocationContext()).isFalse();
  }

  @Test
  void laterSetReplacesTheContextsEvenWhenItFails() {
    Talk talk =
        talk()
            .option(Nbd.OPT_STRUCTURED_REPLY)
            .option(Nbd.OPT_SET_META_CONTEXT, meta("disk", "base:allocation"))
            .option(Nbd.OPT_SET_META_CONTEXT, meta("nope", "base:allocation"))
            .option(Nbd.OPT_GO, go("disk"));

    assertThat(talk.hold(1).state()).isEqualTo(State.TRANSMISSION);
    assertThat(talk.negotiation.hasAllocationContext()).isFalse();
  }

  @Test
  void listMetaContextAnswersWildcardsAndNothingElse() {
    for (byte[] all : List.of(meta("disk"), meta("disk", "base:"), meta("", "a:", "base:"))) {
      assertThat(
              talk()
                  .option(Nbd.OPT_STRUCTURED_REPLY)
                  .option(Nbd.OPT_LIST_META_CONTEXT, all)
                  .types())
          .containsExactly(Nbd.REP_ACK, Nbd.REP_META_CONTEXT, Nbd.REP_ACK);
    }
    assertThat(
            talk()
                .option(Nbd.OPT_STRUCTURED_REPLY)
                .option(Nbd.OPT_LIST_META_CONTEXT, meta("disk", "qemu:"))
                .types())
        .containsExactly(Nbd.REP_ACK, Nbd.REP_ACK);
    assertThat(
            talk()
                .option(Nbd.OPT_STRUCTURED_REPLY)
                .option(Nbd.OPT_SET_META_CONTEXT, meta("disk"))
                .option(Nbd.OPT_SET_META_CONTEXT, meta("disk", "base:"))
                .types())
        .containsExactly(Nbd.REP_ACK, Nbd.REP_ACK, Nbd.REP_ACK);
  }

  @Test
  void malformedMetaContextIsInvalid() {
    byte[] good = meta("disk", "base:allocation");
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertThat(
              talk().option(Nbd.OPT_STRUCTURED_REPLY).option(Nbd.OPT_SET_META_CONTEXT, cut).types())
          .as("cut to %d", length)
          .containsExactly(Nbd.REP_ACK, Nbd.REP_ERR_INVALID);
    }
    byte[] longer = Arrays.copyOf(good, good.length + 1);
    assertThat(
            talk()
                .option(Nbd.OPT_STRUCTURED_REPLY)
                .option(Nbd.OPT_SET_META_CONTEXT, longer)
                .types())
        .containsExactly(Nbd.REP_ACK, Nbd.REP_ERR_INVALID);
  }

  @Test
  void closingServerTurnsNewClientsAway() {
    exports.close();

    assertThat(talk().option(Nbd.OPT_GO, go("disk")).types()).containsExactly(Nbd.REP_ERR_SHUTDOWN);
  }

  @Test
  void bytesBehindTheChoiceAreLeftToTheTransmission() {
    Negotiation negotiation = new Negotiation(exports, options);
    negotiation.takeOutput();
    byte[] talk = talk().option(Nbd.OPT_GO, go("disk")).raw(new byte[100]).in.toByteArray();
    ByteBuffer in = ByteBuffer.wrap(talk);
    negotiation.eat(in);

    assertThat(negotiation.state()).isEqualTo(State.TRANSMISSION);
    assertThat(in.remaining()).isEqualTo(100);
  }

  @Test
  void answersOneOptionAtATimeSoThatTheClientMustListen() {
    Negotiation negotiation = new Negotiation(exports, options);
    negotiation.takeOutput();
    byte[] talk = talk().option(Nbd.OPT_LIST).option(Nbd.OPT_LIST).in.toByteArray();
    ByteBuffer in = ByteBuffer.wrap(talk);
    negotiation.eat(in);

    assertThat(in.remaining()).isEqualTo(OptionHeader.SIZE_BYTES);
    negotiation.eat(in);
    assertThat(in.remaining()).isEqualTo(OptionHeader.SIZE_BYTES);
  }

  @Test
  void survivesRandomBytesBehindGoodBeginnings() {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < 3000; round++) {
      Talk talk = talk();
      for (int i = random.nextInt(5); i >= 0; i--) {
        byte[] data = random.nextBoolean() ? go("disk", 1) : meta("disk", "base:allocation");
        data[random.nextInt(data.length)] ^= (byte) (1 << random.nextInt(8));
        talk.option(random.nextInt(13), data);
      }
      byte[] garbage = new byte[random.nextInt(64)];
      random.nextBytes(garbage);
      try {
        talk.raw(garbage).hold(1 + random.nextInt(40));
      } catch (RuntimeException e) {
        throw new AssertionError(
            "reproduce with: mvn test -Dtest=NegotiationTest -Doxbow.seed=" + seed, e);
      }
      if (talk.state() == State.TRANSMISSION) {
        exports.detach(talk.negotiation.chosen());
      }
    }
    assertThat(exports.connectionCount(disk)).isZero();
  }
}
