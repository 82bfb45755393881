package oxbow.control;

/** A request that was refused; the message is what the user shall read. */
public final class ControlException extends Exception {
  public ControlException(String message) {
    super(message);
  }

  public ControlException(String message, Throwable cause) {
    super(message, cause);
  }
}
