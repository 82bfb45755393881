package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: a checkpoint is made, left and ended as a user's tools expect it. Method: {@code ./oxbow}
 * and the clients that others wrote; what they write to the device they write to a plain file too.
 */
class BowCommandIT {
  private static final int MIB = 1 << 20;

  /** What lies behind is trimmed. */
  private static final int USED = 12 * MIB;

  @TempDir Path directory;

  private Path disk = Path.of("");

  /** What the device was at the checkpoint, and what was written since as well. */
  private Path before = Path.of("");

  private Path model = Path.of("");
  private TestBow bow = new TestBow(Path.of(""), "");

  @BeforeEach
  void makeDisk() {
    disk = Images.random(directory.resolve("disk.img"), 0, 2 * USED, 3);
    before = directory.resolve("before.img");
    model = directory.resolve("model.img");
    bow = new TestBow(directory, disk);
  }

  @AfterEach
  void end() {
    bow.close();
  }

  /** Trims, begins, and writes in every way. */
  private void writeAfterACheckpoint(Object... options) throws IOException {
    bow.start(options);
    QemuIo.run(bow.uri(), "write -P 0x10 100 3", "discard " + USED + " " + USED);
    QemuIo.run("file:" + disk, "read -P 0x10 100 3");
    Files.copy(disk, before);
    Files.copy(disk, model);
    bow.checkpoint();
    same(
        "write -P 0x11 4096 8192",
        "write -P 0x12 1000000 333",
        "write -P 0x13 777 1",
        "write -P 0x14 4095 2",
        "write -P 0x15 5M 3M",
        "write -z 9M 64k",
        "write -P 0x16 0 5000",
        "write -P 0x17 20M 1M",
        "discard 5M 1M",
        "flush");
  }

  /** Discards of what is free or unchanged have no effect; so the model is not trimmed. */
  private void same(String... commands) {
    QemuIo.run(bow.uri(), commands);
    List<String> kept = new ArrayList<>(List.of(commands));
    kept.removeIf(command -> command.startsWith("discard "));
    QemuIo.run("file:" + model, kept.toArray(new String[0]));
    // What was written and then discarded may read as anything.
    QemuIo.run("file:" + model, "write -z 5M 1M");
    QemuIo.run(bow.uri(), "write -z 5M 1M");
  }

  private void assertUsedIsAs(Path expected) throws IOException {
    Images.assertSameContent(used(disk, "a.img"), used(expected, "b.img"));
  }

  private Path used(Path image, String name) throws IOException {
    Path part = directory.resolve(name);
    try (FileChannel from = FileChannel.open(image, StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(USED);
      while (bytes.hasRemaining() && from.read(bytes, bytes.position()) >= 0) {}
      Files.write(part, bytes.array());
    }
    return part;
  }

  @Test
  void whatWasWrittenIsTakenBackAfterAKill() throws IOException {
    writeAfterACheckpoint();
    assertThat(bow.figure("gainedBytes")).isEqualTo(USED);
    assertThat(bow.figure("logEntries")).isGreaterThan(5);
    bow.kill();
    assertThat(bow.restore()).contains("rolled back to the checkpoint");
    assertUsedIsAs(before);
    assertThat(bow.restore()).contains("nothing to do");
  }

  @Test
  void whatWasWrittenIsKeptAfterAKill() throws IOException {
    writeAfterACheckpoint("--block-size", 512);
    bow.kill();
    bow.commitOffline();
    assertUsedIsAs(model);
    QemuIo.run("file:" + disk, "read -P 0x17 20M 1M");
  }

  @Test
  void whatWasWrittenIsKeptByACommitWhileItIsServed() throws IOException {
    writeAfterACheckpoint("--block-size", "1KiB");
    bow.commit();
    same("write -P 0x21 3M 333");
    assertThat(bow.stop()).contains("stopped: the checkpoint is committed");
    assertUsedIsAs(model);
    assertThat(bow.restore()).contains("nothing to do");
  }

  @Test
  void aServerThatIsStoppedLeavesTheCheckpoint() throws IOException {
    writeAfterACheckpoint();
    assertThat(bow.stop()).contains("holds a checkpoint").contains("oxbow bow restore " + disk);
    assertThat(bow.refused("bow", disk)).contains("holds a checkpoint");
    bow.restore();
    assertUsedIsAs(before);
  }

  @Test
  void aFullDeviceDoesWhatThePolicySays() throws IOException {
    Path list = Files.writeString(directory.resolve("free.txt"), "12MiB 256KiB # room\n");
    String tooMuch = "write -P 0x31 1M 1M";
    Files.copy(disk, before);
    for (String policy : List.of("fail", "stop")) {
      bow.start("--free-list", list, "--when-full", policy);
      bow.checkpoint();
      String out = QemuIo.tried(bow.uri(), "write -P 0x30 4k 4k", tooMuch, "write -P 0x32 8k 4k");
      assertThat(out)
          .contains(
              "write failed: "
                  + (policy.equals("fail") ? "No space left on device" : "Input/output error"));
      boolean isLaterOneDone = out.contains("wrote 4096/4096 bytes at offset 8192");
      assertThat(isLaterOneDone).isEqualTo(policy.equals("fail"));
      bow.stop();
      bow.restore();
      assertUsedIsAs(before);
    }
    bow.start("--free-list", list, "--when-full", "commit");
    bow.checkpoint();
    QemuIo.run(bow.uri(), tooMuch, "read -P 0x31 1M 1M");
    assertThat(bow.state()).isEqualTo("2 committed");
    assertThat(bow.stop()).contains("no space for copies: the checkpoint is committed");
    QemuIo.run("file:" + disk, "read -P 0x31 1M 1M");
  }

  @Test
  @DisplayName("O33: what a file system does not use is room, as e2fsprogs counts it")
  void freeSpaceComesFromAFileSystem() throws IOException {
    Images.ext4(disk, 24);
    Files.copy(disk, before);
    // As large as those of the file system, so that none is left out for being a part.
    bow.start("--free-from-ext4", "--block-size", "1KiB");
    assertThat(bow.figure("gainedBytes")).isEqualTo(freeBytesByE2fsprogs());
    bow.checkpoint();
    // All over it: what is in use is saved, and the rest need not be.
    QemuIo.run(bow.uri(), "write -P 0x41 0 2M", "write -P 0x42 3M 333333", "write -P 0x43 9M 1M");
    bow.kill();
    bow.restore();
    Images.assertExt4IsClean(disk);
    for (String file : List.of("large-0", "large-1", "large-2", "small-7")) {
      assertThat(sha256Of(disk, file)).isEqualTo(sha256Of(before, file));
    }
  }

  private long freeBytesByE2fsprogs() {
    String out = Proc.of(Tool.require("dumpe2fs", "e2fsprogs"), "-h", disk).run().ok().out();
    return number("Free blocks", out) * number("Block size", out);
  }

  private static long number(String label, String text) {
    Matcher matcher = Pattern.compile("(?m)^" + label + ": +(\\d+)$").matcher(text);
    assertThat(matcher.find()).as(text).isTrue();
    return Long.parseLong(matcher.group(1));
  }

  private String sha256Of(Path image, String name) {
    Path file = directory.resolve("dumped");
    Proc.of(Tool.require("debugfs", "e2fsprogs"), "-R", "dump /" + name + " " + file, image)
        .run()
        .ok();
    return Images.sha256(file);
  }

  @Test
  @DisplayName("O33: a file system with a journal to replay, or with errors, is refused")
  void aFileSystemThatCannotBeBelievedIsRefused() {
    for (String change : List.of("feature needs_recovery", "ssv state 2")) {
      Images.ext4(disk, 24);
      Proc.of(Tool.require("debugfs", "e2fsprogs"), "-w", "-R", change, disk).run().ok();
      String sha256 = Images.sha256(disk);
      assertThat(bow.refused("bow", disk, "--free-from-ext4"))
          .contains("oxbow: bow: --free-from-ext4: " + disk + ": ")
          .contains("Nothing was changed.");
      assertThat(Images.sha256(disk)).isEqualTo(sha256);
    }
  }

  @Test
  void aServerThatTakesNoWritesOrNoSectorsIsRefused() {
    try (Server readOnly =
        Server.nbdkit(directory.resolve("ro.sock"), "-r", "file", disk.toString())) {
      assertThat(bow.refused("bow", readOnly.uri())).contains("the device is read-only");
    }
    Path socket = directory.resolve("4k.sock");
    try (Server coarse =
        Server.nbdkit(
            socket,
            "--filter=blocksize-policy",
            "file",
            disk,
            "blocksize-minimum=4096",
            "blocksize-preferred=4096")) {
      assertThat(bow.refused("bow", coarse.uri())).contains("takes only blocks of 4096 bytes");
    }
  }
}
