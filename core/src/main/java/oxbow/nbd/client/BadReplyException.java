package oxbow.nbd.client;

import org.jspecify.annotations.Nullable;

/** A server's reply that costs it the connection. Never leaves the package. */
final class BadReplyException extends Exception {
  private static final long serialVersionUID = 1;

  private final transient @Nullable Command culprit;

  /**
   * @param culprit the command whose reply it was, if that is known
   */
  BadReplyException(String message, @Nullable Command culprit) {
    super(message, null, false, false);
    this.culprit = culprit;
  }

  @Nullable Command culprit() {
    return culprit;
  }
}
