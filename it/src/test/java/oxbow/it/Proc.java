package oxbow.it;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One run of a program to its end, with a limit on time. Output goes through files, so that nobody
 * waits for a full pipe.
 */
public final class Proc {
  /** What a program said and how it ended. */
  public record Result(List<String> command, int status, String out, String err) {
    /** Fails the test unless the program ended with status 0. */
    public Result ok() {
      return status(0);
    }

    /** Fails the test unless the program ended with that status. */
    public Result status(int expected) {
      if (status != expected) {
        fail("exit status %d, expected %d: %s".formatted(status, expected, this));
      }
      return this;
    }

    @Override
    public String toString() {
      return "%s%n-- standard output%n%s%n-- standard error%n%s"
          .formatted(String.join(" ", command), out, err);
    }
  }

  private final ProcessBuilder builder;
  private Duration timeout = Duration.ofMinutes(1);
  private String input = "";

  private Proc(List<String> command) {
    builder = new ProcessBuilder(command);
  }

  /** A program and its arguments, by their string forms; paths are welcome. */
  public static Proc of(Object program, Object... arguments) {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new Proc(command);
  }

  /** Runs in that directory. */
  public Proc in(Path directory) {
    builder.directory(directory.toFile());
    return this;
  }

  /** Sets an environment variable, or removes it. */
  public Proc with(String name, @Nullable String value) {
    if (value == null) {
      builder.environment().remove(name);
    } else {
      builder.environment().put(name, value);
    }
    return this;
  }

  /** What the program reads from standard input; nothing by default. */
  public Proc input(String text) {
    input = text;
    return this;
  }

  /** How long the program may take, one minute by default; then it is killed and the test fails. */
  public Proc within(Duration limit) {
    timeout = limit;
    return this;
  }

  /** Runs the program and returns when it has ended, with whatever status. */
  public Result run() {
    try {
      Path files = Files.createTempDirectory("oxbow-proc-");
      try {
        return run(files.resolve("in"), files.resolve("out"), files.resolve("err"));
      } finally {
        for (String name : List.of("in", "out", "err")) {
          Files.deleteIfExists(files.resolve(name));
        }
        Files.delete(files);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Result run(Path in, Path out, Path err) throws IOException {
    Files.writeString(in, input);
    Process process =
        builder
            .redirectInput(in.toFile())
            .redirectOutput(Redirect.to(out.toFile()))
            .redirectError(Redirect.to(err.toFile()))
            .start();
    boolean ended = await(process);
    Result result =
        new Result(builder.command(), ended ? process.exitValue() : -1, read(out), read(err));
    if (!ended) {
      fail("killed after %d s: %s".formatted(timeout.toSeconds(), result));
    }
    return result;
  }

  private boolean await(Process process) {
    try {
      if (process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        return true;
      }
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
      return false;
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw new AssertionError("interrupted while waiting for " + builder.command(), e);
    }
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
