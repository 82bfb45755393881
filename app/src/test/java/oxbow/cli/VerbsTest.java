package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.console.Json;
import oxbow.control.ControlServer;
import oxbow.control.DeviceRegistry;
import oxbow.control.ScriptedDevice;
import oxbow.control.Verbs;

/**
 * Aim: what dmsetup prints, Oxbow prints. Method: the real commands over a real control socket, in
 * front of a scripted device.
 */
class VerbsTest {
  @TempDir Path directory;
  private final ScriptedDevice device = new ScriptedDevice("c");
  private ControlServer server;
  private Path control;

  @BeforeEach
  void listen() throws Exception {
    DeviceRegistry registry = new DeviceRegistry();
    registry.add(device);
    control = directory.resolve("control.sock");
    server = ControlServer.listen(control, new Verbs(registry).routes(), fault -> {});
  }

  @AfterEach
  void close() throws Exception {
    server.close();
  }

  @Test
  void statusAndTableAreDeviceMapperLines() {
    assertThat(ask("status", "c").out()).isEqualTo("0 16384 clone 8 6/1024 8 2/2048 0 0 4 rw\n");
    assertThat(ask("status", "--noflush", "c").out()).contains(" 8 0/2048 ");
    assertThat(ask("table", "c").out())
        .isEqualTo("0 16384 clone meta dest source 8 1 no_hydration\n");
    assertThat(ask("table").out()).startsWith("c: 0 16384 clone ");
  }

  @Test
  void infoIsTheLabelledBlock() {
    device.raiseEvent();
    assertThat(ask("info", "c").out())
        .isEqualTo(
            """
            Name:              c
            State:             ACTIVE
            Read Ahead:        0
            Tables present:    LIVE
            Open count:        2
            Event number:      1
            Major, minor:      nbd+unix:///c?socket=/run/c
            Number of targets: 1

            """);
  }

  @Test
  void infoInColumnsTakesFieldsAndLeavesHeadingsOut() {
    assertThat(ask("info", "-c", "--noheadings", "-o", "events", "c").out()).isEqualTo("0\n");
    assertThat(ask("info", "-c", "c").out().lines())
        .containsExactly(
            "Name Address                     Stat Open Targ Event",
            "c    nbd+unix:///c?socket=/run/c L--w 2    1    0");
    assertThat(ask("info", "-c", "-o", "colour", "c").status()).isEqualTo(2);
  }

  @Test
  void depsAndLsShowAddressesWhereTheKernelShowsNumbers() {
    assertThat(ask("deps", "c").out()).isEqualTo("3 dependencies\t: (source) (dest) (meta)\n");
    assertThat(ask("ls").out()).isEqualTo("c\t(nbd+unix:///c?socket=/run/c)\n");
  }

  @Test
  void messageTakesItsWordsApartOrTogether() {
    assertThat(ask("message", "c", "0", "hydration_threshold", "4").out())
        .isEqualTo("0 hydration_threshold|4\n");
    assertThat(ask("message", "c", "5", "hydration_threshold 4").out())
        .isEqualTo("5 hydration_threshold|4\n");
    Cli outside = ask("message", "c", "16384", "disable_hydration");
    assertThat(outside.status()).isEqualTo(1);
    assertThat(outside.errLines())
        .containsExactly("oxbow: message c: Target message sector outside device.");
    assertThat(ask("message", "c", "0").status()).isEqualTo(2);
    assertThat(ask("message", "c", "first", "x").status()).isEqualTo(2);
  }

  @Test
  void waitReturnsAtOnceWhenTheEventHasPassed() {
    device.raiseEvent();
    assertThat(ask("wait", "c", "0")).isEqualTo(new Cli(0, "", ""));
    assertThat(ask("wait", "c")).isEqualTo(new Cli(0, "", ""));
  }

  @Test
  void everyVerbSpeaksJson() throws Exception {
    device.raiseEvent();
    assertThat(Json.object(ask("status", "--json", "c").out()).toString())
        .contains("totalRegions=2048", "target=clone", "length=16384");
    assertThat(Json.object(ask("info", "--json", "c").out())).containsEntry("openCount", 2L);
    assertThat(Json.object(ask("ls", "--json").out())).containsEntry("name", "c");
    assertThat(Json.object(ask("deps", "--json", "c").out())).containsKey("dependencies");
    assertThat(Json.object(ask("table", "--json", "c").out())).containsKey("targets");
    assertThat(Json.object(ask("wait", "--json", "c").out())).containsEntry("eventNumber", 1L);
    assertThat(Json.object(ask("message", "--json", "c", "0", "x").out()))
        .containsEntry("reply", "0 x");
  }

  @Test
  void aDeviceThatIsNotThereIsOneLineAndAHint() {
    Cli unknown = ask("status", "other");
    assertThat(unknown.status()).isEqualTo(1);
    assertThat(unknown.errLines()).containsExactly("oxbow: status other: Device not found");
    Cli silent = Cli.run("status", "c", "--control", directory.resolve("none.sock"));
    assertThat(silent.status()).isEqualTo(1);
    assertThat(silent.errLines().getFirst()).isEqualTo("oxbow: status c: Device not found");
    assertThat(silent.errLines()).hasSize(2);
  }

  private Cli ask(Object... words) {
    Object[] all = new Object[words.length + 2];
    System.arraycopy(words, 0, all, 0, words.length);
    all[words.length] = "--control";
    all[words.length + 1] = control;
    return Cli.run(all);
  }
}
