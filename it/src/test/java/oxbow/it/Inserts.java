package oxbow.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/**
 * A client that inserts rows, one transaction each, until its database is gone. Its output is read
 * as it comes: psql prints a row's number once its commit is confirmed.
 */
final class Inserts {
  /** The table that is inserted into. */
  static final String TABLE = "CREATE TABLE t (id integer PRIMARY KEY, filler text)";

  private static final int NUMBERS_OF_A_CLIENT = 1_000_000;

  /** More than a client can make before its database is gone. */
  private static final int ROWS = 30_000;

  private final Process process;
  private final Thread reader;
  private final Set<Integer> confirmed = new TreeSet<>();

  private Inserts(Process process, Runnable onCommit) {
    this.process = process;
    this.reader = Thread.ofPlatform().start(() -> read(onCommit));
  }

  /**
   * Starts one.
   *
   * @param directory gets a file
   * @param client its number
   * @param onCommit is called after each row, on a thread of this client
   */
  static Inserts into(Postgres database, Path directory, int client, Runnable onCommit)
      throws IOException {
    StringBuilder sql = new StringBuilder();
    int first = client * NUMBERS_OF_A_CLIENT;
    for (int id = first; id < first + ROWS; id++) {
      sql.append("INSERT INTO t VALUES (%d, repeat('x', 500)) RETURNING id;\n".formatted(id));
    }
    Path script = Files.writeString(directory.resolve("inserts-" + client + ".sql"), sql);
    return new Inserts(database.session(script), onCommit);
  }

  private void read(Runnable onCommit) {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        synchronized (this) {
          confirmed.add(Integer.valueOf(line));
        }
        onCommit.run();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The rows that have been confirmed by now. */
  synchronized Set<Integer> confirmed() {
    return new TreeSet<>(confirmed);
  }

  /** Waits until the database is gone; the rows that it has confirmed. */
  Set<Integer> awaitEnd() throws InterruptedException {
    reader.join();
    return confirmed();
  }

  /** The rows that a database has. */
  static Set<Integer> found(Postgres database) {
    Set<Integer> found = new TreeSet<>();
    database.query("SELECT id FROM t").lines().map(Integer::valueOf).forEach(found::add);
    return found;
  }
}
