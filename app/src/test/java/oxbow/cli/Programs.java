package oxbow.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Oxbow as a process of its own, for what only a process can show: signals, locks, exit. */
final class Programs {
  static final long PATIENCE_SECONDS = 60;

  private Programs() {}

  /** The command with these words, whose control directory lies in the given one. */
  static ProcessBuilder oxbow(Path runtime, Object... words) {
    List<String> command = new ArrayList<>();
    // Tests that run in the background of a shell have SIGINT ignored, and so had what they start.
    command.addAll(List.of("env", "--default-signal=INT"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-ea",
            "-cp",
            System.getProperty("java.class.path"),
            "oxbow.cli.Main"));
    for (Object word : words) {
      command.add(word.toString());
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("XDG_RUNTIME_DIR", runtime.toString());
    return builder;
  }

  /** The same for a process to which file permissions apply, whoever runs the tests: root too. */
  static ProcessBuilder bound(ProcessBuilder builder) {
    if (System.getProperty("user.name").equals("root")) {
      builder.command().add(0, "setpriv");
      builder.command().add(1, "--bounding-set=-dac_override,-dac_read_search");
    }
    return builder;
  }

  /** Starts it, with its standard error in a file. */
  static Running start(ProcessBuilder builder) throws IOException {
    Path err = Files.createTempFile("oxbow-test", ".err");
    Process process = builder.redirectError(err.toFile()).start();
    return new Running(process, err);
  }

  /** A process that runs; closing it ends it at once if it has not ended. */
  static final class Running implements AutoCloseable {
    private final Process process;
    private final Path err;
    private final BufferedReader out;

    private Running(Process process, Path err) {
      this.process = process;
      this.err = err;
      this.out = process.inputReader(StandardCharsets.UTF_8);
    }

    Process process() {
      return process;
    }

    /** The next line of standard output, which must begin like this. Blocks. */
    String awaitOutput(String beginning) throws IOException {
      String line = out.readLine();
      if (line == null || !line.startsWith(beginning)) {
        throw new AssertionError("expected " + beginning + " but got " + line + "\n" + err());
      }
      return line;
    }

    String err() throws IOException {
      return Files.readString(err);
    }

    /** Waits until standard error has this. */
    void awaitErr(String text) throws IOException, InterruptedException {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (!err().contains(text)) {
        if (System.nanoTime() > deadline || !process.isAlive()) {
          throw new AssertionError("no \"" + text + "\" in\n" + err());
        }
        process.waitFor(20, TimeUnit.MILLISECONDS);
      }
    }

    /** Sends a signal by its name. */
    void signal(String name) throws IOException, InterruptedException {
      new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    }

    /** Waits for the end and returns the exit status. */
    int await() throws InterruptedException, TimeoutException, IOException {
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new TimeoutException("still running\n" + err());
      }
      return process.exitValue();
    }

    @Override
    public void close() throws IOException {
      process.destroyForcibly().onExit().join();
      Files.delete(err);
    }
  }
}
