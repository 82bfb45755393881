package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.console.Json;

/** Aim: all commands behave alike where they can. Method: one battery for every command. */
class CommandBatteryTest {
  /** Words that make each command complete; a device is where "DEVICE" stands. */
  private static final Map<String, List<String>> COMPLETE =
      Map.ofEntries(
          Map.entry("clone", List.of("DEVICE", "dest.img", "--no-serve")),
          Map.entry("snapshot", List.of("DEVICE", "store.cow", "--create", "1MiB")),
          Map.entry("merge", List.of("DEVICE", "store.cow")),
          Map.entry("inspect", List.of("DEVICE")),
          Map.entry("verify", List.of("DEVICE", "DEVICE")),
          Map.entry("bow", List.of("restore", "DEVICE")),
          Map.entry("demo", List.of()),
          Map.entry("daemon", List.of()),
          Map.entry("create", List.of("NAME", "--notable")),
          Map.entry("import", List.of("table.txt")),
          Map.entry("remove", List.of("NAME")),
          Map.entry("suspend", List.of("NAME")),
          Map.entry("load", List.of("NAME", "table.txt")),
          Map.entry("resume", List.of("NAME")),
          Map.entry("clear", List.of("NAME")),
          Map.entry("rename", List.of("NAME", "NEW")),
          Map.entry("export", List.of("NAME")),
          Map.entry("unexport", List.of("NAME")),
          Map.entry("exports", List.of()),
          Map.entry("events", List.of()),
          Map.entry("targets", List.of()),
          Map.entry("completion", List.of("bash")),
          Map.entry("man", List.of()),
          Map.entry("ls", List.of()),
          Map.entry("info", List.of("NAME")),
          Map.entry("deps", List.of("NAME")),
          Map.entry("table", List.of("NAME")),
          Map.entry("status", List.of("NAME")),
          Map.entry("message", List.of("NAME", "0", "word")),
          Map.entry("wait", List.of("NAME")),
          Map.entry("version", List.of()));

  @TempDir Path directory;

  static Set<String> commands() {
    return new TreeSet<>(COMPLETE.keySet());
  }

  @Test
  void theBatteryKnowsEveryCommand() {
    assertThat(
            Cli.run("help")
                .out()
                .lines()
                .dropWhile(line -> !line.equals("Commands:"))
                .takeWhile(line -> !line.equals("Examples:"))
                .filter(line -> line.matches("  [a-z]+(, [a-z]+)* .*")))
        .allSatisfy(
            line -> {
              String name = line.strip().split("[ ,]", 2)[0];
              assertThat(name.equals("help") || COMPLETE.containsKey(name)).as(name).isTrue();
            })
        .hasSize(COMPLETE.size() + 1);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void helpIsOnStandardOutput(String command) {
    for (Cli help :
        List.of(Cli.run(command, "--help"), Cli.run("help", command), Cli.run(command, "-h"))) {
      assertThat(help.status()).isZero();
      assertThat(help.err()).isEmpty();
      assertThat(help.out()).startsWith("Usage: oxbow " + command);
      assertThat(help.out()).containsPattern("(?s)\nExamples?:.*\n  .*\\boxbow " + command);
      assertThat(help.out().lines()).allMatch(line -> line.length() <= 100);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"checkpoint", "commit", "restore", "state"})
  void theHelpOfBowsCommandsHasExamples(String command) {
    assertThat(Cli.run("help", "bow", command).out())
        .containsPattern("\nExamples?:\n  oxbow bow " + command);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void anUnknownOptionIsAWrongCommandLine(String command) throws Exception {
    assertWrong(command, words(command, "some.img", "--frobnicate"), "Unknown option");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "clone",
        "snapshot",
        "merge",
        "inspect",
        "verify",
        "create",
        "import",
        "remove",
        "suspend",
        "load",
        "resume",
        "clear",
        "rename",
        "export",
        "unexport",
        "message",
        "wait"
      })
  void aMissingArgumentIsAWrongCommandLine(String command) throws Exception {
    assertWrong(command, List.of(command), "Missing required parameter");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "clone",
        "snapshot",
        "merge",
        "inspect",
        "verify",
        "demo",
        "ls",
        "info",
        "version",
        "wait"
      })
  void oneArgumentTooManyIsAWrongCommandLine(String command) throws Exception {
    List<Object> words = words(command, "some.img");
    words.addAll(List.of("1", "2", "3"));
    assertWrong(command, words, "");
  }

  @ParameterizedTest
  @ValueSource(strings = {"clone", "snapshot", "merge", "inspect", "verify"})
  void aDeviceThatCannotBeOpenedIsOneLine(String command) throws Exception {
    Path sub = Files.createDirectory(directory.resolve("sub"));
    assertFails(command, directory.resolve("none.img"), "No such file or directory");
    assertFails(command, sub, "neither a regular file nor a block device");
    Path secret = Files.write(directory.resolve("secret.img"), new byte[4096]);
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
    if (!Files.isReadable(secret)) {
      assertFails(command, secret, "Permission denied");
    }
    assertFails(command, "nbd+unix:///x?socket=" + directory.resolve("none.sock"), "none.sock");
  }

  @ParameterizedTest
  @ValueSource(strings = {"clone", "snapshot", "merge", "inspect", "verify"})
  void anAddressThatIsNoneIsAWrongCommandLine(String command) throws Exception {
    assertWrong(command, words(command, "mem:many"), "mem:many");
    assertWrong(command, words(command, "s3://bucket/key"), "later release");
    assertWrong(command, words(command, "nbd:host"), "nbd:host");
  }

  @ParameterizedTest
  @ValueSource(strings = {"info", "deps", "table", "status", "message", "wait"})
  void aDeviceThatNobodyServesIsNotFound(String command) throws Exception {
    List<Object> words = words(command, "-");
    words.addAll(List.of("--control", directory.resolve("none.sock")));
    Cli failed = Cli.run(words.toArray());
    assertThat(failed.status()).isEqualTo(1);
    assertThat(failed.errLines().getFirst())
        .isEqualTo("oxbow: " + command + " NAME: Device not found");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "create",
        "remove",
        "suspend",
        "resume",
        "clear",
        "rename",
        "export",
        "unexport",
        "exports",
        "events"
      })
  void withoutADaemonAVerbSaysSo(String command) {
    List<Object> words = words(command, "-");
    words.addAll(List.of("--control", directory.resolve("none.sock")));
    Cli failed = Cli.run(words.toArray());
    assertThat(failed.status()).isEqualTo(1);
    assertThat(failed.errLines().getFirst())
        .startsWith("oxbow: " + command)
        .endsWith(": No daemon is running");
  }

  @Test
  void anUnknownCommandIsToldTheNearestOnes() {
    Cli typo = Cli.run("clon", "a", "b");
    assertThat(typo.status()).isEqualTo(2);
    assertThat(typo.errLines())
        .containsExactly("oxbow: clon: Unknown command", "  Did you mean clone?");
    Cli far = Cli.run("frobnicate", "a", "b");
    assertThat(far.status()).isEqualTo(2);
    assertThat(far.errLines().getFirst()).isEqualTo("oxbow: frobnicate: Unknown command");
    assertThat(Cli.run().status()).isEqualTo(2);
    assertThat(Cli.run("--nonsense").status()).isEqualTo(2);
  }

  @Test
  void anOptionWithATypoIsToldTheNearestOne() {
    Cli typo = Cli.run("clone", "a", "b", "--region-siz", "4KiB");
    assertThat(typo.status()).isEqualTo(2);
    assertThat(typo.err()).contains("--region-size");
  }

  @Test
  void aValueThatMayBeLeftOutIsNotTheWordBehindTheOption() {
    Path store = directory.resolve("store.cow");
    for (Object[] words :
        new Object[][] {
          {"snapshot", "--grow", directory.resolve("1"), store},
          {"snapshot", "--grow=1MiB", directory.resolve("1"), store},
          {"snapshot", directory.resolve("1"), store, "--grow"}
        }) {
      assertThat(Cli.run(words).err())
          .startsWith("oxbow: snapshot: Error opening origin device: " + directory.resolve("1"));
    }
    assertThat(Cli.run("snapshot", "a", "b", "--grow=many").status()).isEqualTo(2);
  }

  @Test
  void onlyDebugShowsWhereAnErrorCameFrom() {
    Path none = directory.resolve("none.img");
    assertThat(Cli.run("inspect", none).err()).doesNotContain("\tat ");
    assertThat(Cli.run("inspect", none, "--debug").err()).contains("\tat oxbow.");
  }

  @Test
  void theVersionIsJsonIfAsked() throws Exception {
    assertThat(Json.object(Cli.run("version", "--json").out())).containsKeys("version", "java");
  }

  private List<Object> words(String command, Object device, String... more) {
    List<Object> words = new ArrayList<>(List.of(command));
    for (String word : COMPLETE.getOrDefault(command, List.of())) {
      words.add(
          switch (word) {
            case "DEVICE" -> device;
            case "dest.img", "store.cow" -> directory.resolve(word);
            default -> word;
          });
    }
    words.addAll(List.of(more));
    return words;
  }

  private void assertFails(String command, Object device, String why) throws Exception {
    assertOneLine(1, command, words(command, device), why);
  }

  private void assertWrong(String command, List<Object> words, String why) throws Exception {
    assertOneLine(2, command, words, why);
  }

  private void assertOneLine(int status, String command, List<Object> words, String why)
      throws Exception {
    Snapshot before = Snapshot.of(directory);
    Cli failed = Cli.run(words.toArray());
    assertThat(failed.out()).isEmpty();
    assertThat(failed.errLines()).hasSizeBetween(1, 2);
    assertThat(failed.errLines().getFirst()).startsWith("oxbow: " + command).contains(why);
    assertThat(failed.status()).isEqualTo(status);
    assertThat(Snapshot.of(directory)).isEqualTo(before);
  }
}
