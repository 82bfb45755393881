package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.cli.Cli;

/**
 * Aim: whatever an administrator changes below clients that are connected, these see a pause at
 * most, and no wrong byte. Method: fio with verification, on four connections, while a device goes
 * through every change of state there is, round after round; beside it content that fio does not
 * touch is compared with a model.
 */
class DaemonSwapIT {
  private static final int MIB = 1 << 20;

  /** The first half is fio's, the second belongs to the model. */
  private static final int SIZE_MIB = 32;

  private static final int SECTORS = SIZE_MIB * 2048;
  private static final int CONNECTIONS = 4;
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final Executor ASIDE = command -> Thread.ofPlatform().daemon().start(command);

  @TempDir Path directory;

  private Path source = Path.of("");
  private Path destination = Path.of("");
  private Path metadata = Path.of("");
  private Path model = Path.of("");
  private String cloneLine = "";

  @BeforeEach
  void makeImages() throws IOException {
    source = Images.sparse(directory.resolve("source.img"), SIZE_MIB * (long) MIB);
    Images.random(source, 0, 4 * MIB, 1);
    Images.random(source, 20L * MIB, 4 * MIB, 2);
    model = Files.copy(source, directory.resolve("model.img"));
    destination = Images.sparse(directory.resolve("dest.img"), SIZE_MIB * (long) MIB);
    metadata = Images.sparse(directory.resolve("dest.meta"), 4 * MIB);
    cloneLine = "0 %d clone %s %s %s 8".formatted(SECTORS, metadata, destination, source);
  }

  @Test
  void aCloneLivesItsLifeBelowItsClients() {
    try (DaemonConsole daemon = new DaemonConsole(directory)) {
      daemon.ok(
          "create",
          "vol",
          "--table",
          cloneLine + " 1 no_hydration",
          "--listen",
          daemon.listen("a"));
      QemuIo.same(daemon.uri("vol", "a"), model, "write -P 0x41 17M 100k", "write -z 21M 70k");
      CompletableFuture<Proc.Result> fio = fio(daemon, "vol", 10);
      for (int round = 0; round < 4; round++) {
        daemon.ok("suspend", "vol");
        daemon.ok("resume", "vol");
        daemon.ok("load", "vol", "--table", cloneLine);
        daemon.ok("suspend", "vol", "--noflush");
        daemon.ok("resume", "vol");
        daemon.ok("rename", "vol", "disk");
        daemon.ok("rename", "disk", "vol");
        daemon.ok("export", "vol", "--listen", daemon.listen("b"));
        QemuIo.same(daemon.uri("vol", "b"), model, "write -P 0x42 %dM 300k".formatted(22 + round));
        daemon.ok("unexport", "vol", "--listen", daemon.listen("b"));
      }
      assertThat(fio.isDone()).as("the changes took longer than the load").isFalse();
      fio.join().ok();
      // Under this load nothing is hydrated.
      DaemonConsole.await(
          "hydration",
          () -> daemon.json("status", "vol").path("targets").path(0).path("done").asBoolean());

      fio = fio(daemon, "vol", 5);
      daemon.ok("suspend", "vol");
      daemon.ok("load", "vol", "--table", "0 %d linear %s 0".formatted(SECTORS, destination));
      daemon.ok("resume", "vol");
      assertThat(daemon.ok("table", "vol")).contains("linear");
      assertThat(fio.isDone()).as("the swap came after the load").isFalse();
      Cli check = Cli.run("inspect", "--check", metadata);
      assertThat(check.status()).as(check.toString()).isZero();
      fio.join().ok();
      daemon.ok("remove", "vol", "--retry");
    }
    assertSecondHalfIsTheModels(destination);
  }

  @Test
  void tablesOfOneAndOfTwoPiecesTakeTurns() {
    Path disk = destination;
    String whole = "0 %d linear %s 0".formatted(SECTORS, disk);
    String pieces =
        "0 8192 linear %1$s 0\n8192 %2$d linear %1$s 8192".formatted(disk, SECTORS - 8192);
    try (DaemonConsole daemon = new DaemonConsole(directory)) {
      daemon.ok("create", "vol", "--table", whole, "--listen", daemon.listen("a"));
      CompletableFuture<Proc.Result> fio = fio(daemon, "vol", 10);
      int swaps = 0;
      while (!fio.isDone()) {
        daemon.ok("load", "vol", "--table", swaps % 2 == 0 ? pieces : whole);
        daemon.ok("resume", "vol");
        swaps++;
      }
      fio.join().ok();
      assertThat(swaps).isGreaterThan(4);
    }
  }

  @Test
  void aDeviceOnAnotherIsUsedWhileTheLowerOneChanges() {
    try (DaemonConsole daemon = new DaemonConsole(directory)) {
      daemon.ok("create", "low", "--table", "0 %d linear %s 0".formatted(SECTORS, destination));
      String onLow = "0 %d linear oxbow:low 0".formatted(SECTORS);
      daemon.ok("create", "high", "--table", onLow, "--listen", daemon.listen("a"));
      CompletableFuture<Proc.Result> fio = fio(daemon, "high", 10);
      int rounds = 0;
      while (!fio.isDone()) {
        daemon.ok("suspend", "low");
        daemon.ok("resume", "low");
        daemon.ok("rename", "low", "deep");
        daemon.ok("rename", "deep", "low");
        if (rounds++ == 0) {
          daemon.refused("busy", "remove", "low");
          daemon.refused("busy", "remove", "high");
          daemon.refused(
              "lies on", "load", "low", "--table", "0 %d linear oxbow:high 0".formatted(SECTORS));
          daemon.refused("lies on", "load", "high", "--table", onLow.replace("low", "high"));
        }
      }
      fio.join().ok();
      assertThat(rounds).isGreaterThan(2);
      daemon.ok("remove", "high", "--retry");
      daemon.ok("remove", "low");
    }
  }

  /** Writes and verifies on four connections for so many seconds; they are connected by now. */
  private CompletableFuture<Proc.Result> fio(DaemonConsole daemon, String device, int seconds) {
    Proc run =
        Proc.of(
                Tool.require("fio", "fio"),
                "--name=load",
                "--ioengine=nbd",
                "--uri=" + daemon.uri(device, "a"),
                "--rw=randrw",
                "--bs=4k",
                "--iodepth=8",
                "--thread",
                "--numjobs=" + CONNECTIONS,
                "--size=4M",
                "--offset_increment=4M",
                "--verify=crc32c",
                "--verify_backlog=64",
                "--verify_fatal=1",
                "--fsync=100",
                "--time_based",
                "--runtime=" + seconds)
            .in(directory)
            .within(LIMIT);
    CompletableFuture<Proc.Result> fio = CompletableFuture.supplyAsync(run::run, ASIDE);
    DaemonConsole.await(
        "fio's connections",
        () -> fio.isDone() || daemon.json("info", device).path("openCount").asInt() >= CONNECTIONS);
    return fio;
  }

  private void assertSecondHalfIsTheModels(Path disk) {
    try (var half = new RandomAccessFile(disk.toFile(), "r");
        var expected = new RandomAccessFile(model.toFile(), "r")) {
      byte[] found = new byte[SIZE_MIB / 2 * MIB];
      byte[] wanted = new byte[found.length];
      half.seek(found.length);
      half.readFully(found);
      expected.seek(wanted.length);
      expected.readFully(wanted);
      assertThat(Arrays.mismatch(found, wanted)).as("first byte that differs").isEqualTo(-1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
