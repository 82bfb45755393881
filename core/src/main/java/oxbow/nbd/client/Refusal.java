package oxbow.nbd.client;

/**
 * Why a handshake did not lead to an export.
 *
 * @param message for people: half a sentence that follows the address and a colon
 */
public record Refusal(Kind kind, String message) {
  /** What a caller may want to tell apart. */
  public enum Kind {
    /** Whatever it is at this address, it does not speak NBD. */
    NOT_NBD,
    /** It speaks a handshake that was given up long ago. */
    TOO_OLD,
    /** It wants TLS first. */
    TLS_REQUIRED,
    /** It has no export of this name. */
    UNKNOWN_EXPORT,
    /** It does not want us. */
    REFUSED,
    /** It is going away. */
    SHUTTING_DOWN,
    /** It says what the protocol does not allow. */
    MALFORMED,
    /** It has ended the connection. */
    CLOSED
  }
}
