package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The log that strace writes of a server, and waiting for what is to come in it. */
final class Trace {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Path log;

  private Trace(Path log) {
    this.log = log;
  }

  static Trace of(Path log) {
    return new Trace(log);
  }

  /** Waits until all is written down that a server did which has ended; what that is. */
  List<SystemCalls.Event> toTheEnd(Server server) throws IOException {
    long process = server.handle().pid();
    await(() -> hasEnded(process));
    return SystemCalls.read(log);
  }

  private boolean hasEnded(long process) {
    try {
      return SystemCalls.hasEnded(log, process);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Strace writes line by line; looks again whenever it has. */
  void await(BooleanSupplier isThere) {
    Path directory = log.resolveSibling("");
    try (WatchService watch = directory.getFileSystem().newWatchService()) {
      directory.register(watch, StandardWatchEventKinds.ENTRY_MODIFY);
      long deadline = System.nanoTime() + PATIENCE_NANOS;
      while (!isThere.getAsBoolean()) {
        assertThat(System.nanoTime()).as("waiting for " + log).isLessThan(deadline);
        WatchKey key = watch.poll(100, TimeUnit.MILLISECONDS);
        if (key != null) {
          key.pollEvents();
          key.reset();
        }
      }
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** A trace is what a failure is found with; the temporary directory does not outlive the test. */
  Path keep() throws IOException {
    Path kept = Files.createTempFile("oxbow-durability-", ".strace");
    return Files.copy(log, kept, StandardCopyOption.REPLACE_EXISTING);
  }
}
