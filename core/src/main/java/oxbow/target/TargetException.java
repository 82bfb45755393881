package oxbow.target;

/** A table line that does not make a target; the message begins with device-mapper's sentence. */
public final class TargetException extends Exception {
  /** The sentence for the user. */
  public TargetException(String why) {
    super(why);
  }

  /** The same with its cause. */
  public TargetException(String why, Throwable cause) {
    super(why, cause);
  }
}
