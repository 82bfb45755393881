package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: what others have written down becomes devices. Method: the command, and a daemon that is a
 * process of its own.
 */
@Timeout(120)
class ImportTest {
  @TempDir Path directory;
  private Path control;

  @BeforeEach
  void nameTheSocket() {
    control = directory.resolve("control.sock");
  }

  @Test
  void bothKindsBecomeDevicesAndWhatIsRefusedIsTold() throws Exception {
    Path clonetab =
        write(
            "clonetab",
            "vol %s %s %s region-size=8K\nbad %s\n"
                .formatted(image("src"), image("dst"), image("meta"), image("src")));
    String vol =
        "vol: 0 16384 clone %s %s %s 16"
            .formatted(image("meta"), image("dst"), directory.resolve("src"));
    Path tables =
        write("tables", "above: 0 8 linear 254:0 8\nmy base: 0 16384 linear 7:1 0\nno: 0 8 odd\n");
    Object[] map = {"--map", "254:0=oxbow:my_base", "--map", "7:1=" + image("base")};
    try (Programs.Running daemon = daemon()) {
      Cli first = run("import", clonetab);
      assertThat(first.out().lines()).containsExactly(vol);
      assertThat(first.errLines())
          .containsExactly(
              "oxbow: import: line 2: bad: NAME SOURCE DESTINATION METADATA [OPTIONS] is expected,"
                  + " not 2 fields");
      assertThat(first.status()).isEqualTo(1);

      Cli second = run("import", tables, map[0], map[1], map[2], map[3]);
      assertThat(second.out().lines())
          .containsExactly(
              "my_base: 0 16384 linear " + image("base") + " 0",
              "above: 0 8 linear oxbow:my_base 8");
      assertThat(second.errLines()).hasSize(2);
      assertThat(second.errLines().getFirst())
          .isEqualTo("oxbow: import: \"my base\" is called my_base here");
      assertThat(second.errLines().getLast()).startsWith("oxbow: import: no: ");
      assertThat(second.status()).isEqualTo(1);

      assertThat(run("table").out().lines())
          .containsExactly(
              "above: 0 8 linear oxbow:my_base 8",
              "my_base: 0 16384 linear " + image("base") + " 0",
              vol);
      assertThat(run("import", clonetab).errLines().getLast())
          .isEqualTo("oxbow: import: vol: A device vol exists already");
      daemon.signal("TERM");
      assertThat(daemon.await()).isZero();
    }
  }

  @Test
  void aDryRunNeedsNoDaemonAndShowsTheTables() throws Exception {
    Path clonetab = write("clonetab", "vol " + image("src") + " /dst /meta\n");
    Cli shown = run("import", "--dry-run", clonetab);
    assertThat(shown)
        .isEqualTo(new Cli(0, "vol: 0 16384 clone /meta /dst " + image("src") + " 8\n", ""));
    assertThat(run("import", "--dry-run", "--json", clonetab).out())
        .startsWith("{")
        .contains("\"name\":\"vol\"", "\"table\":[\"0 16384 clone");
    assertThat(run("import", clonetab).errLines().getFirst())
        .isEqualTo("oxbow: import: No daemon is running");
  }

  @Test
  void theKindCanBeSaid() throws Exception {
    Path text = write("text", "1 2 a b\n");
    assertThat(run("import", "--dry-run", "--name", "x", text).out()).isEqualTo("x: 1 2 a b\n");
    Cli clonetab = run("import", "--dry-run", "--format", "clonetab", text);
    assertThat(clonetab.status()).isEqualTo(1);
    assertThat(clonetab.errLines().getFirst()).startsWith("oxbow: import: line 1: 1: ");
    assertThat(run("import", "--format", "fstab", text).status()).isEqualTo(2);
    assertThat(run("import", "--map", "1:1=mem:x", text).status()).isEqualTo(2);
    assertThat(run("import", directory.resolve("none")).errLines())
        .containsExactly(
            "oxbow: import: " + directory.resolve("none") + ": No such file or directory");
  }

  private Programs.Running daemon() throws IOException {
    Programs.Running daemon =
        Programs.start(
            Programs.oxbow(
                directory, "daemon", "--state", directory.resolve("state"), "--control", control));
    daemon.awaitOutput("ready http+unix:");
    return daemon;
  }

  /** A sparse file of 8 MiB. */
  private Path image(String name) throws IOException {
    return Stores.sparse(directory.resolve(name), 8 << 20);
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), text);
  }

  private Cli run(Object... words) {
    Object[] all = new Object[words.length + 2];
    System.arraycopy(words, 0, all, 0, words.length);
    all[words.length] = "--control";
    all[words.length + 1] = control;
    return Cli.run(all);
  }
}
