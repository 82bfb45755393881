package oxbow.control;

/** A request that was refused; the message is what the user shall read. */
public final class ControlException extends Exception {
  /** Why, in the words of HTTP. */
  public enum Kind {
    /** The request cannot be meant, or the target does not want it. */
    REFUSED(400),
    /** No such device, or a request that this process does not answer. */
    NOT_FOUND(404),
    /** The state of the device, or another device, is in the way. */
    CONFLICT(409),
    /** The request is longer than any that can be meant. */
    TOO_LARGE(413),
    /** A fault in the program. */
    FAULT(500);

    private final int status;

    Kind(int status) {
      this.status = status;
    }

    /** The status of an answer in HTTP. */
    int status() {
      return status;
    }

    /** What a status means; one that is not ours is of the nearest kind. */
    static Kind of(int status) {
      for (Kind kind : values()) {
        if (kind.status == status) {
          return kind;
        }
      }
      return status < FAULT.status ? REFUSED : FAULT;
    }
  }

  private final Kind kind;

  public ControlException(String message) {
    this(Kind.REFUSED, message);
  }

  public ControlException(String message, Throwable cause) {
    super(message, cause);
    this.kind = Kind.REFUSED;
  }

  public ControlException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  /** There is no such thing. */
  public static ControlException notFound(String message) {
    return new ControlException(Kind.NOT_FOUND, message);
  }

  /** Something else is in the way. */
  public static ControlException conflict(String message) {
    return new ControlException(Kind.CONFLICT, message);
  }

  public Kind kind() {
    return kind;
  }
}
