package oxbow.target;

import org.jspecify.annotations.Nullable;

/** A table line that does not make a target; the message begins with device-mapper's sentence. */
public final class TargetException extends Exception {
  /** The sentence for the user. */
  public TargetException(String why) {
    super(why);
  }

  /** The same with its cause if there is one. */
  public TargetException(String why, @Nullable Throwable cause) {
    super(why, cause);
  }
}
