package oxbow.device.file;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Runs commands of the system that tests need. */
final class Commands {
  private static final long TIMEOUT_SECONDS = 30;

  private Commands() {}

  /** How a command ended. */
  record Result(int exitStatus, String output) {
    boolean isSuccess() {
      return exitStatus == 0;
    }
  }

  static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  /** Output holds errors too; a command that does not exist fails like one that says so. */
  static Result run(String... command) throws IOException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException missing) {
      return new Result(127, missing.toString());
    }
    try (var output = process.inputReader()) {
      String text = output.readAllAsString().strip();
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("still running: " + String.join(" ", command));
      }
      return new Result(process.exitValue(), text);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
