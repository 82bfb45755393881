package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: {@code clone --verify} finds what the disk does not hold as it was copied, and takes no
 * user's write for it. Method: real commands; a byte of DEST is changed behind their back.
 */
class CloneVerifyTest {
  private static final int REGION = 4096;
  private static final int REGIONS = 2048;
  private static final int SIZE_BYTES = REGIONS * REGION + 512;

  private Path directory = Path.of("");
  private Path source = Path.of("");
  private Path destination = Path.of("");

  /** Data, then a hole, then data up to a short last region. */
  @BeforeEach
  void makeSource(@TempDir Path temporary) throws IOException {
    directory = temporary;
    source = directory.resolve("source.img");
    destination = directory.resolve("dest.img");
    byte[] data = new byte[SIZE_BYTES / 4];
    new Random(1).nextBytes(data);
    try (RandomAccessFile file = new RandomAccessFile(source.toFile(), "rw")) {
      file.write(data);
      file.seek(SIZE_BYTES - data.length);
      file.write(data);
    }
  }

  @Test
  void aCopyThatIsRightIsVerified() throws Exception {
    for (String regionSize : List.of("4KiB", "64KiB", "4MiB")) {
      Cli run =
          Cli.run(
              "clone",
              source,
              directory.resolve(regionSize),
              "--no-serve",
              "--verify",
              "--region-size",
              regionSize);
      assertThat(run.status()).as(run.err()).isZero();
      assertThat(run.err())
          .contains("regions are as they were copied, 0 left out (written by users)\n")
          .contains("verified: ");
    }
  }

  @Test
  void aByteThatChangedBehindItsBackIsFoundAndNamed() throws Exception {
    for (int at : new int[] {10 * REGION + 77, SIZE_BYTES / 2, SIZE_BYTES - 1}) {
      Path dest = directory.resolve("dest" + at);
      try (Programs.Running clone = startReading(dest, "--until-hydrated")) {
        corruptAndComplete(clone, dest, at);
        assertThat(clone.await()).as(clone.err()).isEqualTo(1);
        assertThat(clone.err())
            .contains(
                "oxbow: clone: verify: %s is not what was copied, first at byte %d, in 1 regions"
                    .formatted(dest, at))
            .contains("damage: ")
            .contains("1 left out (written by users)");
      }
    }
  }

  @Test
  void aServedCloneIsVerifiedOnceAndServedOn() throws Exception {
    try (Programs.Running clone = startReading(destination, "--json")) {
      String uri = corruptAndComplete(clone, destination, 5 * REGION);
      String line = clone.process().inputReader().readLine();
      while (!line.contains("\"verified\"")) {
        line = clone.process().inputReader().readLine();
      }
      assertThat(line)
          .contains("\"checked\":2047", "\"leftOut\":1", "\"earlier\":0", "\"damaged\":1")
          .contains("\"firstDamage\":" + 5 * REGION);
      try (NbdClient client = new NbdClient(uri)) {
        client.read(0, REGION);
      }
      clone.signal("TERM");
      assertThat(clone.await()).isEqualTo(1);
    }
  }

  @Test
  void whatAnEarlierRunHydratedIsComparedAndNotHeldAgainstAnybody() throws Exception {
    try (Programs.Running clone = startReading(destination)) {
      String uri = uri(clone);
      try (NbdClient client = new NbdClient(uri)) {
        client.read(0, 100 * REGION);
        client.write(7 * REGION, new byte[] {1, 2, 3});
      }
      clone.signal("TERM");
      assertThat(clone.await()).as(clone.err()).isZero();
      assertThat(clone.err()).contains("not verified: stopped before");
    }
    Cli run = Cli.run("clone", source, destination, "--no-serve", "--verify");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.err())
        .contains("verified: 1949 regions are as they were copied, 0 left out")
        .contains("100 hydrated before this run (99 equal the source, 1 differ:");
    Cli again = Cli.run("clone", source, destination, "--no-serve", "--verify");
    assertThat(again.status()).isZero();
    assertThat(again.err()).contains("2049 hydrated before this run (2048 equal the source");
  }

  /** A clone that hydrates what is read, and nothing else yet. */
  private Programs.Running startReading(Path dest, Object... options) throws IOException {
    List<Object> words = new ArrayList<>(List.of("clone", source, dest, "--verify"));
    words.addAll(List.of("--no-hydration", "--hydrate-on-read"));
    words.addAll(List.of(options));
    return Programs.start(Programs.oxbow(directory, words.toArray()));
  }

  private static String uri(Programs.Running clone) throws IOException {
    String line = clone.process().inputReader().readLine();
    return line.substring(line.indexOf("nbd+unix"), line.indexOf(".nbd") + ".nbd".length());
  }

  /**
   * Hydrates all but one region, one of them by a user's write, then changes a byte behind the
   * clone's back, then has it hydrate the last one. Returns where the clone is served.
   */
  private String corruptAndComplete(Programs.Running clone, Path dest, int at) throws Exception {
    String uri = uri(clone);
    try (NbdClient client = new NbdClient(uri)) {
      client.write(20L * REGION, new byte[REGION]);
      client.read(REGION, SIZE_BYTES - REGION);
    }
    Path control = directory.resolve("oxbow/" + dest.getFileName() + ".sock");
    awaitHydrated(dest, control);
    try (RandomAccessFile file = new RandomAccessFile(dest.toFile(), "rw")) {
      file.seek(at);
      int before = file.read();
      file.seek(at);
      file.write(before ^ 1);
    }
    Cli message =
        Cli.run("message", dest.getFileName(), "0", "enable_hydration", "--control", control);
    assertThat(message.status()).as(message.err()).isZero();
    return uri;
  }

  /** All but the last region. */
  private static void awaitHydrated(Path dest, Path control) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Programs.PATIENCE_SECONDS);
    String status;
    do {
      status = Cli.run("status", dest.getFileName(), "--json", "--control", control).out();
      assertThat(System.nanoTime()).as(status).isLessThan(deadline);
    } while (!status.contains("\"hydratedRegions\":" + REGIONS + ","));
  }
}
