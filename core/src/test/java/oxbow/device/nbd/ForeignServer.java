package oxbow.device.nbd;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import oxbow.nbd.client.NbdAddress;

/** Someone else's NBD server on a Unix socket, for as long as a test needs it. */
final class ForeignServer implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 20;

  private final List<String> command;
  private final Path directory;
  private final NbdAddress address;
  private Process process;

  /** Makes a file when the process has ended, which whoever watches the directory hears. */
  private Thread bell = Thread.ofVirtual().unstarted(() -> {});

  private ForeignServer(List<String> command, Path directory, String exportName)
      throws IOException, InterruptedException {
    this.command = command;
    this.directory = directory;
    this.address = NbdAddress.unix(directory.resolve("sock").toString(), exportName);
    this.process = start();
  }

  /** nbdkit with its socket in a fresh directory; the arguments are filters, plugin, parameters. */
  static ForeignServer nbdkit(Path directory, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(program("nbdkit"), "-f", "--exit-with-parent"));
    command.addAll(List.of("-U", directory.resolve("sock").toString()));
    command.addAll(List.of("-P", directory.resolve("pid").toString()));
    command.addAll(Arrays.asList(arguments));
    return new ForeignServer(command, directory, "");
  }

  /** qemu-nbd, serving an image for any number of clients, one after another and together. */
  static ForeignServer qemuNbd(Path directory, String exportName, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(program("qemu-nbd"), "--persistent", "--shared=8"));
    command.addAll(List.of("--export-name=" + exportName));
    command.addAll(List.of("--socket=" + directory.resolve("sock")));
    command.addAll(List.of("--pid-file=" + directory.resolve("pid")));
    command.addAll(Arrays.asList(arguments));
    return new ForeignServer(command, directory, exportName);
  }

  /** The program's name if it is installed. Else the test is skipped, loudly; on CI it fails. */
  static String program(String name) {
    boolean isThere =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
            .anyMatch(place -> Files.isExecutable(Path.of(place, name)));
    if (!isThere) {
      String message = name + " is not installed: this test checks nothing without it";
      System.err.println("SKIPPED: " + message);
      if ("true".equals(System.getenv("CI"))) {
        fail(message);
      }
      abort(message);
    }
    return name;
  }

  NbdAddress address() {
    return address;
  }

  long pid() {
    return process.pid();
  }

  /** Starts the server and returns when it accepts connections: then it writes its pid file. */
  private Process start() throws IOException, InterruptedException {
    Files.deleteIfExists(directory.resolve("pid"));
    Files.deleteIfExists(directory.resolve("sock"));
    Files.deleteIfExists(directory.resolve("ended"));
    try (WatchService watch = directory.getFileSystem().newWatchService()) {
      directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      File log = directory.resolve("log").toFile();
      Process started =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(Redirect.appendTo(log))
              .start();
      // Its end wakes us too: the command line may be wrong.
      bell =
          Thread.ofVirtual()
              .start(
                  () -> {
                    started.onExit().join();
                    directory.resolve("ended").toFile().mkdir();
                  });
      while (true) {
        WatchKey key = watch.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (key == null || !started.isAlive()) {
          started.destroyForcibly();
          throw new IOException(command + " did not start: " + Files.readString(log.toPath()));
        }
        for (WatchEvent<?> event : key.pollEvents()) {
          if (Path.of("pid").equals(event.context())) {
            return started;
          }
        }
        key.reset();
      }
    }
  }

  /** Kills the server without warning. */
  void kill() throws InterruptedException {
    process.destroyForcibly().onExit().join();
    bell.join();
  }

  /** Starts it again after {@link #kill}, at the same address. */
  void startAgain() throws IOException, InterruptedException {
    process = start();
  }

  @Override
  public void close() {
    try {
      kill();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
