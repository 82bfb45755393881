package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.cli.Cli;

/**
 * Aim: an hour of an administrator's goes as the documents say. Method: their commands, typed in
 * their order; the clients are those that others wrote. Every refusal is one line, with perhaps one
 * of advice, and status 1, or 2 where the command line itself is wrong.
 */
class DaemonSessionIT {
  private static final int MIB = 1 << 20;
  private static final int SECTORS = 8 * 2048;

  @TempDir Path directory;

  private Path golden = Path.of("");
  private Path disk = Path.of("");
  private String clone = "";
  private String linear = "";

  @BeforeEach
  void makeImages() throws IOException {
    golden = Images.random(directory.resolve("golden.img"), 0, 8 * MIB, 1);
    disk = Images.sparse(directory.resolve("vol.img"), 8 * MIB);
    Path metadata = Images.sparse(directory.resolve("vol.meta"), 4 * MIB);
    clone = "0 %d clone %s %s %s 8".formatted(SECTORS, metadata, disk, golden);
    linear = "0 %d linear %s 0".formatted(SECTORS, disk);
  }

  @Test
  void aVolumeIsClonedUsedMovedAndRetired() throws IOException {
    try (DaemonConsole daemon = new DaemonConsole(directory)) {
      assertThat(daemon.ok("ls")).isEqualTo("No devices found\n");
      assertThat(Cli.run("targets").out()).contains("clone", "snapshot-merge", "linear", "v1.0.0");
      daemon.ok("create", "vol", "--table", clone, "--listen", daemon.listen("a"));
      assertThat(nbdinfo(daemon.uri("vol", "a"))).contains("export-size: " + 8 * MIB);
      assertThat(daemon.ok("info", "vol")).contains("ACTIVE", "LIVE", "Number of targets: 1");
      daemon.ok("wait", "vol");
      assertThat(daemon.ok("status", "vol")).contains(" 2048/2048 0 ").endsWith(" rw\n");

      daemon.ok("suspend", "vol");
      assertThat(daemon.ok("info", "vol")).contains("State:             SUSPENDED");
      daemon.ok("reload", "vol", "--table", linear);
      assertThat(daemon.ok("table", "--inactive", "vol")).isEqualTo(linear + "\n");
      assertThat(daemon.ok("info", "vol")).contains("LIVE & INACTIVE");
      daemon.ok("resume", "vol");
      assertThat(daemon.ok("deps", "vol")).isEqualTo("1 dependencies\t: (" + disk + ")\n");

      daemon.ok("export", "vol", "--listen", daemon.listen("b"));
      daemon.ok("rename", "vol", "data");
      assertThat(daemon.ok("exports").lines()).hasSize(2).allMatch(line -> line.contains("data"));
      daemon.ok("unexport", "data", "--listen", daemon.listen("a"));
      daemon.stopAndStart();
      Images.assertSameContent(disk, golden);
      QemuIo.run(daemon.uri("data", "b"), "write -P 0x51 1M 1M", "flush", "read -P 0x51 1M 1M");
      daemon.ok("remove", "--retry", "data");
      assertThat(daemon.ok("ls")).isEqualTo("No devices found\n");
    }
  }

  @Test
  void aSnapshotIsTakenOfADeviceThatIsInUse() {
    Path store = Images.sparse(directory.resolve("store.cow"), 4 * MIB);
    try (DaemonConsole daemon = new DaemonConsole(directory)) {
      daemon.ok("create", "base", "--table", linear);
      String origin = "0 %d snapshot-origin oxbow:base".formatted(SECTORS);
      daemon.ok("create", "vol", "--table", origin, "--listen", daemon.listen("a"));
      QemuIo.run(daemon.uri("vol", "a"), "write -P 0x61 0 1M", "flush");
      String snapshot = "0 %d snapshot oxbow:base %s P 8".formatted(SECTORS, store);
      daemon.ok("create", "snap", "--table", snapshot, "--listen", daemon.listen("a"));
      QemuIo.run(daemon.uri("vol", "a"), "write -P 0x62 0 64k", "flush");
      QemuIo.run(daemon.uri("snap", "a"), "read -P 0x61 0 1M");
      daemon.refused("busy", "remove", "base");

      daemon.ok("load", "vol", "--table", snapshot.replace("snapshot", "snapshot-merge"));
      daemon.refused("until source is suspended", "resume", "vol");
      daemon.ok("suspend", "snap");
      daemon.ok("resume", "vol");
      daemon.ok("wait", "vol");
      assertThat(daemon.ok("status", "snap")).contains("Invalid");
      QemuIo.run(daemon.uri("vol", "a"), "read -P 0x61 0 1M");
      daemon.ok("remove", "--retry", "snap", "vol", "base");
    }
  }

  @Test
  void tablesComeFromFilesAndPipes() throws IOException {
    try (DaemonConsole daemon = new DaemonConsole(directory)) {
      String pieces = "0 8 zero\n8 8 error\n";
      Path file = Files.writeString(directory.resolve("odd.table"), "# two\n" + pieces);
      daemon.ok("create", "odd", file);
      Object[] fromPipe = {"create", "piped", "--control", daemon.control()};
      Proc.of(Tool.own("oxbow"), fromPipe).input(pieces).run().ok();
      assertThat(daemon.ok("table", "odd")).isEqualTo("0 8 zero \n8 8 error \n");
      assertThat(daemon.ok("table", "piped")).isEqualTo(daemon.ok("table", "odd"));
    }
  }

  @Test
  void whatCannotBeDoneIsSaidInOneLine() {
    try (DaemonConsole daemon = new DaemonConsole(directory)) {
      daemon.ok("create", "vol", "--table", linear, "--listen", daemon.listen("a"));
      daemon.ok("create", "empty", "--notable");
      daemon.refused("A device vol exists already", "create", "vol", "--table", linear);
      daemon.refused("Invalid name a/b", "create", "a/b", "--table", linear);
      daemon.refused("Gap in table", "create", "n", "--table", "0 8 zero\n9 8 zero");
      daemon.refused("Invalid format on line 1 of table", "create", "n", "--table", "0 zero");
      daemon.refused("nothing: unknown target type", "create", "n", "--table", "0 8 nothing");
      daemon.refused("no.img", "create", "n", "--table", "0 8 linear /no.img 0");
      daemon.refused("no.img: No such file", "create", "n", "--table", "0 8 linear no.img 0");
      daemon.refused("oxbow:nobody", "create", "n", "--table", "0 8 linear oxbow:nobody 0");
      daemon.refused("has no live table", "create", "n", "--table", "0 8 linear oxbow:empty 0");
      daemon.refused("lies on vol itself", "load", "vol", "--table", "0 8 linear oxbow:vol 0");
      daemon.refused("No table has been loaded", "resume", "empty");
      daemon.refused("Device not found", "suspend", "nobody");
      daemon.refused("Device not found", "remove", "nobody");
      daemon.refused("exists already", "rename", "vol", "empty");
      daemon.refused("not exported on", "unexport", "vol", "--listen", daemon.listen("b"));
      daemon.refused("exported there already", "export", "vol", "--listen", daemon.listen("a"));
      daemon.refused("cannot listen", "export", "vol", "--listen", "unix:/no/where.sock");
      daemon.refused("does not support messages", "message", "vol", 0, "hello");
      daemon.refused("outside device", "message", "vol", SECTORS, "hello");
      assertThat(daemon.ok("ls").lines()).hasSize(2);
      assertThat(daemon.ok("table", "vol")).isEqualTo(linear + "\n");
      for (List<String> wrong :
          List.of(
              List.of("create"),
              List.of("create", "n", "--tabel", "0 8 zero"),
              List.of("rename", "vol"),
              List.of("message", "vol"))) {
        Cli run = daemon.verb(wrong.toArray());
        assertThat(run.status()).as(wrong.toString()).isEqualTo(2);
        assertThat(run.errLines()).hasSizeBetween(1, 2);
        assertThat(run.err()).startsWith("oxbow: " + wrong.getFirst() + ": ");
      }
    }
  }

  private static String nbdinfo(String uri) {
    return Proc.of(Tool.require("nbdinfo", "libnbd-bin"), uri).run().ok().out();
  }
}
