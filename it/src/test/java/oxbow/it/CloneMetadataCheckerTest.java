package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.golden.CloneFixture;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.inspect.CloneMetadataReport;
import oxbow.sim.SimDisk;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.RegionMap;
import oxbow.target.clone.RegionSet;

/**
 * Aim: a checker that was written from the documents alone, not from our code, finds our metadata
 * clean and reads the same regions from it. Method: random commits on new metadata and on a
 * kernel's, then the checker, and the same with damage that both must find.
 */
class CloneMetadataCheckerTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 63, 64, 65, 2048, 32576, 32577, 200_000, 8_300_000})
  void newMetadataIsCleanAfterRandomCommits(long regionCount) throws IOException {
    SimDisk disk = new SimDisk(CloneMetadata.worstCaseBytes(regionCount));
    try (CloneMetadata metadata = CloneMetadata.format(disk, regionCount * 8, 8)) {
      assertAgrees(disk, commitRandomly(metadata, new Random(regionCount)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixed-16", "commits-wide", "commits-tight", "ten-million"})
  void kernelMetadataIsCleanAfterOurCommits(String name) throws IOException {
    CloneFixture fixture = CloneFixture.named(name);
    SimDisk disk = fixture.metadata();
    try (CloneMetadata metadata =
        CloneMetadata.open(disk, fixture.targetSectors(), fixture.regionSizeSectors())) {
      assertAgrees(disk, commitRandomly(metadata, new Random(1)));
    }
  }

  @Test
  void everythingTheCheckerFindsOurCheckFindsToo() throws IOException {
    CloneFixture fixture = CloneFixture.named("several-array-blocks");
    long seed = Long.getLong("oxbow.seed", 9L);
    Random random = new Random(seed);
    for (int i = 0; i < 12; i++) {
      SimDisk disk = fixture.metadata();
      disk.flipBit(random.nextInt(fixture.storedMetadata().length), random.nextInt(8));
      CloneMetadataReport ours = CloneMetadataCheck.run(disk, 10, 10);
      assertThat(ours.isClean())
          .as("-Doxbow.seed=" + seed + " round " + i)
          .isEqualTo(check(disk).get("clean").booleanValue());
    }
  }

  private static RegionMap commitRandomly(CloneMetadata metadata, Random random)
      throws IOException {
    RegionMap map = new RegionMap(metadata.regionCount());
    metadata.load(map);
    RegionSet recorded = new RegionSet(metadata.regionCount());
    for (int i = 0; i < 20; i++) {
      long first = (long) (random.nextDouble() * metadata.regionCount());
      long most = random.nextInt(5) == 0 ? metadata.regionCount() - first : 1;
      long count = 1 + (long) (random.nextDouble() * (most - 1));
      recorded.add(first, count);
      map.set(first, count);
      if (random.nextBoolean()) {
        metadata.commit(recorded);
        recorded.clear();
      }
    }
    metadata.commit(recorded);
    return map;
  }

  private void assertAgrees(SimDisk disk, RegionMap map) throws IOException {
    JsonNode found = check(disk);
    assertThat(found.get("problems")).as(found.toString()).isEmpty();
    assertThat(found.get("warnings")).as(found.toString()).isEmpty();
    assertThat(found.get("leaked_blocks").longValue()).isZero();
    assertThat(found.get("hydrated_regions").longValue()).isEqualTo(map.hydratedCount());
    List<List<Long>> ranges = new ArrayList<>();
    found
        .get("hydrated_ranges")
        .forEach(range -> ranges.add(List.of(range.get(0).longValue(), range.get(1).longValue())));
    assertThat(ranges).isEqualTo(rangesOf(map));
  }

  private static List<List<Long>> rangesOf(RegionMap map) {
    List<List<Long>> ranges = new ArrayList<>();
    long end = map.regionCount();
    for (long first = map.nextHydrated(0, end); first < end; ) {
      long next = map.nextUnhydrated(first);
      ranges.add(List.of(first, next - first));
      first = map.nextHydrated(next, end);
    }
    return ranges;
  }

  private JsonNode check(SimDisk disk) throws IOException {
    Path image = directory.resolve("meta.img");
    Files.write(image, disk.bytes(0, Math.toIntExact(disk.sizeBytes())));
    return Oracle.checkCloneMetadata(image);
  }
}
