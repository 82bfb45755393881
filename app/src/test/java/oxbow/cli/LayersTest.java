package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.device.file.FileOpener;
import oxbow.device.mem.MemDevice;
import oxbow.engine.WorkerDiskPool;
import oxbow.target.logwrites.LogReader;
import oxbow.target.logwrites.LogReplay;

/**
 * Aim: a device seen through targets for tests can be given wherever a device can. Method: clones
 * whose source, destination and metadata have such addresses.
 */
class LayersTest {
  private Path directory = Path.of("");
  private Path source = Path.of("");
  private Path destination = Path.of("");

  @BeforeEach
  void makeSource(@TempDir Path temporary) throws Exception {
    directory = temporary;
    source = directory.resolve("source.img");
    destination = directory.resolve("dest.img");
    byte[] data = new byte[1 << 20];
    new Random(3).nextBytes(data);
    Files.write(source, data);
  }

  private Cli clone(String sourceAddress, String destinationAddress, Object... more) {
    Object[] words = new Object[more.length + 4];
    words[0] = "clone";
    words[1] = sourceAddress;
    words[2] = destinationAddress;
    words[3] = "--no-serve";
    System.arraycopy(more, 0, words, 4, more.length);
    return Cli.run(words);
  }

  private static byte[] bytes(BlockDevice device) throws Exception {
    ByteBuffer bytes = ByteBuffer.allocate((int) device.sizeBytes());
    try (BlockingDevice io = new BlockingDevice(device)) {
      io.read(0, bytes);
    }
    return bytes.array();
  }

  @Test
  void sourceDestinationAndMetadataMayAllBeSeenThroughTargets() throws Exception {
    Path metadata = directory.resolve("meta");
    String address = "delay:1:flakey:1,0:" + destination;
    Cli made = clone("delay:2:" + source, address, "--metadata", "delay:0,1:" + metadata);
    assertThat(made.status()).as(made.err()).isZero();
    assertThat(Files.mismatch(source, destination)).isEqualTo(-1);
    assertThat(Cli.run("inspect", "--check", "delay:1:" + metadata).status()).isZero();
    assertThat(Cli.run("verify", "flakey:1,0:" + source, destination).status()).isZero();
    // The same command finds its own clone again.
    Cli again = clone("delay:2:" + source, address, "--metadata", "delay:0,1:" + metadata);
    assertThat(again.err()).contains("is a full copy already");
  }

  @Test
  void withoutAWordMetadataLiesBesideTheFileItself() {
    assertThat(clone(source.toString(), "delay:0:" + destination).status()).isZero();
    assertThat(directory.resolve("dest.img.meta")).exists();
  }

  @Test
  void aSourceThatFailsNowAndThenIsCopiedInTheEnd() throws Exception {
    Cli made = clone("flakey:0,1,probability,20,7:" + source, destination.toString());
    assertThat(made.status()).as(made.err()).isZero();
    assertThat(Files.mismatch(source, destination)).isEqualTo(-1);
  }

  @Test
  void whatFailsIsSaidWithItsAddress() {
    Cli failed = clone(source.toString(), destination + "", "--metadata", "error:4MiB");
    assertThat(failed.status()).isEqualTo(1);
    assertThat(failed.err()).contains("error:4MiB").contains("Input/output error");
    assertThat(destination).doesNotExist();
  }

  @Test
  void destinationAndMetadataMayShareOneLogFromWhichBothCanBeMadeAgain() throws Exception {
    Path log = directory.resolve("writes.log");
    Path metadata = directory.resolve("meta");
    String through = "log-writes:" + log + ":";
    Cli made = clone(source.toString(), through + destination, "--metadata", through + metadata);
    assertThat(made.status()).as(made.err()).isZero();

    MemDevice destinationCopy = new MemDevice(Files.size(destination));
    MemDevice metadataCopy = new MemDevice(Files.size(metadata));
    try (WorkerDiskPool disks = new WorkerDiskPool(1);
        BlockDevice file = new FileOpener(disks).openReadOnly(log, FileOpener.OddTail.DROP);
        BlockingDevice io = new BlockingDevice(file);
        BlockingDevice destinationIo = new BlockingDevice(destinationCopy);
        BlockingDevice metadataIo = new BlockingDevice(metadataCopy)) {
      LogReplay replay = new LogReplay(List.of(destinationIo, metadataIo));
      assertThat(replay.replayToMark(new LogReader(io), "dm-log-writes-end")).isTrue();
    }
    assertThat(bytes(destinationCopy)).isEqualTo(Files.readAllBytes(destination));
    assertThat(bytes(metadataCopy)).isEqualTo(Files.readAllBytes(metadata));
  }

  @Test
  void messagesReachTheTargetsBelowAndAHangDoesNotHoldUpTheEnd() throws Exception {
    String wavering = "flakey:1,0:delay:0:" + source;
    Object[] words = {"clone", wavering, destination, "--no-hydration", "--name", "c"};
    try (Programs.Running clone = Programs.start(Programs.oxbow(directory, words))) {
      String uri = clone.awaitOutput("ready ").substring("ready ".length());
      Path control = directory.resolve("oxbow/c.sock");
      Cli list = Cli.run("ls", "--control", control);
      assertThat(list.out()).contains("c-source\t").contains("c-source-2\t");
      say(control, "c-source", "fail");
      assertThat(Cli.run("verify", uri, source).err()).contains("Input/output error");
      say(control, "c-source", "heal");
      assertThat(Cli.run("verify", uri, source).status()).isZero();
      say(control, "c-source", "hang");
      try (Programs.Running reader =
          Programs.start(Programs.oxbow(directory, "verify", uri, source))) {
        awaitStatus(control, "c-source", "held");
        clone.signal("TERM");
        assertThat(clone.await()).as(clone.err()).isZero();
        assertThat(reader.await()).isEqualTo(1);
      }
    }
  }

  private static void say(Path control, String device, String word) {
    Cli said = Cli.run("message", device, "0", word, "--control", control);
    assertThat(said.status()).as(said.err()).isZero();
  }

  private static void awaitStatus(Path control, String device, String word) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Programs.PATIENCE_SECONDS);
    while (!Cli.run("status", device, "--control", control).out().contains(word)) {
      assertThat(System.nanoTime()).as("waiting for %s", word).isLessThan(end);
    }
  }

  @Test
  void anImageIsNotTakenForALog() throws Exception {
    byte[] before = Files.readAllBytes(source);
    Cli refused = clone("zero:1MiB", "log-writes:" + source + ":" + destination);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("holds data and is no write log");
    assertThat(source).hasBinaryContent(before);
  }

  @Test
  void oneFileUnderTwoAddressesIsOneDevice() {
    Cli refused = clone(source.toString(), "delay:1:" + source);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("SOURCE and DEST are the same device");
  }

  @Test
  void wrongWordsAreAWrongCommandLine() {
    Cli refused = clone("delay:soon:" + source, destination.toString());
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.err())
        .contains("oxbow: clone: delay:soon:" + source + ": Invalid delay: soon");
    assertThat(destination).doesNotExist();
  }
}
