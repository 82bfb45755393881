package oxbow.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process that serves until the test stops it. Starting returns when it is ready to serve; a
 * server that ends instead fails the test with its own words.
 */
public final class Server implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Stands in the queue of lines for the end of standard output. */
  private static final String END = new String("end of output");

  private final Process process;
  private final List<String> command;
  private final Path standardError;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final List<String> uris = new ArrayList<>();

  private Server(Path directory, List<String> command) throws IOException {
    this.command = command;
    standardError = Files.createTempFile(directory, "server-", ".err");
    process = new ProcessBuilder(command).redirectError(standardError.toFile()).start();
    Thread.ofVirtual().name("output of " + command.getFirst()).start(this::relay);
  }

  /**
   * Starts {@code ./oxbow} and waits for its first {@code ready} line.
   *
   * @param directory where its standard error is kept
   */
  public static Server oxbow(Path directory, Object... arguments) {
    Server server = launchOxbow(directory, arguments);
    server.awaitUri();
    return server;
  }

  /** Starts {@code ./oxbow} and does not wait until it is ready. */
  static Server launchOxbow(Path directory, Object... arguments) {
    try {
      return new Server(directory, command(Tool.own("oxbow"), List.of(arguments)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts {@code ./oxbow} under strace, which lets the process be a child of this one, so that
   * signals reach it, and writes its system calls to the log.
   */
  static Server tracedOxbow(Path directory, Path log, Object... arguments) {
    try {
      List<Object> words = new ArrayList<>(SystemCalls.command(log));
      words.add(Tool.own("oxbow"));
      words.addAll(List.of(arguments));
      Object strace = words.removeFirst();
      words.addFirst("-D");
      Server server = new Server(directory, command(Path.of(strace.toString()), words));
      server.awaitUri();
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts nbdkit on a Unix socket and waits until it listens there.
   *
   * @param socket where to listen; its directory exists
   */
  public static Server nbdkit(Path socket, Object... arguments) {
    Path directory = socket.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IllegalArgumentException("no directory in " + socket);
    }
    Path program = Tool.require("nbdkit", "nbdkit");
    Path ready = directory.resolve(socket.getFileName() + ".pid");
    List<Object> options = new ArrayList<>();
    options.addAll(List.of("-f", "--exit-with-parent", "-U", socket, "-P", ready));
    options.addAll(List.of(arguments));
    Server server = start(directory, command(program, options), ready);
    server.uris.add("nbd+unix:///?socket=" + socket.toAbsolutePath());
    return server;
  }

  /**
   * Starts nbdfuse, which shows an NBD export as a file, and waits until the file is there. It ends
   * when its directory is unmounted.
   *
   * @param directory where its standard error is kept
   * @param file where to show it; its directory exists and is empty
   */
  public static Server nbdfuse(Path directory, Path file, String uri) {
    Path program = Tool.require("nbdfuse", "libnbd-bin");
    Path ready = directory.resolve("nbdfuse.pid");
    try {
      Files.deleteIfExists(ready);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return start(directory, command(program, List.of("-P", ready, file, uri)), ready);
  }

  /** Starts a program and waits until it has made that file in the directory. */
  private static Server start(Path directory, List<String> command, Path ready) {
    try (WatchService watch = directory.getFileSystem().newWatchService()) {
      directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      Server server = new Server(directory, command);
      server.awaitFile(ready, watch);
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The NBD URI it announced first. */
  public String uri() {
    return uris.getFirst();
  }

  /** Waits for one more {@code ready} line and returns its URI. */
  public String awaitUri() {
    String line = awaitLine();
    if (!line.startsWith("ready ")) {
      throw failed("said '" + line + "' where 'ready URI' was expected");
    }
    String uri = line.substring("ready ".length());
    uris.add(uri);
    return uri;
  }

  /** The next line of standard output, when it comes. */
  public String awaitLine() {
    try {
      String line = lines.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (line == null) {
        throw failed("said nothing for " + PATIENCE.toSeconds() + " s");
      }
      if (line.equals(END)) {
        throw failed("ended with status " + process.waitFor());
      }
      return line;
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for " + command, e);
    }
  }

  /** The process itself; the launcher becomes Java, so this is the server and not its starter. */
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** What it has written to standard error so far. */
  public String standardError() {
    try {
      return new String(Files.readAllBytes(standardError), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends SIGTERM, waits for the end and returns the exit status. */
  public int stop() {
    process.destroy();
    return awaitEnd();
  }

  /** Sends SIGKILL, as a crash would, and waits for the end. */
  public void kill() {
    process.destroyForcibly();
    awaitEnd();
  }

  /** Waits until the process ends by itself and returns the exit status. */
  public int awaitEnd() {
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        throw failed("did not end within " + PATIENCE.toSeconds() + " s");
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for " + command, e);
    }
  }

  /** Stops it if it runs; by force if it does not listen. */
  @Override
  public void close() {
    if (process.isAlive()) {
      stop();
    }
  }

  private void awaitFile(Path file, WatchService watch) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (!Files.exists(file)) {
        if (!process.isAlive()) {
          throw failed("ended with status " + process.exitValue());
        }
        if (System.nanoTime() > deadline) {
          throw failed("was not ready within " + PATIENCE.toSeconds() + " s");
        }
        WatchKey key = watch.poll(100, TimeUnit.MILLISECONDS);
        if (key != null) {
          key.pollEvents();
          key.reset();
        }
      }
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for " + command, e);
    }
  }

  /** The failure, with what the server said; the server does not outlive it. */
  private AssertionError failed(String what) {
    process.destroyForcibly();
    return new AssertionError(
        "%s %s%n-- standard error%n%s".formatted(String.join(" ", command), what, standardError()));
  }

  private void relay() {
    try (var reader = process.inputReader(StandardCharsets.UTF_8)) {
      reader.lines().forEach(lines::add);
    } catch (UncheckedIOException | IOException e) {
      lines.add("unreadable output: " + e);
    }
    lines.add(END);
  }

  private static List<String> command(Path program, List<?> arguments) {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    arguments.forEach(argument -> command.add(argument.toString()));
    return command;
  }
}
