package oxbow.nbd.server;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.OptionHeader;
import oxbow.nbd.wire.OptionReply;

/**
 * The server's side of the fixed newstyle negotiation: a table of states that eats bytes and puts
 * bytes, and knows no socket.
 *
 * <pre>
 * state          eats                  then
 * CLIENT_FLAGS   4 bytes               OPTION_HEADER, or FAILED on flags we did not offer
 * OPTION_HEADER  16 bytes              OPTION_DATA; SKIPPING when too long; FAILED on a bad magic
 * OPTION_DATA    as the header says    answers: OPTION_HEADER, TRANSMISSION, ABORTED or FAILED
 * SKIPPING       as the header says    answers ERR_TOO_BIG: OPTION_HEADER
 * TRANSMISSION   nothing               the export is attached; what follows are requests
 * ABORTED        nothing               to be closed once the answer has left
 * FAILED         nothing               to be closed at once
 * </pre>
 *
 * @see "NBD protocol, sections Fixed newstyle negotiation and Option types"
 */
final class Negotiation {
  /** Where the negotiation stands. */
  enum State {
    CLIENT_FLAGS,
    OPTION_HEADER,
    OPTION_DATA,
    SKIPPING,
    TRANSMISSION,
    ABORTED,
    FAILED
  }

  /** Longest data of an option: a name and a good number of metadata queries of full length. */
  static final int MAX_OPTION_BYTES = 64 << 10;

  /** Most options before an export must have been chosen. */
  static final int MAX_OPTIONS = 256;

  /** The id of the one metadata context we have. */
  static final int BASE_ALLOCATION_ID = 1;

  private static final int CLIENT_FLAGS_BYTES = 4;

  private final ExportTable exports;
  private final boolean isListingAllowed;
  private State state = State.CLIENT_FLAGS;
  private String failure = "";

  /** What the present state eats, as far as it has come. */
  private byte[] eaten = new byte[OptionHeader.SIZE_BYTES];

  private int eatenBytes;
  private int wantedBytes = CLIENT_FLAGS_BYTES;
  private long skipBytes;

  private ByteBuffer output = ByteBuffer.allocate(512);
  private int optionCount;
  private int option;
  private boolean isFixed;
  private boolean isNoZeroes;
  private boolean isStructured;
  private @Nullable Offer chosen;

  /** The export for which base:allocation was selected last. */
  private @Nullable Offer allocationOffer;

  /** Begins with the greeting as output. */
  Negotiation(ExportTable exports, ServerOptions options) {
    this.exports = exports;
    this.isListingAllowed = options.isListingAllowed();
    output.putLong(Nbd.INIT_MAGIC);
    output.putLong(Nbd.OPTION_MAGIC);
    output.putShort((short) (Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES));
  }

  State state() {
    return state;
  }

  /** Why the state is FAILED, for people. */
  String failure() {
    return failure;
  }

  /** In state TRANSMISSION: what the client has chosen; attached, to be detached by the caller. */
  Offer chosen() {
    if (chosen == null) {
      throw new IllegalStateException("no export chosen");
    }
    return chosen;
  }

  boolean isStructured() {
    return isStructured;
  }

  /** Whether the client may ask BLOCK_STATUS for base:allocation. */
  boolean hasAllocationContext() {
    return isStructured && allocationOffer != null && allocationOffer == chosen;
  }

  /** Takes what has to be sent; empty when there is nothing. */
  ByteBuffer takeOutput() {
    ByteBuffer taken = output.flip();
    output = ByteBuffer.allocate(512);
    return taken;
  }

  boolean hasOutput() {
    return output.position() > 0;
  }

  /**
   * Eats from {@code in} until it is empty, the negotiation is over, or there is output, which the
   * peer must take before it is heard on.
   */
  void eat(ByteBuffer in) {
    while (in.hasRemaining() && !isOver() && !hasOutput()) {
      if (state == State.SKIPPING) {
        int skipped = (int) Math.min(skipBytes, in.remaining());
        in.position(in.position() + skipped);
        skipBytes -= skipped;
        if (skipBytes == 0) {
          replyError(Nbd.REP_ERR_TOO_BIG, "option data longer than " + MAX_OPTION_BYTES);
          expectOption();
        }
        continue;
      }
      int length = Math.min(wantedBytes - eatenBytes, in.remaining());
      in.get(eaten, eatenBytes, length);
      eatenBytes += length;
      if (eatenBytes == wantedBytes) {
        digest(ByteBuffer.wrap(eaten, 0, eatenBytes));
      }
    }
  }

  private boolean isOver() {
    return state == State.TRANSMISSION || state == State.ABORTED || state == State.FAILED;
  }

  private void expect(State next, int bytes) {
    state = next;
    eatenBytes = 0;
    wantedBytes = bytes;
    if (eaten.length < bytes) {
      eaten = new byte[bytes];
    }
  }

  private void expectOption() {
    expect(State.OPTION_HEADER, OptionHeader.SIZE_BYTES);
  }

  private void fail(String why) {
    failure = why;
    state = State.FAILED;
  }

  private void digest(ByteBuffer in) {
    switch (state) {
      case CLIENT_FLAGS -> clientFlags(in.getInt());
      case OPTION_HEADER -> optionHeader(in);
      case OPTION_DATA -> {
        expectOption();
        option(in);
      }
      case SKIPPING, TRANSMISSION, ABORTED, FAILED -> throw new IllegalStateException("" + state);
    }
  }

  private void clientFlags(int flags) {
    if ((flags & ~(Nbd.FLAG_C_FIXED_NEWSTYLE | Nbd.FLAG_C_NO_ZEROES)) != 0) {
      fail("client flags 0x" + Integer.toHexString(flags) + " were not offered");
      return;
    }
    isFixed = (flags & Nbd.FLAG_C_FIXED_NEWSTYLE) != 0;
    isNoZeroes = (flags & Nbd.FLAG_C_NO_ZEROES) != 0;
    expectOption();
  }

  private void optionHeader(ByteBuffer in) {
    long magic = OptionHeader.magic(in, 0);
    option = OptionHeader.option(in, 0);
    long dataBytes = OptionHeader.dataBytes(in, 0);
    if (magic != Nbd.OPTION_MAGIC) {
      fail("option magic 0x" + Long.toHexString(magic));
    } else if (++optionCount > MAX_OPTIONS) {
      fail("more than " + MAX_OPTIONS + " options");
    } else if (!isFixed && option != Nbd.OPT_EXPORT_NAME) {
      fail(Nbd.optionName(option) + " from a client without fixed newstyle");
    } else if (option == Nbd.OPT_EXPORT_NAME && dataBytes > Nbd.MAX_STRING_BYTES) {
      fail("export name of " + dataBytes + " bytes");
    } else if (dataBytes > MAX_OPTION_BYTES) {
      skipBytes = dataBytes;
      state = State.SKIPPING;
    } else {
      expect(State.OPTION_DATA, (int) dataBytes);
      if (dataBytes == 0) {
        digest(ByteBuffer.wrap(eaten, 0, 0));
      }
    }
  }

  private void option(ByteBuffer data) {
    switch (option) {
      case Nbd.OPT_EXPORT_NAME -> exportName(data);
      case Nbd.OPT_ABORT -> {
        reply(Nbd.REP_ACK, 0);
        state = State.ABORTED;
      }
      case Nbd.OPT_LIST -> list(data);
      case Nbd.OPT_INFO, Nbd.OPT_GO -> infoOrGo(data);
      case Nbd.OPT_STRUCTURED_REPLY -> {
        if (data.hasRemaining()) {
          replyError(Nbd.REP_ERR_INVALID, "STRUCTURED_REPLY takes no data");
        } else {
          isStructured = true;
          reply(Nbd.REP_ACK, 0);
        }
      }
      case Nbd.OPT_LIST_META_CONTEXT, Nbd.OPT_SET_META_CONTEXT -> metaContext(data);
      default -> replyError(Nbd.REP_ERR_UNSUP, Nbd.optionName(option) + " is not supported");
    }
  }

  private void exportName(ByteBuffer data) {
    String name = string(data, data.remaining());
    Offer found = exports.find(name);
    if (found == null || !exports.attach(found)) {
      // The option has no way to tell an error but to hang up.
      fail("export " + name + (found == null ? " does not exist" : " takes no more clients"));
      return;
    }
    chosen = found;
    Export export = found.export();
    room(Long.BYTES + Short.BYTES + Nbd.EXPORT_NAME_ZEROES_BYTES);
    output.putLong(export.device().sizeBytes());
    output.putShort((short) export.transmissionFlags(isStructured));
    if (!isNoZeroes) {
      output.put(new byte[Nbd.EXPORT_NAME_ZEROES_BYTES]);
    }
    state = State.TRANSMISSION;
  }

  private void list(ByteBuffer data) {
    if (data.hasRemaining()) {
      replyError(Nbd.REP_ERR_INVALID, "LIST takes no data");
      return;
    }
    if (!isListingAllowed) {
      replyError(Nbd.REP_ERR_POLICY, "exports are not listed here");
      return;
    }
    for (Offer each : exports.all()) {
      byte[] name = each.export().name().getBytes(StandardCharsets.UTF_8);
      byte[] description = each.export().description().getBytes(StandardCharsets.UTF_8);
      reply(Nbd.REP_SERVER, Integer.BYTES + name.length + description.length);
      output.putInt(name.length).put(name).put(description);
    }
    reply(Nbd.REP_ACK, 0);
  }

  private void infoOrGo(ByteBuffer data) {
    String name = lengthAndString(data);
    if (name == null || data.remaining() < Short.BYTES) {
      replyError(Nbd.REP_ERR_INVALID, "malformed " + Nbd.optionName(option));
      return;
    }
    int infoCount = Short.toUnsignedInt(data.getShort());
    if (data.remaining() != infoCount * Short.BYTES) {
      replyError(Nbd.REP_ERR_INVALID, "malformed list of information requests");
      return;
    }
    Offer found = findOrReply(name);
    if (found == null) {
      return;
    }
    if (option == Nbd.OPT_GO && !exports.attach(found)) {
      replyError(Nbd.REP_ERR_POLICY, "the export takes no more clients");
      return;
    }
    replyInfo(found.export(), data);
    reply(Nbd.REP_ACK, 0);
    if (option == Nbd.OPT_GO) {
      chosen = found;
      state = State.TRANSMISSION;
    }
  }

  private @Nullable Offer findOrReply(String name) {
    if (exports.isClosing()) {
      replyError(Nbd.REP_ERR_SHUTDOWN, "the server is shutting down");
      return null;
    }
    Offer found = exports.find(name);
    if (found == null) {
      replyError(Nbd.REP_ERR_UNKNOWN, "there is no such export");
    }
    return found;
  }

  /** The size is always told; so are block sizes, since a client that ignores them may fail. */
  private void replyInfo(Export export, ByteBuffer asked) {
    reply(Nbd.REP_INFO, Short.BYTES + Long.BYTES + Short.BYTES);
    output.putShort((short) Nbd.INFO_EXPORT);
    output.putLong(export.device().sizeBytes());
    output.putShort((short) export.transmissionFlags(isStructured));

    int minBytes = export.device().limits().blockSizeBytes();
    reply(Nbd.REP_INFO, Short.BYTES + 3 * Integer.BYTES);
    output.putShort((short) Nbd.INFO_BLOCK_SIZE);
    output.putInt(minBytes).putInt(Math.max(minBytes, 4096)).putInt(Nbd.MAX_PAYLOAD_BYTES);

    boolean isNameAsked = false;
    boolean isDescriptionAsked = false;
    while (asked.hasRemaining()) {
      int info = asked.getShort();
      isNameAsked |= info == Nbd.INFO_NAME;
      isDescriptionAsked |= info == Nbd.INFO_DESCRIPTION;
    }
    if (isNameAsked) {
      replyText(Nbd.INFO_NAME, export.name());
    }
    if (isDescriptionAsked && !export.description().isEmpty()) {
      replyText(Nbd.INFO_DESCRIPTION, export.description());
    }
  }

  private void replyText(int info, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    reply(Nbd.REP_INFO, Short.BYTES + bytes.length);
    output.putShort((short) info).put(bytes);
  }

  /** Both context options; a failed SET leaves no context selected. */
  private void metaContext(ByteBuffer data) {
    boolean isSet = option == Nbd.OPT_SET_META_CONTEXT;
    if (isSet) {
      allocationOffer = null;
    }
    if (!isStructured) {
      replyError(Nbd.REP_ERR_INVALID, "structured replies must be negotiated first");
      return;
    }
    String name = lengthAndString(data);
    if (name == null || data.remaining() < Integer.BYTES) {
      replyError(Nbd.REP_ERR_INVALID, "malformed " + Nbd.optionName(option));
      return;
    }
    int queryCount = data.getInt();
    boolean isSelected = !isSet && queryCount == 0;
    for (int i = 0; Integer.compareUnsigned(i, queryCount) < 0; i++) {
      String query = lengthAndString(data);
      if (query == null) {
        replyError(Nbd.REP_ERR_INVALID, "malformed metadata query");
        return;
      }
      isSelected |= query.equals(Nbd.BASE_ALLOCATION) || (!isSet && query.equals("base:"));
    }
    if (data.hasRemaining()) {
      replyError(Nbd.REP_ERR_INVALID, "bytes after the last metadata query");
      return;
    }
    Offer found = findOrReply(name);
    if (found == null) {
      return;
    }
    if (isSelected) {
      byte[] context = Nbd.BASE_ALLOCATION.getBytes(StandardCharsets.UTF_8);
      reply(Nbd.REP_META_CONTEXT, Integer.BYTES + context.length);
      output.putInt(isSet ? BASE_ALLOCATION_ID : 0).put(context);
      if (isSet) {
        allocationOffer = found;
      }
    }
    reply(Nbd.REP_ACK, 0);
  }

  /** A 32-bit length and so many bytes of text; null when they are not there or too many. */
  private static @Nullable String lengthAndString(ByteBuffer data) {
    if (data.remaining() < Integer.BYTES) {
      return null;
    }
    int length = data.getInt();
    if (length < 0 || length > Math.min(data.remaining(), Nbd.MAX_STRING_BYTES)) {
      return null;
    }
    return string(data, length);
  }

  private static String string(ByteBuffer data, int length) {
    byte[] bytes = new byte[length];
    data.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Puts a reply's header and makes room for the data that the caller puts next. */
  private void reply(int type, int dataBytes) {
    room(OptionReply.HEADER_BYTES + dataBytes);
    OptionReply.put(output, output.position(), option, type, dataBytes);
    output.position(output.position() + OptionReply.HEADER_BYTES);
  }

  private void replyError(int type, String message) {
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    reply(type, text.length);
    output.put(text);
  }

  private void room(int bytes) {
    if (output.remaining() < bytes) {
      int capacity = Math.max(2 * output.capacity(), output.position() + bytes);
      output = ByteBuffer.wrap(Arrays.copyOf(output.array(), capacity)).position(output.position());
    }
  }
}
