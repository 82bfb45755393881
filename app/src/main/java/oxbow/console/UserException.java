package oxbow.console;

import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/**
 * Something the user must know and can act on, told as {@code oxbow: WHAT: WHY} and, where it
 * helps, one line of advice. Never shown with a stack trace unless asked for.
 */
public final class UserException extends Exception {
  /** The job failed. */
  public static final int FAILED = 1;

  /** The command line is wrong. */
  public static final int WRONG_USAGE = 2;

  private final String advice;
  private final int exitStatus;

  private UserException(int exitStatus, String message, String advice, @Nullable Throwable cause) {
    super(message, cause);
    this.exitStatus = exitStatus;
    this.advice = advice;
  }

  /** A job that failed. */
  public static UserException failed(String what, String why) {
    return new UserException(FAILED, what + ": " + why, "", null);
  }

  /** A job that failed because of an exception, whose message is the reason. */
  public static UserException failed(String what, Exception cause) {
    return new UserException(FAILED, what + ": " + reason(cause), "", cause);
  }

  /** A command line that cannot be meant. */
  public static UserException wrongUsage(String what, String why) {
    return new UserException(WRONG_USAGE, what + ": " + why, "", null);
  }

  /** The same with a line that says what to do, or that nothing was changed. */
  public UserException advise(String whatToDo) {
    return new UserException(exitStatus, reason(this), whatToDo, getCause());
  }

  /** What an exception says, in one line. */
  public static String reason(Throwable cause) {
    String message = cause.getMessage();
    if (cause instanceof FileSystemException failed && failed.getReason() == null) {
      message += ": " + inWords(failed);
    }
    String said = message == null || message.isBlank() ? cause.getClass().getSimpleName() : message;
    return firstLine(said);
  }

  /** The JDK tells what is wrong with a file by the exception's class only. */
  private static String inWords(FileSystemException failed) {
    return switch (failed) {
      case NoSuchFileException _ -> "No such file or directory";
      case AccessDeniedException _ -> "Permission denied";
      case FileAlreadyExistsException _ -> "File exists";
      case DirectoryNotEmptyException _ -> "Directory not empty";
      default -> failed.getClass().getSimpleName();
    };
  }

  /** The first line of a text. */
  public static String firstLine(String text) {
    return text.lines().findFirst().orElse(text);
  }

  /** Empty when there is nothing to advise. */
  public String advice() {
    return advice;
  }

  public int exitStatus() {
    return exitStatus;
  }

  /** What standard error shows: one line, or two. */
  public String toUserText() {
    String line = "oxbow: " + getMessage();
    return advice.isEmpty() ? line : line + System.lineSeparator() + "  " + advice;
  }
}
