package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: the clients people have use a snapshot and its origin at the same time without complaint.
 * Method: each client works on both exports; what it did it does to plain files too, or checks
 * itself; at the end the origin's image alone, and merged, is what clients wrote.
 */
class SnapshotStrangersIT {
  private static final int SIZE_MIB = 32;
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private Path origin = Path.of("");
  private Path before = Path.of("");
  private TestSnapshot snapshot = new TestSnapshot(Path.of(""), "");

  @BeforeEach
  void serveBoth() throws IOException {
    origin = Images.ext4(directory.resolve("origin.img"), SIZE_MIB);
    before = Files.copy(origin, directory.resolve("before.img"));
    snapshot = new TestSnapshot(directory, origin);
    snapshot.create(3L * SIZE_MIB * MIB, "--chunk-size", "8KiB");
  }

  @AfterEach
  void end() {
    snapshot.close();
  }

  @Test
  void nbdinfoSeesWhatTheServersOfferAndTruthfulMaps() throws IOException {
    QemuIo.run(snapshot.uri(), "write -z 1M 2M", "write -P 0x71 20M 64k");
    QemuIo.run(snapshot.originUri(), "write -P 0x72 0 3M", "discard 4M 1M", "write -z 6M 1M");
    for (String uri : List.of(snapshot.uri(), snapshot.originUri())) {
      Path nbdinfo = Tool.require("nbdinfo", "libnbd-bin");
      JsonNode export = json(Proc.of(nbdinfo, "--json", uri)).path("exports").path(0);
      assertThat(export.path("export-size").asLong()).isEqualTo(SIZE_MIB * (long) MIB);
      for (String can : List.of("flush", "fua", "multi_conn", "zero", "df")) {
        assertThat(export.path("can_" + can).asBoolean()).as("can_%s: %s", can, export).isTrue();
      }
      // Without features a snapshot takes no discards (D1).
      assertThat(export.path("can_trim").asBoolean()).isEqualTo(uri.equals(snapshot.originUri()));
      assertThat(export.path("is_read_only").asBoolean(true)).isFalse();
      Path copy = directory.resolve("copy.img");
      nbdcopy(uri, copy);
      assertIsTruthful(json(Proc.of(nbdinfo, "--map=base:allocation", "--json", uri)), copy);
      Files.delete(copy);
    }
    snapshot.stop();
  }

  /** All is covered, what is said to be zero is, and the empty half is not hidden. */
  private static void assertIsTruthful(JsonNode map, Path content) {
    long next = 0;
    long zeroBytes = 0;
    for (JsonNode extent : map) {
      long offset = extent.path("offset").asLong();
      long length = extent.path("length").asLong();
      assertThat(offset).isEqualTo(next);
      next = offset + length;
      if ((extent.path("type").asInt() & 2) != 0) {
        assertThat(Images.isZero(content, offset, length)).as("zeros at %s", extent).isTrue();
        zeroBytes += length;
      }
    }
    assertThat(next).isEqualTo(SIZE_MIB * (long) MIB);
    assertThat(zeroBytes).isGreaterThan(SIZE_MIB * (long) MIB / 3);
  }

  @Test
  void nbdcopyTakesABackupOfTheSnapshotWhileAnotherFillsTheOrigin() throws Exception {
    Path other = Images.sparse(directory.resolve("other.img"), SIZE_MIB * (long) MIB);
    Images.random(other, 3 * MIB + 512, 12 * MIB, 77);
    Images.random(other, SIZE_MIB * MIB - 5000L, 5000, 78);
    Path backup = directory.resolve("backup.img");
    Path nbdcopy = Tool.require("nbdcopy", "libnbd-bin");

    Process filling =
        new ProcessBuilder(nbdcopy.toString(), "--flush", other.toString(), snapshot.originUri())
            .inheritIO()
            .start();
    Proc.of(nbdcopy, "--connections=4", snapshot.uri(), backup).run().ok();
    assertThat(filling.waitFor()).isZero();

    Images.assertSameContent(backup, before);
    snapshot.kill();
    Images.assertSameContent(origin, other);
    snapshot.start();
    assertServes(snapshot.uri(), before);
    snapshot.stop();
    snapshot.merge();
    Images.assertSameContent(origin, before);
  }

  @Test
  void qemuImgConvertsAndComparesBoth() {
    Path qemuImg = Tool.require("qemu-img", "qemu-utils");
    Path copy = directory.resolve("copy.qcow2");
    Path other = Images.random(directory.resolve("other.img"), 0, SIZE_MIB * MIB, 79);

    Proc.of(qemuImg, "convert", "-n", "-f", "raw", "-O", "raw", other, snapshot.originUri())
        .run()
        .ok();
    Proc.of(qemuImg, "convert", "-f", "raw", "-O", "qcow2", snapshot.uri(), copy).run().ok();
    Proc.of(qemuImg, "compare", "-f", "qcow2", "-F", "raw", copy, before).run().ok();
    Proc.of(qemuImg, "compare", "-f", "raw", "-F", "raw", snapshot.uri(), before).run().ok();
    Proc.of(qemuImg, "compare", "-f", "raw", "-F", "raw", snapshot.originUri(), other).run().ok();

    snapshot.stop();
    Images.assertSameContent(origin, other);
  }

  @Test
  void qemuIoWritesZeroesAndFlushesBothAtAnyAlignment() throws IOException {
    Path ofSnapshot = Files.copy(before, directory.resolve("snapshot-model.img"));
    Path ofOrigin = Files.copy(before, directory.resolve("origin-model.img"));
    QemuIo.same(
        snapshot.uri(),
        ofSnapshot,
        "write -P 0x11 1000001 77777",
        "write -f -P 0x13 8k 4k",
        "write -P 0x14 8191 2",
        "write -z 5000000 333333",
        "write -P 0x15 33554431 1",
        "aio_write -P 0x17 20M 64k",
        "aio_write -P 0x18 21234567 65537",
        "aio_flush");
    QemuIo.same(
        snapshot.originUri(),
        ofOrigin,
        "write -P 0x21 1050000 77777",
        "write -P 0x22 3145728 1048576",
        "write -z -u 6M 1M",
        "discard 10M 2M",
        "write -P 0x23 10500000 5000",
        "write -P 0x24 33554430 2",
        "aio_write -P 0x25 20M 1M",
        "aio_write -P 0x26 0 9000",
        "aio_flush");
    assertServes(snapshot.uri(), ofSnapshot);
    assertServes(snapshot.originUri(), ofOrigin);

    // All of it was flushed, so a crash takes nothing away.
    snapshot.kill();
    Images.assertSameContent(origin, ofOrigin);
    snapshot.start();
    assertServes(snapshot.uri(), ofSnapshot);
    snapshot.stop();
    snapshot.merge();
    Images.assertSameContent(origin, ofSnapshot);
  }

  @Test
  void fioVerifiesRandomReadsAndWritesOfBothAtTheSameTime() throws Exception {
    Path fio = Tool.require("fio", "fio");
    List<String> command = new ArrayList<>(List.of(fio.toString()));
    command.addAll(fioWords(1, "--ioengine=nbd", "--uri=" + snapshot.originUri()));
    Path ofOrigin = directory.resolve("fio-of-origin.txt");
    Process onOrigin =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ofOrigin.toFile())
            .start();
    fio(fio, 2, "--ioengine=nbd", "--uri=" + snapshot.uri());
    assertThat(onOrigin.waitFor()).as(Files.readString(ofOrigin)).isZero();

    snapshot.kill();
    fio(fio, 1, "--ioengine=psync", "--filename=" + origin, "--verify_only");
    snapshot.start();
    fio(fio, 2, "--ioengine=nbd", "--uri=" + snapshot.uri(), "--verify_only");
    Path copy = directory.resolve("copy.img");
    nbdcopy(snapshot.uri(), copy);
    Proc.of("cmp", "-n", 4 * MIB, before, copy).run().ok();
    Proc.of("cmp", "-i", 20 * MIB, before, copy).run().ok();
    snapshot.stop();
    snapshot.merge();
    fio(fio, 2, "--ioengine=psync", "--filename=" + origin, "--verify_only");
  }

  private void fio(Path fio, int seed, String... more) {
    Proc.of(fio, fioWords(seed, more).toArray()).in(directory).run().ok();
  }

  /** Two jobs, each with its connection, on 8 MiB each behind the first 4 MiB. */
  private static List<String> fioWords(int seed, String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "--name=of-" + seed,
                "--rw=randrw",
                "--rwmixwrite=60",
                "--bsrange=512-32k",
                "--iodepth=16",
                "--numjobs=2",
                "--offset=4M",
                "--offset_increment=8M",
                "--size=8M",
                "--randseed=" + seed,
                "--end_fsync=1",
                "--verify=crc32c",
                "--verify_fatal=1"));
    words.addAll(List.of(more));
    return words;
  }

  private static void nbdcopy(String uri, Path to) {
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), uri, to).run().ok();
  }

  private void assertServes(String uri, Path expected) throws IOException {
    Path copy = directory.resolve("served.img");
    nbdcopy(uri, copy);
    Images.assertSameContent(copy, expected);
    Files.delete(copy);
  }

  private static JsonNode json(Proc proc) throws IOException {
    return new ObjectMapper().readTree(proc.run().ok().out());
  }
}
