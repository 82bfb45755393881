package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: whatever is wrong with a device to be served, or with what is said of its free space, is
 * said in one clear line, and nothing is changed. Method: the real command in a directory whose
 * content is compared before and after.
 */
class BowRefusalTest {
  private static final int SIZE_BYTES = 1 << 20;

  private Path directory = Path.of("");
  private Path disk = Path.of("");
  private Refusals refusals = new Refusals(Path.of(""), "");

  @BeforeEach
  void makeDisk(@TempDir Path temporary) throws Exception {
    directory = temporary;
    disk = random("disk.img", SIZE_BYTES);
    refusals = new Refusals(directory, "bow");
  }

  private Path random(String name, int sizeBytes) throws Exception {
    byte[] bytes = new byte[sizeBytes];
    new Random(7).nextBytes(bytes);
    return Files.write(directory.resolve(name), bytes);
  }

  @Test
  void aDeviceThatCannotBeUsed() throws Exception {
    refusals.check(
        1,
        "Error opening device: .*none.img: No such file or directory",
        directory.resolve("none.img"));
    Path empty = Files.createFile(directory.resolve("empty.img"));
    refusals.check(1, "empty.img: the device is empty", empty);
    refusals.check(2, "mem:many", "mem:many");
  }

  @Test
  void aDeviceThatMayNotBeWritten() throws Exception {
    Files.setPosixFilePermissions(disk, PosixFilePermissions.fromString("r--r--r--"));
    ProcessBuilder builder = Programs.bound(Programs.oxbow(directory, "bow", disk));
    try (Programs.Running program = Programs.start(builder)) {
      assertThat(program.await()).as(program.err()).isEqualTo(1);
      assertThat(program.err())
          .startsWith("oxbow: bow: Error opening device: ")
          .contains("Permission denied\n");
    }
  }

  @Test
  void aDeviceThatHoldsACheckpointIsToldBothWaysOut() throws Exception {
    Path device = Checkpoints.of(4096).write(directory.resolve("old.img"));
    for (Object address : List.of(device, "delay:1:" + device)) {
      List<String> lines = refusals.check(1, "old.img: holds a checkpoint", address);
      assertThat(lines.getFirst())
          .contains("oxbow bow restore " + device)
          .contains("oxbow bow commit --offline " + device);
    }
    Checkpoints.of(4096).rollingBack().write(device);
    refusals.check(1, "old.img: is being rolled back", device);
    byte[] foreign = new byte[8192];
    System.arraycopy(new byte[] {0, 'W', 'O', 'B'}, 0, foreign, 0, 4);
    refusals.checkContent(1, "big-endian log, unsupported", Files.write(device, foreign));
  }

  @Test
  @DisplayName("O32: a size that is no whole number of blocks")
  void aSizeThatIsNoWholeNumberOfBlocks() throws Exception {
    Path odd = random("odd.img", SIZE_BYTES + 1024);
    List<String> lines =
        refusals.check(1, "odd.img: 1049600 bytes are no whole number of blocks of 4KiB", odd);
    assertThat(lines.get(1)).contains("Blocks of 1024 would fit: --block-size");
    refusals.check(1, "no whole number of blocks of 2KiB", odd, "--block-size", 2048);
    Path ragged = random("ragged.img", SIZE_BYTES + 7);
    lines = refusals.check(1, "1048583 bytes are no whole", ragged, "--block-size", "512");
    assertThat(lines.get(1).strip()).isEqualTo("Nothing was changed.");
  }

  @Test
  void optionsThatAreWrong() throws Exception {
    refusals.check(2, "--block-size 1000: powers of 2", disk, "--block-size", 1000);
    refusals.check(2, "--block-size 8192: powers of 2", disk, "--block-size", "8KiB");
    refusals.check(2, "--warn-at 0: 1 to 99", disk, "--warn-at", 0);
    refusals.check(2, "--warn-at 100: 1 to 99", disk, "--warn-at", 100);
    refusals.check(2, "--listen localhost: unix:PATH or tcp", disk, "--listen", "localhost");
    refusals.check(2, "--name ../x: letters", disk, "--name", "../x");
    Cli policy = Cli.run("bow", disk, "--when-full", "panic");
    assertThat(policy.status()).isEqualTo(2);
    assertThat(policy.err()).contains("'panic' is not fail, commit or stop");
    Cli nothing = Cli.run("bow");
    assertThat(nothing.status()).isEqualTo(2);
    assertThat(nothing.errLines())
        .containsExactly(
            "oxbow: bow: Missing required parameter: DEVICE, or one of the commands",
            "  See: oxbow help bow");
  }

  @Test
  void aListThatCannotBeMeant() throws Exception {
    Path list = directory.resolve("free.txt");
    refusals.check(
        1, "--free-list: .*free.txt: No such file or directory", disk, "--free-list", list);
    Files.writeString(list, "# free\n4096 4096\n0 4096\n");
    List<String> lines =
        refusals.check(
            1, "--free-list: .*free.txt, line 3: .*the log will be", disk, "--free-list", list);
    assertThat(lines.get(1).strip()).isEqualTo("Nothing was changed.");
    Files.writeString(list, "4096 1MiB\n");
    refusals.check(
        1, "free.txt, line 1: .*past the end of a device of 1048576", disk, "--free-list", list);
    Files.write(list, new byte[] {(byte) 0xff, (byte) 0xfe, 7, '\n'});
    refusals.check(1, "free.txt, line 1: ", disk, "--free-list", list);
    refusals.check(1, "--free-list: ", disk, "--free-list", directory);
  }

  @Test
  @DisplayName("O33: a file system that cannot be believed")
  void aFileSystemThatCannotBeBelieved() throws Exception {
    List<String> lines =
        refusals.check(1, "--free-from-ext4: .*disk.img: ", disk, "--free-from-ext4");
    assertThat(lines.get(1)).contains("Without --free-from-ext4");
  }

  @Test
  void anAddressToListenOnThatIsTaken() throws Exception {
    Path taken = Files.writeString(directory.resolve("taken"), "precious");
    List<String> lines =
        refusals.checkContent(
            1, "taken: exists and is not a socket", disk, "--listen", "unix:" + taken);
    assertThat(lines.get(1)).contains("--listen chooses another address");
    refusals.check(1, "control socket .*taken is in use", disk, "--control", taken);
  }

  @Test
  void aDeviceThatIsInUse() throws Exception {
    ProcessBuilder words = Programs.oxbow(directory, "bow", disk);
    try (Programs.Running running = Programs.start(words)) {
      running.awaitOutput("ready ");
      refusals.check(1, "disk.img: in use by another process", disk);
      for (List<Object> way :
          List.<List<Object>>of(
              List.of("bow", "restore", disk), List.of("bow", "commit", "--offline", disk))) {
        Cli other = Cli.run(way.toArray());
        assertThat(other.status()).isEqualTo(1);
        assertThat(other.err()).contains("disk.img: in use by another process");
      }
    }
  }

  @Test
  void aDeviceThatNobodyServes() {
    Object[] control = {"--control", directory.resolve("none.sock")};
    for (String word : List.of("checkpoint", "commit", "state")) {
      Cli failed = Cli.run("bow", word, "NAME", control[0], control[1]);
      assertThat(failed.status()).isEqualTo(1);
      assertThat(failed.errLines().getFirst())
          .isEqualTo("oxbow: bow " + word + " NAME: Device not found");
    }
    Cli path = Cli.run("bow", "commit", disk);
    assertThat(path.status()).isEqualTo(1);
    assertThat(path.errLines())
        .containsExactly(
            "oxbow: bow commit " + disk + ": Device not found",
            "  To commit a device that no process serves: oxbow bow commit --offline " + disk);
    assertThat(Cli.run("bow", "commit", "NAME", "--yes").status()).isEqualTo(2);
    assertThat(Cli.run("bow", "commit", "--offline", disk, control[0], control[1]).status())
        .isEqualTo(2);
  }
}
