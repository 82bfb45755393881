package oxbow.target;

/** A message that a target does not understand or refuses. */
public final class MessageException extends Exception {
  /** The sentence for the user. */
  public MessageException(String why) {
    super(why);
  }
}
