package oxbow.nbd.client;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.OptionHeader;
import oxbow.nbd.wire.OptionReply;

/**
 * The client's half of the handshake as a table of states. Each state says how many bytes it needs
 * and what eats them; what it wants to say is taken with {@link #takeOutput}. No socket in here.
 *
 * <pre>
 * INIT_MAGIC → OPTION_MAGIC → HANDSHAKE_FLAGS → STRUCTURED_REPLY → META_CONTEXT → GO → DONE
 *                                    │                  └────(not offered)────────↗ │
 *                                    └──(newstyle, not fixed)──→ EXPORT_NAME ←(no GO)┘ → DONE
 * </pre>
 *
 * From every state a {@link Refusal} leads to REFUSED.
 */
public final class Negotiation {
  /** The second magic number of servers from before 2010. */
  private static final long OLDSTYLE_MAGIC = 0x00420281861253L;

  /** Longer replies are not sent by anyone sane: a name and a message of 4096 bytes fit easily. */
  private static final int MAX_REPLY_DATA_BYTES = 16 << 10;

  private static final int MAX_MIN_BLOCK_BYTES = 64 << 10;
  private static final int MAX_SHOWN_CHARS = 200;

  @SuppressWarnings("ImmutableEnumChecker") // The functions are static and have no state.
  private enum State {
    INIT_MAGIC(Long.BYTES, Negotiation::initMagic),
    OPTION_MAGIC(Long.BYTES, Negotiation::optionMagic),
    HANDSHAKE_FLAGS(Short.BYTES, Negotiation::handshakeFlags),
    STRUCTURED_REPLY(Nbd.OPT_STRUCTURED_REPLY, Negotiation::structuredReplyAnswer),
    META_CONTEXT(Nbd.OPT_SET_META_CONTEXT, Negotiation::metaContextAnswer),
    GO(Nbd.OPT_GO, Negotiation::goAnswer),
    EXPORT_NAME(Long.BYTES + Short.BYTES, Negotiation::exportNameAnswer),
    DONE(0, (n, in, at) -> {}),
    REFUSED(0, (n, in, at) -> {});

    /** The option whose replies this state reads; 0 when it reads something of fixed length. */
    final int option;

    final int fixedBytes;
    final Eater eater;
    final ReplyEater replyEater;

    State(int fixedBytes, Eater eater) {
      this.option = 0;
      this.fixedBytes = fixedBytes;
      this.eater = eater;
      this.replyEater = (n, type, in, at, dataBytes) -> {};
    }

    State(int option, ReplyEater replyEater) {
      this.option = option;
      this.fixedBytes = OptionReply.HEADER_BYTES;
      this.eater = (n, in, at) -> {};
      this.replyEater = replyEater;
    }
  }

  private interface Eater {
    void eat(Negotiation negotiation, ByteBuffer in, int at);
  }

  private interface ReplyEater {
    void eat(Negotiation negotiation, int type, ByteBuffer in, int at, int dataBytes);
  }

  private final String exportName;
  private final byte[] nameBytes;
  private final ByteBuffer output =
      ByteBuffer.allocate(Nbd.MAX_STRING_BYTES + 256); // The longest option: SET_META_CONTEXT.

  private State state = State.INIT_MAGIC;
  private boolean areZeroesSpared;
  private boolean hasStructuredReplies;
  private boolean hasAllocation;
  private int allocationId;
  private boolean hasExportInfo;
  private long sizeBytes;
  private int flags;
  private int minBlockBytes = 1;
  private int maxPayloadBytes = Nbd.MAX_PAYLOAD_BYTES;
  private @Nullable Export export;
  private @Nullable Refusal refusal;

  public Negotiation(String exportName) {
    this.exportName = exportName;
    this.nameBytes = exportName.getBytes(StandardCharsets.UTF_8);
  }

  /** The export, once the transmission phase has begun; null before. */
  public @Nullable Export export() {
    return export;
  }

  /** Why there will be no export; null as long as there may be one. */
  public @Nullable Refusal refusal() {
    return refusal;
  }

  /** Whether the handshake has ended, for better or worse. */
  public boolean isOver() {
    return state == State.DONE || state == State.REFUSED;
  }

  /**
   * Eats what is complete between two indexes.
   *
   * @return the index of the first byte not eaten: it comes again when more has arrived
   */
  public int eat(ByteBuffer in, int from, int to) {
    int at = from;
    while (!isOver()) {
      State current = state;
      int needed = current.fixedBytes + (current == State.EXPORT_NAME ? zeroesBytes() : 0);
      if (to - at < needed) {
        return at;
      }
      if (current.option == 0) {
        current.eater.eat(this, in, at);
      } else {
        int dataBytes = checkReplyHeader(current, in, at);
        if (dataBytes < 0 || to - at < needed + dataBytes) {
          return at;
        }
        eatReply(current, OptionReply.type(in, at), in, at + needed, dataBytes);
        needed += dataBytes;
      }
      at += needed;
    }
    return at;
  }

  /** Moves what is to be sent into a buffer; returns how many bytes, possibly 0. */
  public int takeOutput(ByteBuffer into, int at) {
    output.flip();
    int length = output.remaining();
    into.put(at, output, 0, length);
    output.clear();
    return length;
  }

  /** The server has ended the connection: makes a refusal of it unless there is one. */
  public void closedByServer() {
    if (isOver()) {
      return;
    }
    switch (state) {
      case INIT_MAGIC ->
          refuse(Refusal.Kind.CLOSED, "the server closed the connection without a word");
      // The only way in which this option can be refused.
      case EXPORT_NAME ->
          refuse(
              Refusal.Kind.UNKNOWN_EXPORT,
              "the server has no export "
                  + quoted(exportName)
                  + " (it closed the connection when asked for it)");
      default ->
          refuse(
              Refusal.Kind.CLOSED,
              "the server closed the connection during the handshake (" + state + ")");
    }
  }

  private void initMagic(ByteBuffer in, int at) {
    if (in.getLong(at) != Nbd.INIT_MAGIC) {
      refuse(
          Refusal.Kind.NOT_NBD,
          "this is not an NBD server: it begins with " + quoted(text(in, at, Long.BYTES)));
      return;
    }
    state = State.OPTION_MAGIC;
  }

  private void optionMagic(ByteBuffer in, int at) {
    long magic = in.getLong(at);
    if (magic == OLDSTYLE_MAGIC) {
      refuse(
          Refusal.Kind.TOO_OLD,
          "the server is too old: it speaks only the oldstyle handshake, given up in 2010");
    } else if (magic != Nbd.OPTION_MAGIC) {
      malformed("second magic number 0x" + Long.toHexString(magic));
    } else {
      state = State.HANDSHAKE_FLAGS;
    }
  }

  private void handshakeFlags(ByteBuffer in, int at) {
    int offered = Short.toUnsignedInt(in.getShort(at));
    areZeroesSpared = (offered & Nbd.FLAG_NO_ZEROES) != 0;
    boolean isFixed = (offered & Nbd.FLAG_FIXED_NEWSTYLE) != 0;
    output.putInt(
        (isFixed ? Nbd.FLAG_C_FIXED_NEWSTYLE : 0) | (areZeroesSpared ? Nbd.FLAG_C_NO_ZEROES : 0));
    if (isFixed) {
      putOption(Nbd.OPT_STRUCTURED_REPLY, 0);
      state = State.STRUCTURED_REPLY;
    } else {
      askForExportName(); // The only option that newstyle servers know unless they are fixed.
    }
  }

  /** Returns how long the reply's data is, or -1 after a refusal. */
  private int checkReplyHeader(State current, ByteBuffer in, int at) {
    if (OptionReply.magic(in, at) != OptionReply.MAGIC) {
      malformed("magic number of a reply 0x" + Long.toHexString(OptionReply.magic(in, at)));
      return -1;
    }
    if (OptionReply.option(in, at) != current.option) {
      malformed(
          "a reply to "
              + Nbd.optionName(OptionReply.option(in, at))
              + ", asked was "
              + Nbd.optionName(current.option));
      return -1;
    }
    long dataBytes = OptionReply.dataBytes(in, at);
    if (dataBytes > MAX_REPLY_DATA_BYTES) {
      malformed("a reply of " + dataBytes + " bytes to " + Nbd.optionName(current.option));
      return -1;
    }
    return (int) dataBytes;
  }

  private void eatReply(State current, int type, ByteBuffer in, int at, int dataBytes) {
    if (type == Nbd.REP_ERR_TLS_REQD) {
      refuse(
          Refusal.Kind.TLS_REQUIRED,
          "the server requires TLS, which is not supported yet" + says(in, at, dataBytes));
    } else if (type == Nbd.REP_ERR_SHUTDOWN) {
      refuse(Refusal.Kind.SHUTTING_DOWN, "the server is shutting down" + says(in, at, dataBytes));
    } else {
      current.replyEater.eat(this, type, in, at, dataBytes);
    }
  }

  private void structuredReplyAnswer(int type, ByteBuffer in, int at, int dataBytes) {
    if (type == Nbd.REP_ACK) {
      hasStructuredReplies = true;
      askForMetaContext();
    } else if (isError(type)) {
      askToGo();
    } else {
      unexpected(type);
    }
  }

  private void metaContextAnswer(int type, ByteBuffer in, int at, int dataBytes) {
    if (type == Nbd.REP_META_CONTEXT) {
      if (dataBytes < Integer.BYTES) {
        malformed("a metadata context of " + dataBytes + " bytes");
        return;
      }
      if (text(in, at + Integer.BYTES, dataBytes - Integer.BYTES).equals(Nbd.BASE_ALLOCATION)) {
        hasAllocation = true;
        allocationId = in.getInt(at);
      }
    } else if (type == Nbd.REP_ACK) {
      askToGo();
    } else if (isError(type)) {
      // Not all have contexts, and if it is the export that is unknown then GO says so better.
      hasAllocation = false;
      allocationId = 0;
      askToGo();
    } else {
      unexpected(type);
    }
  }

  private void goAnswer(int type, ByteBuffer in, int at, int dataBytes) {
    switch (type) {
      case Nbd.REP_INFO -> info(in, at, dataBytes);
      case Nbd.REP_ACK -> {
        if (hasExportInfo) {
          enterTransmission();
        } else {
          malformed("GO acknowledged without the export's size");
        }
      }
      case Nbd.REP_ERR_UNSUP -> askForExportName();
      case Nbd.REP_ERR_UNKNOWN ->
          refuse(
              Refusal.Kind.UNKNOWN_EXPORT,
              "the server has no export " + quoted(exportName) + says(in, at, dataBytes));
      default -> {
        if (isError(type)) {
          refuse(
              Refusal.Kind.REFUSED,
              "the server refuses export "
                  + quoted(exportName)
                  + " with "
                  + Nbd.optionReplyName(type)
                  + says(in, at, dataBytes));
        } else {
          unexpected(type);
        }
      }
    }
  }

  private void info(ByteBuffer in, int at, int dataBytes) {
    int kind = dataBytes < Short.BYTES ? -1 : Short.toUnsignedInt(in.getShort(at));
    switch (kind) {
      case Nbd.INFO_EXPORT -> {
        if (dataBytes != 12) {
          malformed("INFO_EXPORT of " + dataBytes + " bytes");
          return;
        }
        hasExportInfo = true;
        sizeBytes = in.getLong(at + 2);
        flags = Short.toUnsignedInt(in.getShort(at + 10));
      }
      case Nbd.INFO_BLOCK_SIZE -> {
        if (dataBytes != 14) {
          malformed("INFO_BLOCK_SIZE of " + dataBytes + " bytes");
          return;
        }
        blockSizes(in.getInt(at + 2), Integer.toUnsignedLong(in.getInt(at + 10)));
      }
      case -1 -> malformed("INFO of " + dataBytes + " bytes");
      default -> {} // Names and descriptions that nobody asked for: allowed, and of no use.
    }
  }

  private void blockSizes(int minimumBytes, long maximumBytes) {
    if (Integer.bitCount(minimumBytes) != 1
        || minimumBytes < 1
        || minimumBytes > MAX_MIN_BLOCK_BYTES) {
      malformed("a minimum block of " + Integer.toUnsignedString(minimumBytes) + " bytes");
      return;
    }
    if (maximumBytes < minimumBytes) {
      malformed("blocks of " + minimumBytes + " to " + maximumBytes + " bytes");
      return;
    }
    minBlockBytes = minimumBytes;
    maxPayloadBytes = (int) Math.min(maximumBytes, Nbd.MAX_PAYLOAD_BYTES) & -minimumBytes;
  }

  private void exportNameAnswer(ByteBuffer in, int at) {
    sizeBytes = in.getLong(at);
    flags = Short.toUnsignedInt(in.getShort(at + Long.BYTES));
    enterTransmission();
  }

  private int zeroesBytes() {
    return areZeroesSpared ? 0 : Nbd.EXPORT_NAME_ZEROES_BYTES;
  }

  private void enterTransmission() {
    if ((flags & Nbd.FLAG_HAS_FLAGS) == 0) {
      malformed("transmission flags 0x" + Integer.toHexString(flags));
    } else if (sizeBytes < 0) {
      malformed("an export of " + Long.toUnsignedString(sizeBytes) + " bytes");
    } else if (sizeBytes % minBlockBytes != 0) {
      malformed(
          "an export of "
              + sizeBytes
              + " bytes, not a multiple of its minimum block of "
              + minBlockBytes);
    } else {
      export =
          new Export(
              sizeBytes,
              flags,
              minBlockBytes,
              maxPayloadBytes,
              hasStructuredReplies,
              hasAllocation,
              allocationId);
      state = State.DONE;
    }
  }

  private void askForMetaContext() {
    byte[] query = Nbd.BASE_ALLOCATION.getBytes(StandardCharsets.US_ASCII);
    putOption(Nbd.OPT_SET_META_CONTEXT, 3 * Integer.BYTES + nameBytes.length + query.length);
    output.putInt(nameBytes.length).put(nameBytes).putInt(1).putInt(query.length).put(query);
    state = State.META_CONTEXT;
  }

  private void askToGo() {
    putOption(Nbd.OPT_GO, Integer.BYTES + nameBytes.length + 2 * Short.BYTES);
    output.putInt(nameBytes.length).put(nameBytes);
    output.putShort((short) 1).putShort((short) Nbd.INFO_BLOCK_SIZE);
    state = State.GO;
  }

  private void askForExportName() {
    putOption(Nbd.OPT_EXPORT_NAME, nameBytes.length);
    output.put(nameBytes);
    state = State.EXPORT_NAME;
  }

  private void putOption(int option, int dataBytes) {
    OptionHeader.put(output, output.position(), option, dataBytes);
    output.position(output.position() + OptionHeader.SIZE_BYTES);
  }

  private void unexpected(int type) {
    malformed("unexpected " + Nbd.optionReplyName(type));
  }

  private void malformed(String what) {
    refuse(Refusal.Kind.MALFORMED, "the server breaks the NBD protocol: " + what);
  }

  private void refuse(Refusal.Kind kind, String message) {
    if (state.option != 0 && kind != Refusal.Kind.CLOSED && kind != Refusal.Kind.MALFORMED) {
      putOption(Nbd.OPT_ABORT, 0); // The polite end, where the server still listens to options.
    }
    refusal = new Refusal(kind, message);
    state = State.REFUSED;
  }

  private static boolean isError(int type) {
    return (type & Nbd.REP_ERROR_BIT) != 0;
  }

  /** What the server adds for people, if anything. */
  private static String says(ByteBuffer in, int at, int dataBytes) {
    return dataBytes == 0 ? "" : ": it says " + quoted(text(in, at, dataBytes));
  }

  private static String text(ByteBuffer in, int at, int length) {
    byte[] bytes = new byte[length];
    in.get(at, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Quoted for people: on one line, of bounded length, without anything a terminal would obey. */
  private static String quoted(String text) {
    StringBuilder shown = new StringBuilder("\"");
    text.codePoints()
        .limit(MAX_SHOWN_CHARS)
        .map(c -> Character.isISOControl(c) || c == 0xFFFD ? '.' : c)
        .forEach(shown::appendCodePoint);
    return shown.append('"').toString();
  }
}
