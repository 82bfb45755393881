package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.clone.FormattingMark;
import oxbow.nbd.client.NbdAddress;

/**
 * Aim: whatever was flushed survives SIGKILL at any moment, and what nobody wrote equals the
 * source. Method: random requests of all kinds from three connections while the clone hydrates;
 * kills in between, at seeded moments: anywhere, in a commit, right after the answer to a flush,
 * and while the clone starts, be it to format or to go on; now and then the source's server is
 * killed too, and started again. After each kill the metadata must be sound and every byte one that
 * {@link VolatileModel} allows.
 *
 * <p>{@code -Doxbow.kills=1000} makes a long run of it.
 */
class CloneKillIT {
  private static final int SIZE_BYTES = 16 << 20;
  private static final int GRANULES = SIZE_BYTES / VolatileModel.GRANULE_BYTES;
  private static final int KILLS_PER_LIFE = 25;

  /** More would write to all regions, so that the last kills came too late. */
  private static final int LIFE_OPERATIONS = 3_000;

  private static final List<Workload.Moment> MOMENTS = List.of(Workload.Moment.values());

  @TempDir Path directory;

  private int kills;

  @Test
  @Timeout(value = 5, unit = TimeUnit.HOURS)
  void whatWasFlushedSurvivesKillsAtAnyMoment() throws Exception {
    long seed = Long.getLong("oxbow.seed", 20_260L);
    int wanted = Integer.getInteger("oxbow.kills", 100);
    Path source = StampedContent.makeSource(directory.resolve("source.img"), GRANULES);
    for (long life = seed; kills < wanted; life++) {
      Path home = Files.createDirectory(directory.resolve("life-" + life));
      try (Source slow = new Source(home, source);
          TestClone clone = new TestClone(home, slow.uri())) {
        new Life(clone, slow, life).live();
        Files.delete(clone.destination());
      } catch (AssertionError | Exception e) {
        throw new AssertionError(
            "reproduce with: ./mvnw verify -Dit.test=CloneKillIT -Doxbow.seed=%d -Doxbow.kills=1"
                .formatted(life),
            e);
      }
    }
  }

  /** A slow server of the source, which can be lost and found again. */
  private static final class Source implements AutoCloseable {
    private final Path socket;
    private final Path image;
    private Server server;

    Source(Path home, Path image) {
      this.socket = home.resolve("source.sock");
      this.image = image;
      this.server = start();
    }

    private Server start() {
      return Server.nbdkit(socket, "-r", "--filter=delay", "file", image, "rdelay=1ms");
    }

    String uri() {
      return server.uri();
    }

    void restart() throws IOException {
      server.kill();
      Files.delete(socket);
      Files.delete(socket.resolveSibling(socket.getFileName() + ".pid"));
      server = start();
    }

    @Override
    public void close() {
      server.close();
    }
  }

  /** A clone from its creation to its end as a full copy. */
  private final class Life {
    private final TestClone clone;
    private final Source source;
    private final Random random;
    private final VolatileModel model = new VolatileModel(GRANULES);
    private final Workload workload;
    private final Object[] options;
    private long startNanos;

    Life(TestClone clone, Source source, long seed) {
      this.clone = clone;
      this.source = source;
      this.random = new Random(seed);
      boolean areDiscardsPassedDown = seed % 2 == 0;
      this.options =
          areDiscardsPassedDown
              ? new Object[] {"--rate", "512KiB"}
              : new Object[] {"--rate", "512KiB", "--no-discard-passdown"};
      NbdAddress address = NbdAddress.unix(clone.socket().toString(), clone.name());
      Workload.Discards discards =
          areDiscardsPassedDown ? Workload.Discards.ZEROS : Workload.Discards.ZEROS_OR_NOTHING;
      this.workload = new Workload(GRANULES, new Workload.Volume(address, model, discards));
    }

    void live() throws Exception {
      startNanos = TimeUnit.MILLISECONDS.toNanos(300);
      killWhileItStarts(3);
      start();
      int begin = 0;
      int slice = LIFE_OPERATIONS / KILLS_PER_LIFE;
      for (int kill = 1; kill <= KILLS_PER_LIFE; kill++) {
        int end = kill * slice - random.nextInt(slice / 2);
        Workload.Moment moment = MOMENTS.get(random.nextInt(MOMENTS.size()));
        if (random.nextInt(5) == 0) {
          source.restart();
        }
        workload.run(random.nextLong(), begin, end, LIFE_OPERATIONS, moment, clone.server()::kill);
        kills++;
        checkMetadata(true);
        killWhileItStarts(random.nextInt(3) / 2);
        start();
        workload.recover();
        begin = end;
      }
      clone.stop();
      clone.finish();
      StampedContent.assertIs(clone.destination(), model);
    }

    private void start() {
      long begun = System.nanoTime();
      clone.start(options);
      startNanos = System.nanoTime() - begun;
    }

    /** Opening, formatting, recovering, binding sockets: none of it may be in the way later. */
    private void killWhileItStarts(int times) throws IOException {
      for (int i = 0; i < times; i++) {
        Server started = clone.launch(options);
        LockSupport.parkNanos((long) (startNanos * (0.4 + 0.8 * random.nextDouble())));
        started.kill();
        kills++;
        checkMetadata(false);
      }
    }

    /**
     * A kill in the middle must not come too late: not all regions may be hydrated. What is there
     * before it was formatted is no metadata yet.
     */
    private void checkMetadata(boolean isFormatted) throws IOException {
      if (!isFormatted && isBeginning(clone.metadata())) {
        return;
      }
      JsonNode report = Oracle.checkCloneMetadata(clone.metadata(), "--no-ranges");
      if (report.path("formatted").asBoolean() || isFormatted) {
        assertThat(report.path("clean").asBoolean()).as("%s", report).isTrue();
        assertThat(report.path("hydrated_regions").asLong(-1))
            .isNotNegative()
            .isLessThan(report.path("nr_regions").asLong());
      }
    }
  }

  /** Whether a file is empty, or being formatted, or not even there. */
  private static boolean isBeginning(Path metadata) throws IOException {
    if (Files.notExists(metadata) || Files.size(metadata) == 0) {
      return true;
    }
    try (InputStream in = Files.newInputStream(metadata)) {
      return FormattingMark.isIn(in.readNBytes(CloneSuperblock.SIZE_BYTES));
    }
  }
}
