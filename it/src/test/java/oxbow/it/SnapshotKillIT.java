package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.Sectors;
import oxbow.nbd.client.NbdAddress;

/**
 * Aim: whatever was flushed survives SIGKILL at any moment, and the snapshot never shows what was
 * written to the origin after it began. Method: random requests of all kinds to the snapshot and to
 * its origin, from three connections to each, most of them close together; kills in between, at
 * seeded moments: anywhere, in a commit, right after the answer to a flush, while the snapshot
 * starts, be it to make its store or to go on, and at last while it is merged. After each kill the
 * store must be sound and every byte of both one that their {@link VolatileModel} allows. The
 * stamps of the two are different ones.
 *
 * <p>{@code -Doxbow.kills=1000} makes a long run of it.
 */
class SnapshotKillIT {
  private static final int SIZE_BYTES = 8 << 20;
  private static final int GRANULES = SIZE_BYTES / VolatileModel.GRANULE_BYTES;

  /** Room for all chunks, and for those that kills leave unused. */
  private static final long STORE_BYTES = 8L * SIZE_BYTES;

  private static final int KILLS_PER_LIFE = 10;
  private static final int LIFE_OPERATIONS = 2_500;
  private static final int[] CHUNK_SECTORS = {8, 1, 32, 128};
  private static final List<Workload.Moment> MOMENTS = List.of(Workload.Moment.values());

  @TempDir Path directory;

  private int kills;

  @Test
  @Timeout(value = 5, unit = TimeUnit.HOURS)
  void whatWasFlushedSurvivesKillsAtAnyMoment() throws Exception {
    long seed = Long.getLong("oxbow.seed", 4_000L);
    int wanted = Integer.getInteger("oxbow.kills", 30);
    Path source = StampedContent.makeSource(directory.resolve("source.img"), GRANULES);
    for (long life = seed; kills < wanted; life++) {
      Path home = Files.createDirectory(directory.resolve("life-" + life));
      Path origin = Files.copy(source, home.resolve("origin.img"));
      try (TestSnapshot snapshot = new TestSnapshot(home, origin)) {
        new Life(snapshot, origin, life).live();
        Files.delete(snapshot.store());
        Files.delete(origin);
      } catch (AssertionError | Exception e) {
        throw new AssertionError(
            ("reproduce with: ./mvnw verify -Dit.test=SnapshotKillIT -Doxbow.seed=%d"
                    + " -Doxbow.kills=1")
                .formatted(life),
            e);
      }
    }
  }

  /** A snapshot from the creation of its store until it is merged. */
  private final class Life {
    private final TestSnapshot snapshot;
    private final Path origin;
    private final Random random;
    private final long chunkBytes;
    private final VolatileModel ofSnapshot = new VolatileModel(GRANULES);
    private final VolatileModel ofOrigin = new VolatileModel(GRANULES);
    private final Workload workload;
    private long startNanos = TimeUnit.MILLISECONDS.toNanos(300);

    Life(TestSnapshot snapshot, Path origin, long seed) {
      this.snapshot = snapshot;
      this.origin = origin;
      this.random = new Random(seed);
      this.chunkBytes = Sectors.toBytes(CHUNK_SECTORS[(int) (seed % CHUNK_SECTORS.length)]);
      this.workload =
          new Workload(
              GRANULES,
              new Workload.Volume(
                  NbdAddress.unix(snapshot.socket().toString(), snapshot.name()),
                  ofSnapshot,
                  Workload.Discards.NONE),
              new Workload.Volume(
                  NbdAddress.unix(snapshot.originSocket().toString(), snapshot.originName()),
                  ofOrigin,
                  Workload.Discards.ZEROS_WHOLE_REGIONS));
    }

    void live() throws Exception {
      killWhileItStarts(3);
      start();
      int begin = 0;
      int slice = LIFE_OPERATIONS / KILLS_PER_LIFE;
      for (int kill = 1; kill <= KILLS_PER_LIFE; kill++) {
        int end = kill * slice - random.nextInt(slice / 2);
        Workload.Moment moment = MOMENTS.get(random.nextInt(MOMENTS.size()));
        workload.run(
            random.nextLong(), begin, end, LIFE_OPERATIONS, moment, snapshot.server()::kill);
        kills++;
        checkStore(true);
        killWhileItStarts(random.nextInt(4) / 3);
        start();
        workload.recover();
        begin = end;
      }
      snapshot.stop();
      StampedContent.assertIs(origin, ofOrigin);
      killWhileItMerges(2);
      snapshot.merge();
      StampedContent.assertIs(origin, ofSnapshot);
    }

    private Object[] options() throws IOException {
      List<Object> options = new ArrayList<>(List.of("--chunk-size", chunkBytes));
      if (Files.notExists(snapshot.store()) || Files.size(snapshot.store()) == 0) {
        options.addAll(List.of("--create", STORE_BYTES));
      }
      return options.toArray();
    }

    private void start() throws IOException {
      long begun = System.nanoTime();
      snapshot.start(options());
      startNanos = System.nanoTime() - begun;
    }

    /** Opening, creating, loading, binding sockets: none of it may be in the way later. */
    private void killWhileItStarts(int times) throws IOException {
      for (int i = 0; i < times; i++) {
        Server started = snapshot.launch(options());
        LockSupport.parkNanos((long) (startNanos * (0.4 + 0.8 * random.nextDouble())));
        started.kill();
        kills++;
        checkStore(false);
      }
    }

    private void killWhileItMerges(int times) {
      for (int i = 0; i < times; i++) {
        Server merge = snapshot.launchMerge();
        LockSupport.parkNanos((long) (startNanos * (0.6 + 0.8 * random.nextDouble())));
        merge.kill();
        kills++;
        snapshot.assertStoreIsSound();
      }
    }

    /** What was never ready may not have begun to be a store. */
    private void checkStore(boolean wasReady) throws IOException {
      if (!wasReady && (Files.notExists(snapshot.store()) || Files.size(snapshot.store()) == 0)) {
        return;
      }
      JsonNode report = Oracle.checkSnapshotStore(snapshot.store());
      assertThat(report.path("clean").asBoolean()).as("%s", report).isTrue();
      if (wasReady || report.path("initialised").asBoolean()) {
        assertThat(report.path("state").asText()).as("%s", report).isEqualTo("valid");
      }
    }
  }
}
