package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: a database whose disk is a clone loses no transaction that it has confirmed. Method:
 * PostgreSQL on the ext4 of a clone of a slow source, on this host; while three clients insert
 * rows, Oxbow and the database are killed; after a new start every row that was confirmed is there.
 */
class PostgresIT {
  private static final int CLIENTS = 3;
  private static final int COMMITS_BEFORE_CRASH = 300;

  @TempDir Path directory;

  private Path sockets = Path.of("");
  private Path source = Path.of("");

  @BeforeEach
  void makeAFileSystemWithADatabase() {
    HostMount.requireIt();
    Postgres.requireIt();
    sockets = Postgres.makeDirectory(directory, "run");
    Path files = directory.resolve("files");
    assertThat(files.toFile().mkdir()).isTrue();
    Postgres.init(Postgres.makeDirectory(files, "data"));
    source = directory.resolve("source.img");
    Path mkfs = Tool.require("mkfs.ext4", "e2fsprogs");
    Proc.of(mkfs, "-q", "-d", files, source, "96M").run().ok();
  }

  @Test
  void confirmedTransactionsSurviveTheCrashOfDatabaseAndClone() throws Exception {
    try (Server slow =
            Server.nbdkit(
                directory.resolve("source.sock"),
                "-r",
                "--filter=delay",
                "file",
                source,
                "rdelay=2ms");
        TestClone clone = new TestClone(directory, slow.uri())) {
      clone.start("--rate", "512KiB");
      Set<Integer> confirmed = insertUntilCrash(clone);
      clone.assertMetadataIsSound();
      clone.assertIsUnfinished();

      clone.start("--rate", "512KiB");
      try (HostMount mount = HostMount.of(directory, clone.uri())) {
        try (Postgres database = Postgres.start(mount.directory().resolve("data"), sockets)) {
          Set<Integer> found = Inserts.found(database);
          assertThat(confirmed).hasSizeGreaterThanOrEqualTo(COMMITS_BEFORE_CRASH);
          assertThat(found).containsAll(confirmed);
          clone.assertIsHydrating();
          database.stop();
        }
        mount.unmount();
      }
      clone.stop();
      clone.finish();
      Images.assertExt4IsClean(clone.destination());
    }
  }

  /** Starts all, lets clients insert rows, kills all; the numbers of the rows confirmed. */
  private Set<Integer> insertUntilCrash(TestClone clone) throws Exception {
    try (HostMount mount = HostMount.of(directory, clone.uri());
        Postgres database = Postgres.start(mount.directory().resolve("data"), sockets)) {
      database.query(Inserts.TABLE);
      CountDownLatch commits = new CountDownLatch(COMMITS_BEFORE_CRASH);
      List<Inserts> clients = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(Inserts.into(database, directory, i, commits::countDown));
      }
      assertThat(commits.await(60, TimeUnit.SECONDS)).as("%s", commits).isTrue();
      clone.server().kill();
      database.kill();
      Set<Integer> confirmed = new TreeSet<>();
      for (Inserts client : clients) {
        confirmed.addAll(client.awaitEnd());
      }
      return confirmed;
    }
  }
}
