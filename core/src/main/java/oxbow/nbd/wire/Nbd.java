package oxbow.nbd.wire;

/** The protocol's numbers under its own names, without the prefix NBD_. */
public final class Nbd {
  /** The port that IANA assigned. */
  public static final int DEFAULT_PORT = 10809;

  /** Longest export name, description or metadata query: what every peer must bear. */
  public static final int MAX_STRING_BYTES = 4096;

  /** Longest payload of a request or reply that peers may use without asking. */
  public static final int MAX_PAYLOAD_BYTES = 32 << 20;

  // The greeting: two magic numbers and the handshake flags.
  public static final long INIT_MAGIC = 0x4e42444d41474943L; // "NBDMAGIC"
  public static final long OPTION_MAGIC = 0x49484156454f5054L; // "IHAVEOPT"
  public static final int GREETING_BYTES = 18;
  public static final int FLAG_FIXED_NEWSTYLE = 1;
  public static final int FLAG_NO_ZEROES = 1 << 1;
  public static final int FLAG_C_FIXED_NEWSTYLE = 1;
  public static final int FLAG_C_NO_ZEROES = 1 << 1;

  /** Zeros after the answer to EXPORT_NAME for clients that did not ask to be spared them. */
  public static final int EXPORT_NAME_ZEROES_BYTES = 124;

  // Options.
  public static final int OPT_EXPORT_NAME = 1;
  public static final int OPT_ABORT = 2;
  public static final int OPT_LIST = 3;
  public static final int OPT_STARTTLS = 5;
  public static final int OPT_INFO = 6;
  public static final int OPT_GO = 7;
  public static final int OPT_STRUCTURED_REPLY = 8;
  public static final int OPT_LIST_META_CONTEXT = 9;
  public static final int OPT_SET_META_CONTEXT = 10;
  public static final int OPT_EXTENDED_HEADERS = 11;

  // Replies to options; those with the highest bit are errors.
  public static final int REP_ACK = 1;
  public static final int REP_SERVER = 2;
  public static final int REP_INFO = 3;
  public static final int REP_META_CONTEXT = 4;
  public static final int REP_ERROR_BIT = 1 << 31;
  public static final int REP_ERR_UNSUP = REP_ERROR_BIT | 1;
  public static final int REP_ERR_POLICY = REP_ERROR_BIT | 2;
  public static final int REP_ERR_INVALID = REP_ERROR_BIT | 3;
  public static final int REP_ERR_PLATFORM = REP_ERROR_BIT | 4;
  public static final int REP_ERR_TLS_REQD = REP_ERROR_BIT | 5;
  public static final int REP_ERR_UNKNOWN = REP_ERROR_BIT | 6;
  public static final int REP_ERR_SHUTDOWN = REP_ERROR_BIT | 7;
  public static final int REP_ERR_BLOCK_SIZE_REQD = REP_ERROR_BIT | 8;
  public static final int REP_ERR_TOO_BIG = REP_ERROR_BIT | 9;
  public static final int REP_ERR_EXT_HEADER_REQD = REP_ERROR_BIT | 10;

  // Information about an export, asked for with INFO and GO.
  public static final int INFO_EXPORT = 0;
  public static final int INFO_NAME = 1;
  public static final int INFO_DESCRIPTION = 2;
  public static final int INFO_BLOCK_SIZE = 3;

  // Transmission flags: what an export can do.
  public static final int FLAG_HAS_FLAGS = 1;
  public static final int FLAG_READ_ONLY = 1 << 1;
  public static final int FLAG_SEND_FLUSH = 1 << 2;
  public static final int FLAG_SEND_FUA = 1 << 3;
  public static final int FLAG_ROTATIONAL = 1 << 4;
  public static final int FLAG_SEND_TRIM = 1 << 5;
  public static final int FLAG_SEND_WRITE_ZEROES = 1 << 6;
  public static final int FLAG_SEND_DF = 1 << 7;
  public static final int FLAG_CAN_MULTI_CONN = 1 << 8;
  public static final int FLAG_SEND_RESIZE = 1 << 9;
  public static final int FLAG_SEND_CACHE = 1 << 10;
  public static final int FLAG_SEND_FAST_ZERO = 1 << 11;
  public static final int FLAG_BLOCK_STATUS_PAYLOAD = 1 << 12;

  // Requests.
  public static final int REQUEST_MAGIC = 0x25609513;
  public static final int CMD_READ = 0;
  public static final int CMD_WRITE = 1;
  public static final int CMD_DISC = 2;
  public static final int CMD_FLUSH = 3;
  public static final int CMD_TRIM = 4;
  public static final int CMD_CACHE = 5;
  public static final int CMD_WRITE_ZEROES = 6;
  public static final int CMD_BLOCK_STATUS = 7;
  public static final int CMD_FLAG_FUA = 1;
  public static final int CMD_FLAG_NO_HOLE = 1 << 1;
  public static final int CMD_FLAG_DF = 1 << 2;
  public static final int CMD_FLAG_REQ_ONE = 1 << 3;
  public static final int CMD_FLAG_FAST_ZERO = 1 << 4;

  // Replies.
  public static final int SIMPLE_REPLY_MAGIC = 0x67446698;
  public static final int STRUCTURED_REPLY_MAGIC = 0x668e33ef;
  public static final int REPLY_FLAG_DONE = 1;
  public static final int REPLY_TYPE_NONE = 0;
  public static final int REPLY_TYPE_OFFSET_DATA = 1;
  public static final int REPLY_TYPE_OFFSET_HOLE = 2;
  public static final int REPLY_TYPE_BLOCK_STATUS = 5;
  public static final int REPLY_TYPE_ERROR_BIT = 1 << 15;
  public static final int REPLY_TYPE_ERROR = REPLY_TYPE_ERROR_BIT | 1;
  public static final int REPLY_TYPE_ERROR_OFFSET = REPLY_TYPE_ERROR_BIT | 2;

  /** The one metadata context that the standard defines. */
  public static final String BASE_ALLOCATION = "base:allocation";

  public static final int STATE_HOLE = 1;
  public static final int STATE_ZERO = 1 << 1;

  private Nbd() {}

  /** The protocol's name of a command, for messages to people. */
  public static String commandName(int command) {
    return switch (command) {
      case CMD_READ -> "READ";
      case CMD_WRITE -> "WRITE";
      case CMD_DISC -> "DISC";
      case CMD_FLUSH -> "FLUSH";
      case CMD_TRIM -> "TRIM";
      case CMD_CACHE -> "CACHE";
      case CMD_WRITE_ZEROES -> "WRITE_ZEROES";
      case CMD_BLOCK_STATUS -> "BLOCK_STATUS";
      default -> "command " + command;
    };
  }

  /** The protocol's name of an option, for messages to people. */
  public static String optionName(int option) {
    return switch (option) {
      case OPT_EXPORT_NAME -> "EXPORT_NAME";
      case OPT_ABORT -> "ABORT";
      case OPT_LIST -> "LIST";
      case OPT_STARTTLS -> "STARTTLS";
      case OPT_INFO -> "INFO";
      case OPT_GO -> "GO";
      case OPT_STRUCTURED_REPLY -> "STRUCTURED_REPLY";
      case OPT_LIST_META_CONTEXT -> "LIST_META_CONTEXT";
      case OPT_SET_META_CONTEXT -> "SET_META_CONTEXT";
      case OPT_EXTENDED_HEADERS -> "EXTENDED_HEADERS";
      default -> "option " + Integer.toUnsignedString(option);
    };
  }

  /** The protocol's name of a reply to an option, for messages to people. */
  public static String optionReplyName(int reply) {
    return switch (reply) {
      case REP_ACK -> "ACK";
      case REP_SERVER -> "SERVER";
      case REP_INFO -> "INFO";
      case REP_META_CONTEXT -> "META_CONTEXT";
      case REP_ERR_UNSUP -> "ERR_UNSUP";
      case REP_ERR_POLICY -> "ERR_POLICY";
      case REP_ERR_INVALID -> "ERR_INVALID";
      case REP_ERR_PLATFORM -> "ERR_PLATFORM";
      case REP_ERR_TLS_REQD -> "ERR_TLS_REQD";
      case REP_ERR_UNKNOWN -> "ERR_UNKNOWN";
      case REP_ERR_SHUTDOWN -> "ERR_SHUTDOWN";
      case REP_ERR_BLOCK_SIZE_REQD -> "ERR_BLOCK_SIZE_REQD";
      case REP_ERR_TOO_BIG -> "ERR_TOO_BIG";
      case REP_ERR_EXT_HEADER_REQD -> "ERR_EXT_HEADER_REQD";
      default -> "reply 0x" + Integer.toHexString(reply);
    };
  }
}
