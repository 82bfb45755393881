package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.block.Sectors;
import oxbow.golden.SnapshotFixture;

/**
 * Aim: stores go back and forth between a real kernel and us, whoever left them and however.
 * Method: the golden stores through {@code oxbow snapshot}; stores of ours through the kernel's
 * targets; the contents are told apart by their sums.
 */
class SnapshotKernelIT {
  private static final int MIB = 1 << 20;
  private static final int SIZE_BYTES = 8 * MIB;
  private static final int CHUNK_SECTORS = 8;

  /** Writes to a snapshot and to its origin, and says what the snapshot shows then. */
  private static final String GO_ON =
      """
      set -e
      length=$(blockdev --getsz /dev/disk/origin)
      dmsetup create snap --table "0 $length snapshot /dev/disk/origin /dev/disk/store P 8"
      dmsetup create origin --table "0 $length snapshot-origin /dev/disk/origin"
      dd if=/dev/urandom of=/dev/mapper/snap bs=4096 seek=1000 count=300 conv=fsync 2>/dev/null
      dd if=/dev/urandom of=/dev/mapper/origin bs=4096 seek=1200 count=300 conv=fsync 2>/dev/null
      dmsetup status snap
      sha256sum /dev/mapper/snap
      dmsetup remove origin
      dmsetup remove snap
      """;

  /** Says what several stores show, all of them of one origin. */
  private static final String LOOK =
      """
      set -e
      length=$(blockdev --getsz /dev/disk/origin)
      for store in "$@"; do
        dmsetup create snap --table "0 $length snapshot /dev/disk/origin /dev/disk/$store P 8"
        dmsetup status snap
        dmsetup table snap | cut -d ' ' -f 7
        sha256sum /dev/mapper/snap | cut -d ' ' -f 1
        dmsetup remove snap
      done
      """;

  /** Merges until so many sectors of the store are left, and says what the device shows then. */
  private static final String MERGE =
      """
      set -e
      length=$(blockdev --getsz /dev/disk/origin)
      slow=$2
      dmsetup create slow --table "0 $length delay /dev/disk/origin 0 0 /dev/disk/origin 0 $slow"
      dmsetup create merge --table "0 $length snapshot-merge /dev/mapper/slow /dev/disk/store P 8"
      left() { set -- $(dmsetup status merge); echo $((${4%/*} - $5)); }
      while [ "$(left)" -gt "$1" ]; do usleep 20000; done
      sha256sum /dev/mapper/merge
      dmsetup remove --retry merge
      """;

  @TempDir Path directory;

  private Path origin = Path.of("");
  private TestSnapshot snapshot = new TestSnapshot(Path.of(""), "");

  @BeforeEach
  void makeOrigin() {
    origin = directory.resolve("origin.img");
    snapshot = new TestSnapshot(directory, origin);
  }

  @AfterEach
  void end() {
    snapshot.close();
  }

  /** How a process of ours ends before the kernel takes over. */
  enum End {
    STOPPED,
    KILLED
  }

  static Stream<SnapshotFixture> goldenStores() {
    return SnapshotFixture.all();
  }

  @ParameterizedTest
  @MethodSource("goldenStores")
  void aStoreMadeByTheKernelReadsAsTheKernelReadsIt(SnapshotFixture golden) throws IOException {
    JsonNode expected = expected(golden.name());
    restore(golden.name(), expected, "origin", origin);
    restore(golden.name(), expected, golden.store(), snapshot.store());
    if (!golden.isValid()) {
      Proc.Result refused =
          Proc.of(Tool.own("oxbow"), "snapshot", origin, snapshot.store()).run().status(1);
      assertThat(refused.err()).contains("the snapshot is invalid");
      return;
    }
    snapshot.startWithoutOrigin();
    assertThat(snapshot.statusLine()).isEqualTo(golden.statusLine());
    assertThat(snapshot.sha256Served(snapshot.uri())).isEqualTo(content(expected, golden.store()));
    snapshot.stop();
  }

  /** The sum of what the kernel read; "null" of a snapshot that is lost. */
  private static String content(JsonNode expected, String store) {
    for (JsonNode each : expected.path("stores")) {
      if (each.path("cow").asText().equals(store)) {
        return each.path("snapshot_sha256").asText();
      }
    }
    throw new AssertionError("no store " + store + " in " + expected);
  }

  @Test
  void theKernelFindsNothingInAFreshStoreOfAnyChunkSize() {
    Images.random(Images.sparse(origin, 4 * MIB), MIB, MIB, 1);
    List<Integer> sizes = List.of(1, 8, 32, 1024);
    List<Oracle.Disk> disks = new ArrayList<>(List.of(new Oracle.Disk("origin", origin, true)));
    List<Object> names = new ArrayList<>();
    List<String> expected = new ArrayList<>();
    for (int sectors : sizes) {
      Path home = directory.resolve("chunks-of-" + sectors);
      assertThat(home.toFile().mkdir()).isTrue();
      try (TestSnapshot fresh = new TestSnapshot(home, origin)) {
        fresh.create(8 * MIB, "--chunk-size", Sectors.toBytes(sectors));
        fresh.stop();
        disks.add(Oracle.Disk.of("store" + sectors, fresh.store()));
      }
      names.add("store" + sectors);
      expected.add("0 8192 snapshot %1$d/16384 %1$d".formatted(2 * sectors));
      expected.add(Integer.toString(sectors));
      expected.add(Images.sha256(origin));
    }

    List<String> seen = Oracle.run(disks, LOOK, names.toArray()).ok().out().lines().toList();

    assertThat(seen).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"STOPPED, 8", "KILLED, 1"})
  @DisplayName("O20 to O24: the kernel agrees with what we left, goes on, and so do we")
  void theKernelAgreesWithWhatWeLeftAndGoesOnAndSoDoWe(End end, int chunkSectors) {
    Images.random(Images.sparse(origin, SIZE_BYTES), 0, SIZE_BYTES - MIB, 1);
    String served = leave(end, chunkSectors);
    int areaExceptions = (int) Sectors.toBytes(chunkSectors) / 16;
    assertThat(snapshot.exceptions()).isGreaterThan(2 * areaExceptions);
    assertTheKernelAgrees(served);

    List<String> byKernel = Oracle.run(disks(), GO_ON).ok().out().lines().toList();
    snapshot.assertStoreIsSound();
    String content = byKernel.getLast().split(" ", -1)[0];
    assertThat(content).isNotEqualTo(served);
    snapshot.start();
    assertThat(snapshot.statusLine()).isEqualTo(byKernel.getFirst());
    assertThat(snapshot.sha256Served(snapshot.uri())).isEqualTo(content);
    snapshot.stop();
    snapshot.merge();
    assertThat(Images.sha256(origin)).isEqualTo(content);
  }

  /** Uses snapshot and origin for a while and ends; what the snapshot showed, all of it flushed. */
  private String leave(End end, int chunkSectors) {
    snapshot.create(4L * SIZE_BYTES, "--chunk-size", Sectors.toBytes(chunkSectors));
    QemuIo.run(snapshot.uri(), "write -P 0x31 512k 1M", "write -P 0x32 5000000 777", "flush");
    QemuIo.run(
        snapshot.originUri(),
        "write -P 0x33 1M 1536k",
        "write -P 0x34 4500001 5",
        "write -z 6M 512k",
        "flush");
    QemuIo.run(snapshot.uri(), "write -P 0x35 2M 100k", "write -z 3584k 64k", "flush");
    String served = snapshot.sha256Served(snapshot.uri());
    switch (end) {
      case STOPPED -> snapshot.stop();
      case KILLED -> snapshot.kill();
    }
    return served;
  }

  private void assertTheKernelAgrees(String content) {
    JsonNode judged = Oracle.inspectSnapshot(origin, snapshot.store());
    assertThat(judged.path("disagreements").isArray()).as("%s", judged).isTrue();
    assertThat(judged.path("disagreements")).as("%s", judged).isEmpty();
    assertThat(judged.path("sha256").asText()).isEqualTo(content);
  }

  @Test
  @DisplayName("M1, M7: a merge that one began the other goes on with, and both find all of it")
  void aMergeThatOneBeganTheOtherGoesOnWith() {
    Images.random(Images.sparse(origin, SIZE_BYTES), 0, SIZE_BYTES, 1);
    int exceptions = 300;
    String content = leaveExceptionsApart(exceptions);

    String byKernel = Oracle.run(disks(), MERGE, 250 * CHUNK_SECTORS, 5).ok().out();
    assertThat(byKernel).startsWith(content);
    snapshot.assertStoreIsSound();
    int leftByKernel = snapshot.exceptions();
    assertThat(leftByKernel).isBetween(1, 250);

    Server merge = snapshot.startMerge("delay:0,30:");
    assertThat(snapshot.sha256Served(merge.uri())).isEqualTo(content);
    long begun = snapshot.usedSectors();
    await(() -> snapshot.usedSectors() < begun);
    snapshot.kill();
    assertThat(snapshot.exceptions()).isBetween(1, leftByKernel - 1);
    assertTheKernelAgrees(content);

    // Half merged, the store is a snapshot's like any other.
    snapshot.start();
    assertThat(snapshot.sha256Served(snapshot.uri())).isEqualTo(content);
    QemuIo.run(snapshot.uri(), "write -P 0x41 6M 1M", "flush");
    String changed = snapshot.sha256Served(snapshot.uri());
    snapshot.kill();

    assertThat(Oracle.run(disks(), MERGE, 0, 0).ok().out()).startsWith(changed);
    assertThat(Images.sha256(origin)).isEqualTo(changed);
    assertThat(snapshot.assertStoreIsSound().path("nr_exceptions").asInt(-1)).isZero();
  }

  /** Each exception is a run of its own, so that merging them takes as many steps. */
  private String leaveExceptionsApart(int count) {
    snapshot.create(4L * SIZE_BYTES, "--chunk-size", Sectors.toBytes(CHUNK_SECTORS));
    String[] writes = new String[count + 1];
    for (int i = 0; i < count; i++) {
      writes[i] = "write -P %d %dk 4k".formatted(1 + i % 250, 8 * i);
    }
    writes[count] = "flush";
    QemuIo.run(snapshot.uri(), writes);
    String content = snapshot.sha256Served(snapshot.uri());
    snapshot.stop();
    assertThat(snapshot.exceptions()).isEqualTo(count);
    return content;
  }

  /** Looks again and again: each look is a process, which takes its time. */
  private static void await(BooleanSupplier isTrue) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!isTrue.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
    }
  }

  private List<Oracle.Disk> disks() {
    return List.of(Oracle.Disk.of("origin", origin), Oracle.Disk.of("store", snapshot.store()));
  }

  private static JsonNode expected(String name) throws IOException {
    try (InputStream in = resource(name, "expected.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static InputStream resource(String name, String file) {
    InputStream in =
        SnapshotFixture.class.getResourceAsStream("/golden/snapshot/" + name + "/" + file);
    if (in == null) {
      throw new AssertionError("no golden file " + name + "/" + file);
    }
    return in;
  }

  /** Unpacks an image; the zeros at its end are not stored. */
  private static void restore(String name, JsonNode expected, String image, Path to)
      throws IOException {
    JsonNode file = expected.path("files").path(image);
    try (InputStream in = new GZIPInputStream(resource(name, file.path("file").asText()))) {
      Files.copy(in, to);
    }
    Images.sparse(to, file.path("length").asLong());
  }
}
