package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.nbd.client.NbdAddress;

/**
 * Aim: whatever was flushed survives SIGKILL at any moment, and what nobody wrote equals the
 * source. Method: random requests of all kinds from three connections while the clone hydrates;
 * kills in between, at seeded moments; after each, every byte must be one that {@link
 * VolatileModel} allows.
 *
 * <p>{@code -Doxbow.operations=1000000} makes a long run of it.
 */
class CloneKillIT {
  private static final int SIZE_BYTES = 64 << 20;
  private static final int GRANULES = SIZE_BYTES / VolatileModel.GRANULE_BYTES;
  private static final int KILLS_PER_LIFE = 5;

  /** More would write to all regions, so that the last kills came too late. */
  private static final int LIFE_OPERATIONS = 10_000;

  @TempDir Path directory;

  @Test
  @Timeout(value = 2, unit = TimeUnit.HOURS)
  void whatWasFlushedSurvivesKillsInTheMiddle() throws Exception {
    long seed = Long.getLong("oxbow.seed", 20_260L);
    int operations = Integer.getInteger("oxbow.operations", 2 * LIFE_OPERATIONS);
    int lives = Math.max(1, operations / LIFE_OPERATIONS);
    Path source = makeSource();
    try (Server slow =
        Server.nbdkit(
            directory.resolve("source.sock"),
            "-r",
            "--filter=delay",
            "file",
            source,
            "rdelay=1ms")) {
      for (int life = 0; life < lives; life++) {
        long lifeSeed = seed + life;
        Path home = Files.createDirectory(directory.resolve("life-" + life));
        try (TestClone clone = new TestClone(home, slow.uri())) {
          live(clone, lifeSeed);
        } catch (AssertionError | Exception e) {
          throw new AssertionError(
              ("reproduce with: ./mvnw verify -Dit.test=CloneKillIT -Doxbow.seed=%d"
                      + " -Doxbow.operations=%d")
                  .formatted(lifeSeed, LIFE_OPERATIONS),
              e);
        }
        Files.delete(clone(home).destination());
      }
    }
  }

  private static TestClone clone(Path home) {
    return new TestClone(home, "");
  }

  private static void live(TestClone clone, long seed) throws Exception {
    boolean areDiscardsPassedDown = seed % 2 == 0;
    Object[] options =
        areDiscardsPassedDown
            ? new Object[] {"--rate", "2MiB"}
            : new Object[] {"--rate", "2MiB", "--no-discard-passdown"};
    Random random = new Random(seed);
    VolatileModel model = new VolatileModel(GRANULES);
    clone.start(options);
    NbdAddress address = NbdAddress.unix(clone.socket().toString(), clone.name());
    Workload workload = new Workload(address, model, GRANULES, areDiscardsPassedDown);
    int begin = 0;
    for (int kill = 1; kill <= KILLS_PER_LIFE; kill++) {
      int slice = LIFE_OPERATIONS / KILLS_PER_LIFE;
      int end = kill * slice - random.nextInt(slice / 2);
      workload.run(random.nextLong(), begin, end, LIFE_OPERATIONS, clone.server()::kill);
      clone.assertMetadataIsSound();
      clone.assertIsUnfinished();
      clone.start(options);
      workload.recover();
      begin = end;
    }
    clone.stop();
    clone.finish();
    assertIsWhatTheModelSays(clone.destination(), model);
  }

  private static void assertIsWhatTheModelSays(Path destination, VolatileModel model)
      throws IOException {
    MemorySegment content = MemorySegment.ofArray(Files.readAllBytes(destination));
    for (int granule = 0; granule < GRANULES; granule++) {
      long offset = (long) granule * VolatileModel.GRANULE_BYTES;
      int stamp = model.newest(granule);
      if (!StampedContent.matches(content, offset, granule, stamp)) {
        assertThat(StampedContent.describe(content, offset, granule))
            .as("byte %d of the full copy", offset)
            .isEqualTo("stamp " + stamp);
      }
    }
  }

  /** Data and holes in turn, each granule with its own number. */
  private Path makeSource() throws IOException {
    byte[] bytes = new byte[SIZE_BYTES];
    MemorySegment memory = MemorySegment.ofArray(bytes);
    for (int granule = 0; granule < GRANULES; granule++) {
      long offset = (long) granule * VolatileModel.GRANULE_BYTES;
      StampedContent.fill(memory, offset, granule, VolatileModel.SOURCE);
    }
    Path source = directory.resolve("source.img");
    try (var file = new RandomAccessFile(source.toFile(), "rw")) {
      file.setLength(SIZE_BYTES);
      int piece = 1 << 12;
      for (int offset = 0; offset < SIZE_BYTES; offset += piece) {
        if (!StampedContent.isSourceHole(offset / VolatileModel.GRANULE_BYTES)) {
          file.seek(offset);
          file.write(bytes, offset, piece);
        }
      }
    }
    return source;
  }
}
