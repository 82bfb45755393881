package oxbow.job;

import java.io.IOException;
import oxbow.console.Console;
import oxbow.console.UserException;

/**
 * Permission to do what cannot be undone and was not exactly asked for: given beforehand with
 * {@code --yes}, or on the terminal.
 *
 * @param isGiven beforehand
 */
record Consent(boolean isGiven, Console console) {
  /**
   * Returns if it may be done.
   *
   * @param command for messages
   * @param why what stands against it
   * @param question what would be done, with a question mark
   * @param advice what to do where nobody can be asked
   */
  void require(String command, String why, String question, String advice)
      throws UserException, IOException {
    if (isGiven) {
      return;
    }
    if (!console.canAsk()) {
      throw UserException.failed(command, why).advise("Nothing was changed. " + advice);
    }
    console.say("oxbow: " + command + ": " + why);
    if (!console.agrees(question)) {
      throw UserException.failed(command, why).advise("Nothing was changed.");
    }
  }
}
