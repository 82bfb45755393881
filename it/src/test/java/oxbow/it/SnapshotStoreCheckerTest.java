package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.golden.SnapshotFixture;
import oxbow.golden.SnapshotFixture.ExceptionPair;
import oxbow.inspect.SnapshotStoreCheck;
import oxbow.sim.SimDisk;
import oxbow.target.snapshot.StoreHistory;

/**
 * Aim: a checker that was written from the documents alone, not from our code, finds our stores
 * clean and reads the same exceptions from them. Method: random lives of stores, power cuts
 * included, then the checker; and damage to a kernel's store that both must find.
 */
class SnapshotStoreCheckerTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009})
  void ourStoresAreCleanAndHaveTheExceptionsWeThinkOf(long seed) throws IOException {
    StoreHistory history = new StoreHistory(seed).run();
    JsonNode found = check(history.disk());
    assertThat(found.get("problems")).as(found.toString()).isEmpty();
    if (history.isInvalid()) {
      assertThat(found.get("state").textValue()).isEqualTo("invalid");
      return;
    }
    assertThat(found.get("status").textValue()).isEqualTo(history.figures());
    List<ExceptionPair> exceptions =
        StreamSupport.stream(found.get("runs").spliterator(), false)
            .flatMap(SnapshotStoreCheckerTest::singles)
            .toList();
    assertThat(exceptions)
        .isEqualTo(
            history.exceptions().stream()
                .sorted(Comparator.comparingLong(ExceptionPair::oldChunk))
                .toList());
  }

  private static Stream<ExceptionPair> singles(JsonNode run) {
    long oldChunk = run.get(0).longValue();
    long newChunk = run.get(1).longValue();
    return LongStream.range(0, run.get(2).longValue())
        .mapToObj(i -> new ExceptionPair(oldChunk + i, newChunk + i));
  }

  @Test
  void everythingTheCheckerFindsOurCheckFindsToo() throws IOException {
    SnapshotFixture fixture = SnapshotFixture.named("area-plus-one-8").getFirst();
    long seed = Long.getLong("oxbow.seed", 9L);
    Random random = new Random(seed);
    for (int i = 0; i < 12; i++) {
      SimDisk disk = fixture.disk();
      // The header's fields, and the first area.
      disk.flipBit(i < 4 ? random.nextInt(16) : 4096 + random.nextInt(4096), random.nextInt(8));
      assertThat(SnapshotStoreCheck.run(disk, 10, 10).isClean())
          .as("-Doxbow.seed=" + seed + " round " + i)
          .isEqualTo(check(disk).get("clean").booleanValue());
    }
  }

  private JsonNode check(SimDisk disk) throws IOException {
    Path image = directory.resolve("store.img");
    Files.write(image, disk.bytes(0, Math.toIntExact(disk.sizeBytes())));
    return Oracle.checkSnapshotStore(image);
  }
}
