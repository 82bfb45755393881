package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.block.Sectors;
import oxbow.golden.CloneFixture;

/**
 * Aim: whole clones, data and metadata, pass between the kernel and us in both directions at any
 * moment. Method: golden clones are read and finished over NBD; clones that we left in the middle
 * are judged and gone on with by a real kernel.
 */
class CloneKernelIT {
  private static final int MIB = 1 << 20;
  private static final int SIZE_BYTES = 32 * MIB;

  /** The seed of the pattern that fills the sources of the golden clones. */
  private static final long SOURCE_SEED = 83;

  /** Where a pattern has its seed in each word. */
  private static final int SEED_SHIFT = 40;

  /** Goes on hydrating from a slow source until half is done, with a write of its own. */
  private static final String GO_ON =
      """
      set -e
      length=$(blockdev --getsz /dev/disk/source)
      dmsetup create slow --table "0 $length delay /dev/disk/source 0 4"
      dmsetup create c --table "0 $length clone /dev/disk/meta /dev/disk/dest /dev/mapper/slow \
        8 0 4 hydration_threshold 8 hydration_batch_size 4"
      dmsetup status c
      echo 'written by the kernel' >sector
      dd if=sector of=/dev/mapper/c bs=512 seek=60001 conv=sync,fsync 2>/dev/null
      hydrated() { dmsetup status c | cut -d ' ' -f 7 | cut -d / -f 1; }
      while [ "$(hydrated)" -lt "$1" ]; do usleep 50000; done
      dmsetup message c 0 disable_hydration
      dmsetup status c
      dmsetup remove c
      """;

  @TempDir Path directory;

  /** How a process of ours ends before the kernel takes over. */
  enum End {
    STOPPED,
    KILLED
  }

  static Stream<String> goldenClones() {
    return CloneFixture.NAMES.stream().filter(name -> golden(name).has("dest"));
  }

  @ParameterizedTest
  @MethodSource("goldenClones")
  void aCloneMadeByTheKernelReadsAsTheKernelReadsItAndCanBeFinished(String name)
      throws IOException {
    JsonNode expected = expected(name);
    Path source = directory.resolve("source.img");
    writePattern(source, expected.path("files").path("source").path("length").asLong());
    try (TestClone clone = new TestClone(directory, source)) {
      restore(name, "meta", clone.metadata());
      restore(name, "dest", clone.destination());
      String content = expected.path("sha256").path("clone").asText();

      clone.start("--no-hydration");
      assertThat(sha256Served(clone)).isEqualTo(content);
      assertThat(clone.hydratedRegions()).isEqualTo(expected.path("hydrated_count").asLong());
      clone.stop();
      clone.finish();

      assertThat(Images.sha256(clone.destination())).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void theKernelAgreesWithWhatWeLeftAndGoesOnAndSoDoWe(End end) throws IOException {
    Path source = Images.sparse(directory.resolve("source.img"), SIZE_BYTES);
    Images.random(source, 0, 10 * MIB, 1);
    Images.random(source, 12 * MIB + 700, 20 * MIB - 700, 2);
    try (TestClone clone = new TestClone(directory, source)) {
      clone.start("--rate", "1MiB");
      writeHereAndThere(clone);
      String served = sha256Served(clone);
      clone.assertIsHydrating();
      switch (end) {
        case STOPPED -> clone.stop();
        case KILLED -> clone.kill();
      }
      clone.assertIsUnfinished();

      JsonNode judged = Oracle.inspectClone(clone.metadata(), clone.destination(), source);
      assertThat(judged.path("disagreements").isArray()).as("%s", judged).isTrue();
      assertThat(judged.path("disagreements")).as("%s", judged).isEmpty();
      assertThat(judged.path("sha256").asText()).isEqualTo(served);

      long byUs = judged.path("hydrated_count").asLong();
      long byKernel = letTheKernelGoOn(clone, source, byUs + 2000);
      clone.assertMetadataIsSound();
      clone.assertIsUnfinished();

      clone.start("--no-hydration");
      assertThat(clone.hydratedRegions()).isEqualTo(byKernel);
      String afterKernel = sha256Served(clone);
      assertThat(afterKernel).isNotEqualTo(served);
      clone.stop();
      clone.finish();
      assertThat(Images.sha256(clone.destination())).isEqualTo(afterKernel);
      assertThat(Files.readString(written(clone))).startsWith("written by the kernel\n");
    }
  }

  /** All that there is: overwrites, parts of regions, zeroings, discards; and all is flushed. */
  private static void writeHereAndThere(TestClone clone) {
    Proc.of(
            Tool.require("qemu-io", "qemu-utils"),
            "-f",
            "raw",
            "--discard=unmap",
            "-c",
            "write -P 0x21 30M 64k",
            "-c",
            "write -P 0x22 26000123 5000",
            "-c",
            "write -z 28M 100k",
            "-c",
            "discard 29M 512k",
            "-c",
            "write -P 0x23 31M 4096",
            "-c",
            "flush",
            clone.uri())
        .run()
        .ok();
  }

  /** Returns the number of regions that are hydrated when the kernel has left. */
  private static long letTheKernelGoOn(TestClone clone, Path source, long untilRegions) {
    List<Oracle.Disk> disks =
        List.of(
            Oracle.Disk.of("meta", clone.metadata()),
            Oracle.Disk.of("dest", clone.destination()),
            new Oracle.Disk("source", source, true));
    List<String> status = Oracle.run(disks, GO_ON, untilRegions).ok().out().lines().toList();
    assertThat(status).hasSize(2).allMatch(line -> line.endsWith(" rw"));
    String hydrated = status.getLast().split(" ", -1)[6];
    return Long.parseLong(hydrated.substring(0, hydrated.indexOf('/')));
  }

  /** The sector that the kernel wrote, alone in a file. */
  private Path written(TestClone clone) {
    Path sector = directory.resolve("sector");
    Proc.of("dd", "if=" + clone.destination(), "of=" + sector, "bs=512", "skip=60001", "count=1")
        .run()
        .ok();
    return sector;
  }

  /**
   * The example of the kernel's documentation: no hydration, mount, fstrim, then hydrate and wait
   * for the event. What the file system does not use is not copied.
   */
  @Test
  void trimmedSpaceIsNotCopiedAndDestAloneIsTheFileSystem() throws IOException {
    Path source = Images.ext4(directory.resolve("source.img"), 32);
    try (TestClone clone = new TestClone(directory, source)) {
      clone.start("--no-hydration");
      String script =
          """
          set -e
          mount /dev/nbd0 /mnt
          rm /mnt/large-0 /mnt/large-2
          sync
          fstrim /mnt
          umount /mnt
          """;
      Oracle.machine(List.of(clone.export()), script).ok();

      clone.verb("message", clone.name(), 0, "enable_hydration");
      clone.verb("wait", clone.name());
      assertThat(clone.status().path("done").asBoolean()).isTrue();
      clone.stop();

      Images.assertExt4IsClean(clone.destination());
      assertThat(Images.allocatedBytes(clone.destination()))
          .isLessThan(Images.allocatedBytes(source) - 5 * MIB);
      Path kept = directory.resolve("kept");
      Proc.of(
              Tool.require("debugfs", "e2fsprogs"),
              "-R",
              "dump /large-1 " + kept,
              clone.destination())
          .run()
          .ok();
      Images.assertSameContent(kept, Images.random(directory.resolve("large-1"), 0, 3 * MIB, 1));
    }
  }

  private String sha256Served(TestClone clone) throws IOException {
    Path copy = directory.resolve("served.img");
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), clone.uri(), copy).run().ok();
    String sha256 = Images.sha256(copy);
    Files.delete(copy);
    return sha256;
  }

  private static JsonNode golden(String name) {
    try {
      return expected(name).path("files");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static JsonNode expected(String name) throws IOException {
    try (InputStream in = resource(name, "expected.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static InputStream resource(String name, String file) {
    InputStream in = CloneFixture.class.getResourceAsStream("/golden/clone/" + name + "/" + file);
    if (in == null) {
      throw new AssertionError("no golden file " + name + "/" + file);
    }
    return in;
  }

  /** Unpacks an image; the zeros at its end are not stored. */
  private static void restore(String name, String image, Path to) throws IOException {
    JsonNode file = golden(name).path(image);
    try (InputStream in = new GZIPInputStream(resource(name, file.path("file").asText()))) {
      Files.copy(in, to);
    }
    Images.sparse(to, file.path("length").asLong());
  }

  private static void writePattern(Path image, long sizeBytes) throws IOException {
    try (OutputStream file = Files.newOutputStream(image);
        var out = new DataOutputStream(new BufferedOutputStream(file, MIB))) {
      for (long sector = 0; sector < Sectors.fromBytes(sizeBytes); sector++) {
        long word = Long.reverseBytes((SOURCE_SEED << SEED_SHIFT) | sector);
        for (int i = 0; i < Sectors.SIZE_BYTES / Long.BYTES; i++) {
          out.writeLong(word);
        }
      }
    }
  }
}
