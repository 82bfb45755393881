package oxbow.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A PostgreSQL server of the test's own, reached over a Unix socket only. It refuses to be root, so
 * its programs run as nobody.
 */
final class Postgres implements AutoCloseable {
  private static final Path VERSIONS = Path.of("/usr/lib/postgresql");

  private final Path sockets;
  private final ProcessHandle postmaster;

  private Postgres(Path sockets, ProcessHandle postmaster) {
    this.sockets = sockets;
    this.postmaster = postmaster;
  }

  /** A program of the newest version there is; where Debian has them, not on the PATH. */
  private static Path program(String name) {
    if (!Files.isDirectory(VERSIONS)) {
      throw Tool.missing("PostgreSQL is missing (Debian: postgresql)");
    }
    try (var versions = Files.list(VERSIONS)) {
      return versions
          .map(version -> version.resolve("bin").resolve(name))
          .filter(Files::isExecutable)
          .max(Comparator.naturalOrder())
          .orElseThrow(() -> Tool.missing(name + " is missing (Debian: postgresql)"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the test, skipped or failed, where there is no PostgreSQL. */
  static void requireIt() {
    program("postgres");
    Tool.require("setpriv", "util-linux");
  }

  private static List<Object> asNobody(Object... command) {
    List<Object> words =
        new ArrayList<>(List.of("--reuid=65534", "--regid=65534", "--clear-groups"));
    words.addAll(List.of(command));
    return words;
  }

  private static Proc.Result runAsNobody(Path in, Object... command) {
    return Proc.of("setpriv", asNobody(command).toArray()).in(in).run().ok();
  }

  /** A directory that belongs to nobody, in a directory of root's. */
  static Path makeDirectory(Path parent, String name) {
    try {
      Path directory = Files.createDirectory(parent.resolve(name));
      Files.setAttribute(directory, "unix:uid", 65534);
      Files.setAttribute(directory, "unix:gid", 65534);
      Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes an empty database cluster in a directory of nobody's, small and without waiting. */
  static void init(Path data) {
    runAsNobody(
        data,
        program("initdb"),
        "--pgdata=" + data,
        "--username=postgres",
        "--auth=trust",
        "--wal-segsize=1",
        "--no-sync",
        "--no-locale",
        "--encoding=UTF8");
  }

  /**
   * Starts the server and returns when it answers, after the recovery from a crash if need be.
   *
   * @param sockets a directory of nobody's
   */
  static Postgres start(Path data, Path sockets) {
    String options =
        "-c listen_addresses= -c unix_socket_directories="
            + sockets
            + " -c shared_buffers=8MB -c fsync=on -c synchronous_commit=on -c max_wal_size=8MB";
    Path log = sockets.resolve("log");
    // What the server inherits must not keep this process waiting for the end of its output.
    runAsNobody(sockets, program("pg_ctl"), "start", "-w", "-D", data, "-l", log, "-o", options);
    try {
      String pid = Files.readAllLines(data.resolve("postmaster.pid")).getFirst().strip();
      return new Postgres(sockets, ProcessHandle.of(Long.parseLong(pid)).orElseThrow());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs SQL and returns what it says, one row a line. */
  String query(String sql) {
    return Proc.of(program("psql"), psqlWords("-c", sql)).run().ok().out();
  }

  /**
   * Starts a client that runs SQL statements, one transaction each, as long as there is a server.
   */
  Process session(Path sql) {
    List<String> command = new ArrayList<>();
    command.add(program("psql").toString());
    for (Object word : psqlWords("-f", sql)) {
      command.add(word.toString());
    }
    try {
      return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Object[] psqlWords(Object... more) {
    List<Object> words =
        new ArrayList<>(
            List.of(
                "--host=" + sockets,
                "--username=postgres",
                "--dbname=postgres",
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1"));
    words.addAll(List.of(more));
    return words.toArray();
  }

  /** Stops in order, with a checkpoint. */
  void stop() {
    postmaster.destroy();
    postmaster.onExit().join();
  }

  /** Kills all of its processes at once. */
  void kill() {
    List<ProcessHandle> all = new ArrayList<>(postmaster.descendants().toList());
    all.addFirst(postmaster);
    all.forEach(ProcessHandle::destroyForcibly);
    CompletableFuture.allOf(
            all.stream().map(ProcessHandle::onExit).toArray(CompletableFuture[]::new))
        .join();
  }

  @Override
  public void close() {
    if (postmaster.isAlive()) {
      kill();
    }
  }
}
