package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: holes cost nothing: a huge sparse image takes the time and the space of its data (O6).
 * Method: images of up to a TiB with a few MiB in them are cloned; DEST's allocated space and its
 * content are compared with the source's.
 */
class CloneSparseIT {
  private static final long GIB = 1L << 30;
  private static final int MIB = 1 << 20;

  /** Where data may cost a block more than at the source: at the ends of each piece of it. */
  private static final long SLACK_BYTES = 256 << 10;

  @TempDir Path directory;

  private TestClone clone = new TestClone(Path.of(""), "");
  private Path source = Path.of("");

  @BeforeEach
  void setUp() {
    source = directory.resolve("source.img");
    clone = new TestClone(directory, source);
  }

  @Test
  void aTebibyteWithAFewMebibytesOfDataIsClonedInSeconds() {
    scatter(1024 * GIB);
    // The first start of all prepares the program, which is not to be measured.
    Proc.of(Tool.own("oxbow"), "version").run().ok();

    long begin = System.nanoTime();
    clone.finish();
    Duration taken = Duration.ofNanos(System.nanoTime() - begin);

    assertThat(taken).isLessThan(Duration.ofSeconds(20));
    assertHasTheDataOfTheSourceOnly();
  }

  @Test
  void holesOfARemoteSourceAreSkippedToo() {
    scatter(64 * GIB);
    try (Server nbdkit = Server.nbdkit(directory.resolve("source.sock"), "-r", "file", source)) {
      clone = new TestClone(directory, nbdkit.uri());
      clone.finish();
    }
    assertHasTheDataOfTheSourceOnly();
  }

  @Test
  @DisplayName("O6: after an unclean stop, DEST's own holes are still known")
  void resumedClonesStaySparse() {
    scatter(64 * GIB);
    for (int round = 0; round < 2; round++) {
      clone.start("--rate", "1MiB");
      clone.kill();
      clone.start("--rate", "1MiB");
      clone.stop();
    }
    clone.finish();
    assertHasTheDataOfTheSourceOnly();
  }

  @Test
  @DisplayName("O6: a hole of the source is zeros in a destination that held something")
  void anOldDestinationReadsZerosWhereTheSourceHasHoles() throws IOException {
    Images.sparse(source, 40 * MIB);
    Images.random(source, 8 * MIB, 5 * MIB + 123, 1);
    Images.random(clone.destination(), 0, 40 * MIB, 2);

    clone.start("--force", "--rate", "256KiB");
    assertReadsAsTheSource();
    clone.kill();
    clone.start("--rate", "256KiB");
    assertReadsAsTheSource();
    clone.stop();
    clone.finish();

    Images.assertSameContent(clone.destination(), source);
    assertThat(Images.allocatedBytes(clone.destination()))
        .isLessThanOrEqualTo(Images.allocatedBytes(source) + SLACK_BYTES);
  }

  private void assertReadsAsTheSource() throws IOException {
    Path seen = directory.resolve("seen.img");
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), clone.uri(), seen).run().ok();
    clone.assertIsHydrating();
    Images.assertSameContent(seen, source);
    Files.delete(seen);
  }

  /** Five pieces of data far from each other; the first and last byte are among them. */
  private void scatter(long sizeBytes) {
    Images.sparse(source, sizeBytes);
    Images.random(source, 0, MIB, 1);
    Images.random(source, sizeBytes / 3 + 12_345, MIB, 2);
    Images.random(source, sizeBytes / 2, 2 * MIB + 1, 3);
    Images.random(source, sizeBytes / 4 * 3 - 5, 10, 4);
    Images.random(source, sizeBytes - 70_000, 70_000, 5);
  }

  private void assertHasTheDataOfTheSourceOnly() {
    Path destination = clone.destination();
    assertThat(destination.toFile().length()).isEqualTo(source.toFile().length());
    assertThat(Images.allocatedBytes(destination))
        .isLessThanOrEqualTo(Images.allocatedBytes(source) + SLACK_BYTES);
    // Reading all of it would take hours; where both have holes there is nothing to compare.
    Path qemuImg = Tool.require("qemu-img", "qemu-utils");
    Proc.of(qemuImg, "compare", "-f", "raw", "-F", "raw", source, destination).run().ok();
  }
}
