package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.device.mem.MemDevice;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.nbd.server.Export;
import oxbow.nbd.server.ExportLimits;
import oxbow.nbd.server.NbdServer;
import oxbow.nbd.server.ServerOptions;

/**
 * Aim: whatever is wrong with a clone is said in one clear line, and nothing is created or changed
 * (O11, O12). Method: the real command in a directory whose content is compared before and after.
 */
class CloneRefusalTest {
  private static final int SIZE_BYTES = 1 << 20;

  private Path directory = Path.of("");
  private Path source = Path.of("");
  private Path destination = Path.of("");
  private Path metadata = Path.of("");

  @BeforeEach
  void makeSource(@TempDir Path temporary) throws Exception {
    directory = temporary;
    source = directory.resolve("source.img");
    destination = directory.resolve("dest.img");
    metadata = directory.resolve("dest.img.meta");
    writePattern(source, SIZE_BYTES);
  }

  @Test
  void aSourceThatIsNotThere() throws Exception {
    refuse(
        1, "Error opening source device: .*nothing.img: No such file or directory", "nothing.img");
  }

  @Test
  void aSourceThatIsADirectory() throws Exception {
    Path sub = Files.createDirectory(directory.resolve("sub"));
    assertRefused(1, "sub: neither a regular file nor a block device", clone(sub, destination));
  }

  @Test
  void aSourceThatMayNotBeRead() throws Exception {
    Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("---------"));
    ProcessBuilder builder =
        Programs.bound(Programs.oxbow(directory, "clone", source, destination, "--no-serve"));
    try (Programs.Running program = Programs.start(builder)) {
      assertThat(program.await()).as(program.err()).isEqualTo(1);
      assertThat(program.err()).startsWith("oxbow: clone: ").contains("Permission denied\n");
    }
    assertThat(destination).doesNotExist();
    assertThat(metadata).doesNotExist();
  }

  @Test
  void anEmptySource() throws Exception {
    Path empty = Files.createFile(directory.resolve("empty.img"));
    assertRefused(1, "empty.img: the source is empty", clone(empty, destination));
  }

  @Test
  void anAddressThatDoesNotAnswer() throws Exception {
    String nowhere = "nbd+unix:///disk?socket=" + directory.resolve("none.sock");
    assertRefused(1, "Error opening source device: .*none.sock", clone(nowhere, destination));
  }

  @Test
  void addressesThatAreNotSpokenYetOrNotAtAll() throws Exception {
    assertRefused(
        2, "https: addresses come with a later release", clone("https://a/b", destination));
    assertRefused(2, "a later release", clone("oxbow:vol1", destination));
    assertRefused(2, "mem:12x", clone("mem:12x", destination));
  }

  @Test
  void timesThatAreNone() throws Exception {
    assertRefused(
        2,
        "source-hold.*\"soon\" is neither a time",
        clone(source, destination, "--source-hold", "soon"));
    assertRefused(
        2,
        "source-timeout.*the time must be above 0",
        clone(source, destination, "--source-timeout", "0"));
  }

  @Test
  void aDestinationThatIsTooSmall() throws Exception {
    sparse(destination, SIZE_BYTES - 4096);
    assertRefused(
        1,
        "Device size larger than destination device: .* 1044480 bytes, .* 1048576",
        clone(source, destination));
  }

  @Test
  void aDestinationThatHoldsDataAndHasNoMetadata() throws Exception {
    writePattern(destination, SIZE_BYTES);
    List<String> lines = assertRefused(1, "holds data", clone(source, destination));
    assertThat(lines.get(1)).contains("swapped").contains("--force");
  }

  @Test
  void aDestinationWithoutADirectory() throws Exception {
    assertRefused(
        1, "No such file or directory", clone(source, directory.resolve("no/such/dest.img")));
  }

  @Test
  void aDestinationThatIsADirectory() throws Exception {
    Path sub = Files.createDirectory(directory.resolve("sub"));
    assertRefused(1, "Is a directory", clone(source, sub));
  }

  @Test
  void aDestinationThatCannotBeWritten() throws Exception {
    Path socket = directory.resolve("nbd.sock");
    try (WorkerDiskPool disks = new WorkerDiskPool(1);
        Engine engine = new Engine(1, disks);
        NbdServer server = new NbdServer(engine, ServerOptions.DEFAULT)) {
      MemDevice device = new MemDevice(SIZE_BYTES);
      server.add(new Export("disk", "", device, true, true, ExportLimits.UNLIMITED));
      server.listen(UnixDomainSocketAddress.of(socket));
      String uri = "nbd+unix:///disk?socket=" + socket;
      assertRefused(1, "the destination is read-only", clone(source, uri, "--metadata", metadata));
    }
  }

  @Test
  void oneDeviceInTwoRoles() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link.img"), source);
    assertRefused(1, "SOURCE and DEST are the same device", clone(source, source));
    assertRefused(1, "SOURCE and DEST are the same device", clone(source, link));
    assertRefused(
        1,
        "DEST and the metadata are the same",
        clone(source, destination, "--metadata", directory.resolve("./dest.img")));
    assertRefused(
        1,
        "SOURCE and the metadata are the same",
        clone(source, destination, "--metadata", source, "--force"));
  }

  @Test
  @DisplayName("C4: region sizes in device-mapper's words, with the value and what is allowed")
  void regionSizesThatAreNone() throws Exception {
    String allowed = "\\(powers of 2 from 4096 to 1073741824 are allowed\\)";
    assertRefused(
        2,
        "Invalid region size: 3000 bytes " + allowed,
        clone(source, destination, "--region-size", 3000));
    assertRefused(
        2,
        "Region size is not a power of 2: 12288 bytes " + allowed,
        clone(source, destination, "--region-size", "12KiB"));
    assertRefused(2, "Invalid region size", clone(source, destination, "--region-size", "2GiB"));
    assertRefused(2, "is not a size", clone(source, destination, "--region-size", "big"));
  }

  @Test
  @DisplayName("O12: an explicit region size that makes too many regions is refused")
  void tooManyRegions() throws Exception {
    assertRefused(
        1,
        "Too many regions. Consider increasing the region size: 4294967296 regions of 4KiB",
        clone("zero:16TiB", destination, "--region-size", "4KiB"));
  }

  @Test
  void metadataOfACloneOfAnotherSize() throws Exception {
    makeClone();
    Path larger = directory.resolve("larger.img");
    writePattern(larger, 2 * SIZE_BYTES);
    Path smaller = directory.resolve("smaller.img");
    writePattern(smaller, SIZE_BYTES / 2);
    assertRefused(1, "larger than destination device", clone(larger, destination));
    String sentence = "Region and/or target size don't match the ones in metadata";
    List<String> lines = assertRefused(1, sentence, clone(smaller, destination));
    assertThat(lines.getFirst()).contains("1024").contains("2048");
    assertRefused(1, sentence, clone(source, destination, "--region-size", "64KiB"));
  }

  @Test
  void metadataWithoutItsDestination() throws Exception {
    makeClone();
    Files.delete(destination);
    assertRefused(1, "dest.img does not exist, but its metadata does", clone(source, destination));
  }

  @Test
  void metadataWithAFlippedBitIsRefusedEvenWithForce() throws Exception {
    makeClone();
    try (RandomAccessFile file = new RandomAccessFile(metadata.toFile(), "rw")) {
      file.seek(180);
      int before = file.read();
      file.seek(180);
      file.write(before ^ 4);
    }
    List<String> lines =
        assertRefused(1, "Superblock check failed: checksum", clone(source, destination));
    assertThat(lines.get(1)).contains("oxbow inspect --check");
    assertRefused(1, "Superblock check failed", clone(source, destination, "--force"));
  }

  @Test
  void foreignDataWhereMetadataShouldGo() throws Exception {
    writePattern(metadata, SIZE_BYTES);
    assertRefused(1, "no clone metadata, but", clone(source, destination));
  }

  @Test
  @DisplayName("O11: zeros at the beginning do not prove a file empty")
  void foreignDataBehindZeros() throws Exception {
    sparse(metadata, 4 << 20);
    try (RandomAccessFile file = new RandomAccessFile(metadata.toFile(), "rw")) {
      file.seek(70_000);
      file.write("precious".getBytes(StandardCharsets.US_ASCII));
    }
    assertRefused(1, "no clone metadata, but", clone(source, destination));
  }

  @Test
  void metadataThatIsTooSmall() throws Exception {
    sparse(metadata, 8192);
    assertRefused(1, "too small", clone(source, destination));
  }

  @Test
  void optionsThatContradictEachOther() throws Exception {
    assertRefused(
        2, "contradict", clone(source, destination, "--no-serve", "--listen", "tcp:localhost:0"));
    assertRefused(2, "unix:PATH or tcp", clone(source, destination, "--listen", "localhost"));
    assertRefused(2, "port", clone(source, destination, "--listen", "tcp:localhost:http"));
    assertRefused(2, "--name", clone(source, destination, "--name", "../x"));
    assertRefused(2, "threshold", clone(source, destination, "--hydration-threshold", -1));
    assertRefused(
        2, "threshold", clone(source, destination, "--hydration-threshold", "4294967296"));
    assertRefused(2, "--metadata is missing", clone(source, "mem:1MiB"));
  }

  @Test
  void anAddressToListenOnThatIsTaken() throws Exception {
    Path taken = Files.writeString(directory.resolve("taken"), "precious");
    assertRefused(
        1,
        "listen: .*taken: exists and is not a socket",
        clone(source, destination, "--listen", "unix:" + taken));
    assertRefused(
        1, "other machines could connect", clone(source, destination, "--listen", "tcp:0.0.0.0:0"));
  }

  @Test
  void aControlSocketThatIsTaken() throws Exception {
    Path taken = Files.writeString(directory.resolve("taken"), "precious");
    assertRefused(
        1,
        "control socket .*taken is in use",
        List.of("clone", source, destination, "--no-serve", "--control", taken));
  }

  @Test
  @DisplayName("O11: a source that a clone writes to, or a destination in use, is locked")
  void aDestinationThatIsInUse() throws Exception {
    makeClone();
    ProcessBuilder holder =
        Programs.oxbow(directory, "clone", source, destination, "--no-hydration");
    try (Programs.Running running = Programs.start(holder)) {
      running.awaitOutput("ready ");
      Snapshot before = Snapshot.of(directory);
      Cli second = run(clone(source, destination));
      assertThat(second.status()).isEqualTo(1);
      assertThat(second.errLines().getFirst()).contains("dest.img: in use by another process");
      Cli asSource = run(clone(destination, directory.resolve("other.img")));
      assertThat(asSource.errLines().getFirst()).contains("in use by another process");
      assertThat(Snapshot.of(directory)).isEqualTo(before);
    }
  }

  private void makeClone() {
    Cli made = run(clone(source, destination));
    assertThat(made.err()).contains("is a full copy");
    assertThat(made.status()).isZero();
  }

  private void refuse(int status, String why, String sourceName) throws Exception {
    assertRefused(status, why, clone(directory.resolve(sourceName), destination));
  }

  /** The words of a clone that would end by itself if it were not refused. */
  private List<Object> clone(Object from, Object to, Object... options) {
    List<Object> words = new ArrayList<>(List.of("clone", from, to));
    words.addAll(List.of(options));
    boolean isListening = words.contains("--listen");
    words.add(isListening ? "--until-hydrated" : "--no-serve");
    words.addAll(List.of("--control", directory.resolve("control.sock")));
    return words;
  }

  private static Cli run(List<?> words) {
    return Cli.run(words.toArray());
  }

  private List<String> assertRefused(int status, String why, List<?> words) throws Exception {
    Snapshot before = Snapshot.of(directory);
    Cli refused = run(words);
    assertThat(refused.err()).containsPattern("(?m)^oxbow: clone: .*" + why);
    assertThat(refused.status()).isEqualTo(status);
    assertThat(refused.out()).isEmpty();
    List<String> lines =
        refused.errLines().stream().filter(line -> !line.startsWith("warning: ")).toList();
    assertThat(lines).hasSizeBetween(1, 2);
    assertThat(lines.stream().skip(1)).allMatch(line -> line.startsWith("  "));
    assertThat(Snapshot.of(directory)).isEqualTo(before);
    return lines;
  }

  private static void writePattern(Path path, int sizeBytes) throws Exception {
    byte[] bytes = new byte[sizeBytes];
    new Random(7).nextBytes(bytes);
    Files.write(path, bytes);
  }

  private static void sparse(Path path, long sizeBytes) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(sizeBytes);
    }
  }
}
