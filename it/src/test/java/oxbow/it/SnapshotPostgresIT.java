package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
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
 * Aim: a snapshot taken of a database's disk while it is written to is that disk after a power cut,
 * and stays so while the database goes on. Method: PostgreSQL on the ext4 of an origin, on this
 * host, by way of a second process that holds its requests while the first is started again with a
 * new store, which takes the snapshot; the file system is frozen meanwhile, the database is not. A
 * second PostgreSQL starts on the snapshot and must find every row that had been confirmed, and
 * nothing from later.
 */
class SnapshotPostgresIT {
  private static final int CLIENTS = 3;
  private static final int COMMITS = 150;
  private static final long STORE_BYTES = 256L << 20;

  @TempDir Path directory;

  private Path sockets = Path.of("");
  private Path image = Path.of("");
  private final List<Inserts> clients = new ArrayList<>();

  @BeforeEach
  void makeAFileSystemWithADatabase() throws IOException {
    HostMount.requireIt();
    Postgres.requireIt();
    sockets = Postgres.makeDirectory(directory, "run");
    Path files = Files.createDirectory(directory.resolve("files"));
    Postgres.init(Postgres.makeDirectory(files, "data"));
    image = directory.resolve("origin.img");
    Path mkfs = Tool.require("mkfs.ext4", "e2fsprogs");
    Proc.of(mkfs, "-q", "-d", files, image, "96M").run().ok();
  }

  @Test
  void aSnapshotTakenWhileTheDatabaseWritesIsItsDiskAfterACrash() throws Exception {
    Path home = Files.createDirectory(directory.resolve("below"));
    try (TestSnapshot below = new TestSnapshot(home, image)) {
      below.create(STORE_BYTES);
      Path above = Files.createDirectory(directory.resolve("above"));
      try (TestSnapshot holding = new TestSnapshot(above, below.originUri())) {
        holding.create(STORE_BYTES);
        try (HostMount mount = HostMount.of(above, holding.originUri())) {
          Path data = mount.directory().resolve("data");
          Set<Integer> confirmed = useWhileTheSnapshotIsTaken(data, mount, below);
          try (Postgres again = Postgres.start(data, sockets)) {
            assertThat(Inserts.found(again)).containsAll(confirmed);
            again.stop();
          }
          mount.unmount();
        }
        holding.stop();
      }
      below.stop();
      Images.assertExt4IsClean(image);
    }
  }

  /** All rows that have been confirmed until the database was killed. */
  private Set<Integer> useWhileTheSnapshotIsTaken(Path data, HostMount mount, TestSnapshot below)
      throws Exception {
    try (Postgres database = Postgres.start(data, sockets)) {
      database.query(Inserts.TABLE);
      CountDownLatch before = new CountDownLatch(COMMITS);
      CountDownLatch after = new CountDownLatch(3 * COMMITS);
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(
            Inserts.into(
                database,
                directory,
                i,
                () -> {
                  before.countDown();
                  after.countDown();
                }));
      }
      assertThat(before.await(60, TimeUnit.SECONDS)).as("%s", before).isTrue();
      Set<Integer> confirmed = confirmed();
      // Or flushes would fail afterwards: nobody knows what a server has lost that went away.
      mount.whileFrozen(() -> takeSnapshot(below));
      database.query("CREATE TABLE later (id integer)");
      assertThat(after.await(60, TimeUnit.SECONDS)).as("%s", after).isTrue();

      assertTheSnapshotIsADiskAfterACrash(below, confirmed);

      database.kill();
      for (Inserts client : clients) {
        client.awaitEnd();
      }
      return confirmed();
    }
  }

  /** What begins with a new store is a new snapshot. */
  private static void takeSnapshot(TestSnapshot below) {
    below.stop();
    assertThat(below.store().toFile().delete()).isTrue();
    below.create(STORE_BYTES, "--chunk-size", "4KiB");
  }

  private void assertTheSnapshotIsADiskAfterACrash(TestSnapshot below, Set<Integer> confirmed)
      throws Exception {
    Path home = Files.createDirectory(directory.resolve("copy"));
    Path ofCopy = Postgres.makeDirectory(home, "run");
    try (HostMount mount = HostMount.of(home, below.uri())) {
      Path data = mount.directory().resolve("data");
      // The process it names is alive, but works elsewhere.
      Files.delete(data.resolve("postmaster.pid"));
      try (Postgres copy = Postgres.start(data, ofCopy)) {
        assertThat(Files.readString(ofCopy.resolve("log")))
            .contains("automatic recovery in progress");
        assertThat(copy.query("SELECT to_regclass('later') IS NULL")).isEqualTo("t\n");
        Set<Integer> found = Inserts.found(copy);
        assertThat(found).containsAll(confirmed).hasSizeLessThan(confirmed().size());
        assertThat(confirmed()).containsAll(found);
        copy.query("INSERT INTO t VALUES (-1, 'written to the snapshot')");
        copy.stop();
      }
      mount.unmount();
    }
  }

  private Set<Integer> confirmed() {
    Set<Integer> all = new TreeSet<>();
    clients.forEach(client -> all.addAll(client.confirmed()));
    return all;
  }
}
